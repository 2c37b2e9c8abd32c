//! Causes as data: what can be wrong, what shows and excludes it on the wire, how likely it is, and what mends it.
//!
//! The rows live in `knowledge/causes/*.toml`, `claims.toml` and `remedies.toml`, where a support engineer edits them;
//! the build refuses a cause that nothing judges, a sign that does not exist and a row without a source.

mod judge;
mod seen;
mod sign;

use crate::knowledge::tables::{CAUSES, CLAIMS, REMEDIES};

pub use crate::knowledge::{Cause, Claim, KnownFix, Remedy, Scope, Sign, Signs};
pub use judge::{Asked, Hint, Judgement, judge};
pub use seen::Seen;

/// Every cause.
pub fn all() -> &'static [Cause] {
    CAUSES
}

/// The cause with an id.
pub fn cause(id: &str) -> Option<&'static Cause> {
    CAUSES.iter().find(|cause| cause.id == id)
}

/// Every claim.
pub fn claims() -> &'static [Claim] {
    CLAIMS
}

/// Every remedy.
pub fn remedies() -> &'static [Remedy] {
    REMEDIES
}

#[cfg(test)]
mod tests;
