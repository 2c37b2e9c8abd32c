//! What the primary finding rests on: its JSON pointers, read out.

use rdprobe_report::{Ask, Attempt, Finding, Purpose, Report, Step, StepOutcome};

use crate::render::text::Page;

/// Groups of evidence that are written out.
const TOLD: usize = 6;

pub(super) fn write(page: &mut Page, report: &Report) {
    let Some(finding) = primary(report) else { return };
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for pointer in &finding.evidence {
        let (what, who) = read_out(report, pointer).unwrap_or_else(|| (pointer.clone(), String::new()));
        match groups.iter_mut().find(|(other, _)| *other == what) {
            Some((_, all)) => all.push(who),
            None => groups.push((what, vec![who])),
        }
    }
    if groups.is_empty() {
        return;
    }
    page.heading("Seen");
    for (what, who) in groups.iter().take(TOLD) {
        let who = who.join("; ");
        page.bullet(4, &if who.is_empty() { what.clone() } else { format!("{what}: {who}") });
    }
    if groups.len() > TOLD {
        page.paragraph(6, &format!("and {} more in the JSON", groups.len() - TOLD));
    }
}

/// The first group of it, in a line or two.
pub(super) fn brief(page: &mut Page, report: &Report) {
    let Some(pointer) = primary(report).and_then(|finding| finding.evidence.first()) else { return };
    if let Some((what, who)) = read_out(report, pointer) {
        let who = if who.is_empty() { String::new() } else { format!(" ({who})") };
        page.paragraph(2, &format!("Seen: {what}{who}"));
    }
}

/// The finding on which the verdict rests.
pub(super) fn primary(report: &Report) -> Option<&Finding> {
    report.findings.iter().find(|finding| finding.code == report.verdict.code)
}

/// What a pointer into the report leads to, and the question that saw it.
fn read_out(report: &Report, pointer: &str) -> Option<(String, String)> {
    if pointer == "/resolution" {
        let seen = report.resolution.as_ref()?;
        return Some((step(seen), report.target.host.clone()));
    }
    let rest = pointer.strip_prefix("/attempts/")?;
    let (number, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let attempt = report.attempts.get(number.parse::<usize>().ok()?)?;
    let what = match rest.strip_prefix("steps/") {
        Some(number) => step(attempt.steps.get(number.parse::<usize>().ok()?)?),
        None => "attempt".into(),
    };
    Some((what, name(attempt)))
}

/// What an attempt asked.
fn name(attempt: &Attempt) -> String {
    let mut name = match attempt.recipe.purpose {
        Purpose::Default => "the real handshake".to_owned(),
        Purpose::NlaQuestion => "the offer without NLA".into(),
        Purpose::ReferenceHello => "the client's own hello".into(),
        Purpose::HelloExperiment => "another hello".into(),
        Purpose::RdpOnly => "offer of RDP security alone".into(),
        Purpose::NoNegotiation => "request without negotiation".into(),
        Purpose::DirectTls => "TLS without RDP".into(),
        Purpose::FurtherOffer => "offer of a further protocol".into(),
        Purpose::Spnego => "CredSSP within SPNEGO".into(),
        Purpose::LegacyTls => "CredSSP over old TLS".into(),
        Purpose::Logon => "logon".into(),
        Purpose::UsualPort => "the usual port, 3389".into(),
        Purpose::Udp => "UDP".into(),
        Purpose::TlsEnumeration => "what the host speaks of TLS".into(),
        Purpose::Control => "the hello that had worked".into(),
        other => other.to_string(),
    };
    if let Ask::Tcp { hello: Some(hello), .. } = &attempt.recipe.ask {
        name.push_str(&format!(" ({hello})"));
    }
    if attempt.recipe.alone {
        name.push_str(", alone");
    }
    if attempt.recipe.beside.is_some() {
        name.push_str(", beside the silence");
    }
    name
}

/// How a step ended. Times are left out: they differ, and what is alike should read alike.
fn step(step: &Step) -> String {
    let how = match (&step.failure, step.outcome) {
        (Some(failure), _) => super::failure::kind(&failure.kind),
        (None, StepOutcome::Skipped) => "not tried",
        (None, _) => "ok",
    };
    let bytes = match (step.bytes_sent, step.bytes_received) {
        (0, 0) => String::new(),
        (_, 0) => ", not a byte received".into(),
        (_, received) => format!(", {received} bytes received"),
    };
    format!("{} {how}{bytes}", step.phase())
}
