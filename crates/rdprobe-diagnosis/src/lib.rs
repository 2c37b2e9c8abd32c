//! Plan and diagnose: which experiment comes next, and what the observations mean. Pure; depends on the vocabulary
//! alone.
//!
//! - [`plan`]: observations in, the attempts to start now out.
//! - [`diagnose`]: observations in, the report out.
//! - [`registry`]: every code, once.
//! - [`knowledge`]: what is known of each code.
//! - [`causes`]: what can be wrong, judged against a report.
//! - [`symptom`]: what a user holds, and which cause is left.

mod advice;
pub mod causes;
mod clients;
mod compare;
mod coverage;
mod diagnose;
mod draft;
mod enumeration;
mod expectations;
mod fingerprint;
pub mod knowledge;
mod phases;
mod plan;
mod record;
pub mod registry;
mod rules;
mod silence;
pub mod symptom;
mod usual_port;
mod verdict;
mod view;
mod windows;

pub use rules::logon::{Ground, ground, unsafe_for_credentials};

pub use advice::{Remedy, remedies};
pub use compare::compare;
pub use diagnose::{diagnose, suspected};
pub use expectations::{may_be_ignored, server_pattern};
pub use plan::{
    MOST_AT_ONCE, MOST_ATTEMPTS, MOST_CONNECTIONS, decides, given_up, is_enumeration, next_syn_version, plan,
    silence_ms,
};
