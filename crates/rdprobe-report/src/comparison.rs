//! A comparison of two reports.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Code, Phase, Status, Timestamp};

/// What differs between two reports of one host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// The host, as in the later report.
    pub host: String,
    /// The earlier report.
    pub old: Compared,
    /// The later one.
    pub new: Compared,
    /// Whether they were made from different places: then a difference is the way's as much as the host's.
    pub two_places: bool,
    /// What differs, phase by phase. Empty where the reports are equal.
    pub changes: Vec<ReportChange>,
    /// What the first differing phase means. Empty where the reports are equal.
    pub conclusion: String,
}

/// One of the two reports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Compared {
    /// When it was made.
    pub started_at: Timestamp,
    /// Its verdict.
    pub status: Status,
    /// The verdict's code.
    pub code: Code,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReportChange {
    /// The phase concerned; null for the verdict.
    pub phase: Option<Phase>,
    /// What differs, in a word or two: `certificate`, `outcome`, `finding`.
    pub what: String,
    /// In the earlier report; null where there was none.
    pub old: Option<String>,
    /// In the later report; null where there is none.
    pub new: Option<String>,
}
