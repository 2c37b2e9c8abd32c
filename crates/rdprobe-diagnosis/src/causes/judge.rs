//! One judgement per cause, from its signs in the data. Pure.

use rdprobe_report::{CauseStatus, Phase, PhaseOutcome, Stage};

use super::{Cause, Scope, Seen, Sign};

/// What the observations make of a cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The status.
    pub status: CauseStatus,
    /// JSON pointers into the report.
    pub evidence: Vec<String>,
    /// Why.
    pub reason: String,
    /// How much of what was seen speaks for it, without proving it.
    pub hint: Hint,
}

/// How much speaks for a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// Nothing.
    None,
    /// What goes with much else too.
    Weak,
    /// What it would show.
    Strong,
}

/// What of the user's account bears on what the host shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked {
    /// How far the user gets, where that was told.
    pub stage: Option<Stage>,
    /// The client goes through a gateway.
    pub through_gateway: bool,
}

/// Judges a cause.
pub fn judge(cause: &Cause, seen: Seen<'_>, asked: Asked) -> Judgement {
    if let Some(judgement) = other_way(cause, seen, asked) {
        return judgement;
    }
    if let Some((evidence, says)) = first(cause.judge.confirmed_by, seen) {
        return is(CauseStatus::Confirmed, evidence, format!("Seen: {says}"));
    }
    if let Some((evidence, says)) = first(cause.judge.ruled_out_by, seen) {
        return is(CauseStatus::RuledOut, evidence, sentence(&says));
    }
    if let Some(judgement) = other_system(cause, seen) {
        return judgement;
    }
    let hint = first(cause.judge.hinted_by, seen)
        .map(|hint| (hint, Hint::Strong))
        .or_else(|| first(cause.judge.fits_with, seen).map(|hint| (hint, Hint::Weak)));
    if !matches!(hint, Some((_, Hint::Strong)))
        && let Some(judgement) = by_phase(cause, seen, asked.stage)
    {
        return judgement;
    }
    if let Some(((evidence, says), hint)) = hint {
        return Judgement { hint, ..is(CauseStatus::Possible, evidence, sentence(&says)) };
    }
    match cause.judge.hidden {
        Some(why) => is(CauseStatus::NotObservable, Vec::new(), sentence(why)),
        None => is(CauseStatus::Possible, Vec::new(), "Nothing that was seen speaks against it.".into()),
    }
}

/// The first list of which every sign holds.
fn first(lists: &[&[Sign]], seen: Seen<'_>) -> Option<(Vec<String>, String)> {
    lists.iter().find_map(|list| {
        let mut evidence = Vec::new();
        let mut says = Vec::new();
        for sign in *list {
            evidence.extend(sign.seen(seen)?);
            says.push(sign.says(seen));
        }
        evidence.dedup();
        Some((evidence, says.join(", and ")))
    })
}

/// Through a gateway nobody goes the way that was probed: where that ends, it says nothing of the host behind. What
/// answers on the gateway's own port says something of the gateway alone.
fn other_way(cause: &Cause, seen: Seen<'_>, asked: Asked) -> Option<Judgement> {
    let ends = seen.outcome(Phase::X224) != PhaseOutcome::Ok;
    let gateway_itself = seen.is_gateway_port();
    if !asked.through_gateway || !ends || gateway_itself && cause.layer == "gateway" {
        return None;
    }
    let reason = match gateway_itself {
        true => "What was probed is the gateway; the host behind it was not seen.",
        false => "The client goes through a gateway, and the direct way that was probed is not its way.",
    };
    Some(is(CauseStatus::NotObservable, Vec::new(), reason.into()))
}

/// The host is another server than those that can have this.
fn other_system(cause: &Cause, seen: Seen<'_>) -> Option<Judgement> {
    let servers = seen.servers()?;
    if cause.server.is_empty() || cause.server.iter().any(|server| servers.contains(server)) {
        return None;
    }
    let reason =
        format!("It is a matter of {}, and the host answers like another server.", cause.server.join(" or "));
    Some(is(CauseStatus::RuledOut, vec!["/phases/x224/implementation".into()], reason))
}

/// What the phases say: one that works excludes what would stop it for everybody; where every client is stopped
/// earlier, what comes later cannot be what stops this one.
fn by_phase(cause: &Cause, seen: Seen<'_>, stage: Option<Stage>) -> Option<Judgement> {
    let phase = cause.phase?;
    let for_everybody = matches!(cause.scope, Scope::Host | Scope::Path);
    if for_everybody && !cause.intermittent && phase <= Phase::Credssp && seen.ok(phase) {
        let whose = if cause.scope == Scope::Path { ", from where this probe ran" } else { "" };
        let reason = format!("The {} phase works here{whose}.", phase);
        return Some(is(CauseStatus::RuledOut, vec![seen.pointer(phase)], reason));
    }
    // Transports over UDP, licensing and pictures begin after the logon: they end no handshake ([MS-RDPBCGR] 1.3.1.1).
    let later = phase >= Phase::Licensing && !cause.stages.contains(&Stage::BeforePassword);
    if later && stage == Some(Stage::BeforePassword) && ["network", "licence"].contains(&cause.layer) {
        let reason = "It begins only after the logon, and this fails before it.".into();
        return Some(is(CauseStatus::RuledOut, vec![seen.pointer(phase)], reason));
    }
    let ends_at = seen.ends_at()?;
    if phase < ends_at && cause.scope == Scope::Client && seen.ok(phase) {
        let reason = format!("The host itself stops every client, at {}.", ends_at);
        return Some(is(CauseStatus::RuledOut, vec![seen.pointer(ends_at)], reason));
    }
    let told_later = stage.is_some_and(|stage| stage > latest(ends_at));
    if phase > ends_at && !told_later {
        let reason = format!("Every client is stopped earlier, at {}.", ends_at);
        return Some(is(CauseStatus::RuledOut, vec![seen.pointer(ends_at)], reason));
    }
    None
}

/// The latest stage at which the end of a phase can show.
fn latest(phase: Phase) -> Stage {
    if phase < Phase::Credssp { Stage::BeforePassword } else { Stage::AfterPassword }
}

fn is(status: CauseStatus, evidence: Vec<String>, reason: String) -> Judgement {
    Judgement { status, evidence, reason, hint: Hint::None }
}

/// With a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let mut sentence = String::with_capacity(text.len() + 1);
    sentence.extend(letters.next().into_iter().flat_map(char::to_uppercase));
    sentence.push_str(letters.as_str());
    if !sentence.ends_with(['.', '?', '!']) {
        sentence.push('.');
    }
    sentence
}
