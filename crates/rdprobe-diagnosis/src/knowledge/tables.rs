//! The rows themselves, as the build script printed them.

use rdprobe_report::{Change, ClaimJudgement, Effect, Phase, Stage, Where};

use super::rows::*;
use super::sign::Sign;

include!(concat!(env!("OUT_DIR"), "/knowledge.rs"));
