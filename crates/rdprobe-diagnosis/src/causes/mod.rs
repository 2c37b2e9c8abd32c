//! Causes as data: what can be wrong, what shows and excludes it on the wire, how likely it is, and what mends it.
//!
//! The rows live in `knowledge/causes/*.toml`, `claims.toml` and `remedies.toml`, where a support engineer edits them;
//! the build refuses a cause that nothing judges, a sign that does not exist and a row without a source.

mod judge;
mod seen;
mod sign;

use rdprobe_report::{Change, ClaimJudgement, Effect, Phase, Stage, Where};

pub use judge::{Hint, Judgement, judge};
pub use seen::Seen;
pub use sign::Sign;

/// One thing that can be wrong.
#[derive(Debug)]
pub struct Cause {
    /// Stable id.
    pub id: &'static str,
    /// In a line.
    pub title: &'static str,
    /// Where it lies: `network`, `account`, `client`.
    pub layer: &'static str,
    /// The phase that it stops; none where it stops none that a direct probe goes through.
    pub phase: Option<Phase>,
    /// Whom it stops.
    pub scope: Scope,
    /// How far its user gets.
    pub stages: &'static [Stage],
    /// Weight among all causes before anything is known.
    pub prior: f64,
    /// Families of symptoms under which it shows.
    pub families: &'static [&'static str],
    /// Tags of client or surroundings without at least one of which it is unlikely.
    pub needs: &'static [&'static str],
    /// Clients and surroundings that hardly ever have it.
    pub never: &'static [&'static str],
    /// Tags that make it likelier.
    pub fits: &'static [&'static str],
    /// Servers that can have it; every one where it is empty.
    pub server: &'static [&'static str],
    /// Changes after which it comes.
    pub since: &'static [Change],
    /// It comes and goes, so one good look does not exclude it.
    pub intermittent: bool,
    /// What shows it on the wire.
    pub shows: &'static str,
    /// What excludes it.
    pub excludes: &'static str,
    /// The one question that separates it from the others.
    pub question: &'static str,
    /// How to find out.
    pub check: &'static str,
    /// Signs that prove it; those of one list hold together.
    pub confirmed_by: &'static [&'static [Sign]],
    /// Signs that exclude it.
    pub ruled_out_by: &'static [&'static [Sign]],
    /// Signs that make it likelier.
    pub hinted_by: &'static [&'static [Sign]],
    /// Signs that go with it and with much else.
    pub fits_with: &'static [&'static [Sign]],
    /// Why it can never be seen, where that is so.
    pub hidden: Option<&'static str>,
    /// Where this was read.
    pub sources: &'static [&'static str],
    /// What mends it, the best first.
    pub fixes: &'static [CauseFix],
}

/// Whom a cause stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everyone who connects to this host.
    Host,
    /// Everyone on the same way.
    Path,
    /// This client or device.
    Client,
    /// This account.
    Account,
}

/// A fix of a cause.
#[derive(Debug)]
pub struct CauseFix {
    /// Stable within the cause.
    pub id: &'static str,
    /// In a line.
    pub title: &'static str,
    /// Where it is done.
    pub r#where: Where,
    /// What else it does.
    pub effect: Effect,
    /// Servers for which it holds; all of the cause's where it is empty.
    pub server: &'static [&'static str],
    /// Step by step.
    pub steps: &'static [&'static str],
    /// What the commands are typed into.
    pub shell: &'static str,
    /// Whole lines; `{host}`, `{port}`, `{address}` and `{computer}` stand for this host's.
    pub commands: &'static [&'static str],
    /// Where it is documented.
    pub source: &'static str,
}

/// A public statement, judged.
#[derive(Debug)]
pub struct Claim {
    /// Stable id.
    pub id: &'static str,
    /// What is said.
    pub text: &'static str,
    /// Whether it holds.
    pub judgement: ClaimJudgement,
    /// Why.
    pub why: &'static str,
    /// The symptoms of which it is said, by id or family.
    pub codes: &'static [&'static str],
    /// Where this was read.
    pub sources: &'static [&'static str],
}

/// A remedy that is recommended in public.
#[derive(Debug)]
pub struct Remedy {
    /// Stable id.
    pub id: &'static str,
    /// In a line.
    pub title: &'static str,
    /// What else it does.
    pub effect: Effect,
    /// When it helps.
    pub when: &'static str,
    /// Why, and what is better.
    pub why: &'static str,
    /// The causes that it is for.
    pub causes: &'static [&'static str],
    /// Where this was read.
    pub sources: &'static [&'static str],
}

include!(concat!(env!("OUT_DIR"), "/causes.rs"));

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
