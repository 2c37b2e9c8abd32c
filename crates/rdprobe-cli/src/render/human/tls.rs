//! What the host speaks of TLS, as tables, and which clients it lets in, as a line.

use rdprobe_report::facts::{EnumeratedVersion, Enumeration, PolicyReport};
use rdprobe_report::{ClientReport, ClientVerdict, HelloProfile, Report, Weakness};

use crate::render::style::{DIM, GREEN, RED, YELLOW};
use crate::render::text::Page;

/// Columns before a suite's weaknesses: margin, code, name.
const NAME: usize = 12;
const WEAKNESSES: usize = 60;
/// Columns before what a client gets.
const CLIENT: usize = 24;

/// As many clients are named; more are counted, and the table names them.
const FEW: usize = 3;

/// Who gets TLS, who is locked out and by what; none where nothing is known of any client.
pub(super) fn clients_line(report: &Report) -> Option<String> {
    let of = |outcome| -> Vec<&ClientReport> {
        report.clients.iter().filter(|client| client.outcome == outcome).collect()
    };
    let (in_, out, open) =
        (of(ClientVerdict::Connects), of(ClientVerdict::Fails), of(ClientVerdict::Unknown));
    if in_.is_empty() && out.is_empty() {
        return None;
    }
    let mut parts = Vec::new();
    if out.is_empty() && open.is_empty() {
        return Some(format!("Clients: all {} that are known here get TLS.", in_.len()));
    }
    match in_.len() {
        0 => {}
        1..=FEW => parts.push(format!("{} get TLS", names(&in_, &report.clients))),
        many => parts.push(format!("{many} of {} get TLS", report.clients.len())),
    }
    let mut reasons: Vec<(&str, Vec<&ClientReport>)> = Vec::new();
    for client in out {
        let reason = client.reason.as_deref().unwrap_or("no reason known");
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, clients)) => clients.push(client),
            None => reasons.push((reason, vec![client])),
        }
    }
    let locked =
        reasons.iter().map(|(reason, clients)| format!("{} ({reason})", names(clients, &report.clients)));
    let locked: Vec<String> = locked.collect();
    if !locked.is_empty() {
        parts.push(format!("locked out: {}", locked.join("; ")));
    }
    if !open.is_empty() {
        let asked = report.phases.tls.facts.enumeration.is_some();
        let how = if asked { "not known" } else { "not asked (--tls)" };
        parts.push(format!("{} {how}", open.len()));
    }
    Some(format!("Clients: {}.", parts.join("; ")))
}

/// The clients in a word or two each; a variant only where its plain form came to another end.
fn names(clients: &[&ClientReport], all: &[ClientReport]) -> String {
    let plain = |client: &ClientReport| {
        all.iter().find(|other| {
            other.id != client.id
                && client.id.strip_prefix(&other.id).is_some_and(|rest| rest.starts_with('-'))
        })
    };
    let named =
        clients.iter().filter(|client| plain(client).is_none_or(|plain| plain.outcome != client.outcome));
    let names: Vec<&str> = named.map(|client| short(client)).collect();
    names.join(", ")
}

fn short(client: &ClientReport) -> &str {
    let known = HelloProfile::client(&client.id).map(|profile| profile.short.as_str());
    known.filter(|short| !short.is_empty()).or(client.title.as_deref()).unwrap_or(&client.id)
}

/// Everything that an enumeration found.
pub(super) fn write(page: &mut Page, report: &Report) {
    let Some(found) = &report.phases.tls.facts.enumeration else { return };
    page.heading(&format!("What the host speaks of TLS ({} connections)", found.connections));
    for version in &found.versions {
        self::version(page, version);
    }
    refused(page, found);
    others(page, found);
    clients(page, &report.clients);
    if let Some(policy) = &found.policy {
        self::policy(page, policy);
    }
}

fn version(page: &mut Page, version: &EnumeratedVersion) {
    if version.accepted != Some(true) {
        return;
    }
    let order = match version.server_preference {
        Some(true) => ", in the host's order",
        Some(false) => ", in the client's order",
        None => "",
    };
    let count = version.suites.len();
    let plural = if count == 1 { "suite" } else { "suites" };
    let more = if version.complete { "" } else { " at least" };
    page.blank();
    page.line(&format!("    {}: {count} {plural}{more}{order}", version.version));
    for suite in &version.suites {
        let weak: Vec<String> = suite.weaknesses.iter().map(Weakness::to_string).collect();
        let bits = suite.dh_bits.map(|bits| format!("DH {bits}"));
        let notes: Vec<String> = bits.into_iter().chain(weak).collect();
        let name = format!("    {}  {}", suite.code, suite.iana);
        let sign = if suite.weaknesses.is_empty() { String::new() } else { page.paint(YELLOW, "!") };
        let room = WEAKNESSES.saturating_sub(name.len() + 1);
        let notes = notes.join(", ");
        if notes.is_empty() {
            page.line(&name);
        } else if room > 0 && WEAKNESSES + notes.len() <= page.screen.width {
            page.line(&format!("{name}{} {}{}", " ".repeat(room), sign_or_space(&sign), notes));
        } else {
            page.line(&name);
            page.hanging(&format!("{}{}", " ".repeat(NAME), sign_or_space(&sign)), NAME + 2, &notes);
        }
    }
}

fn sign_or_space(sign: &str) -> String {
    if sign.is_empty() { "  ".into() } else { format!("{sign} ") }
}

fn refused(page: &mut Page, found: &Enumeration) {
    let of = |accepted| -> Vec<String> {
        let versions = found.versions.iter().filter(|version| version.accepted == accepted);
        versions.map(|version| version.version.to_string()).collect()
    };
    page.blank();
    for (title, versions) in [("Refused", of(Some(false))), ("Not known", of(None))] {
        if !versions.is_empty() {
            page.hanging("    ", 6, &format!("{title}: {}", versions.join(", ")));
        }
    }
}

fn others(page: &mut Page, found: &Enumeration) {
    let mut line = |title: &str, text: String| {
        if !text.is_empty() {
            page.hanging("    ", 6, &format!("{title}: {text}"));
        }
    };
    let groups: Vec<String> = found.groups.iter().map(|group| group.name.to_string()).collect();
    line("Groups", groups.join(", "));
    let schemes: Vec<String> = found.signature_schemes.iter().map(ToString::to_string).collect();
    line("Signed with", schemes.join(", "));
    let certificates = found.certificates.iter().map(|served| {
        let key = served.key.as_ref();
        let kind = key.map(|key| {
            let size = key.bits.map(|bits| format!(" {bits}")).unwrap_or_default();
            format!("{}{size}", key.algorithm)
        });
        let digest: String = served.sha256.chars().take(16).collect();
        format!("{} sha256:{digest}", kind.unwrap_or_else(|| "unknown".into()))
    });
    line("Certificates", certificates.collect::<Vec<_>>().join("; "));
    let names = found.server_names.iter().map(|answer| {
        let name = answer.name.as_deref().map_or("without a name", |_| "under another name");
        let outcome = match answer.outcome.as_str() {
            "same" => "the same certificate",
            "another-certificate" => "another certificate",
            other => other,
        };
        format!("{name} {outcome}")
    });
    line("Names", names.collect::<Vec<_>>().join("; "));
    let has =
        |flag: Option<bool>, yes: &'static str, no: &'static str| flag.map(|set| if set { yes } else { no });
    let flags = [
        has(found.compression, "compresses (CRIME)", "no compression"),
        has(found.secure_renegotiation, "secure renegotiation", "no secure renegotiation"),
        has(found.extended_master_secret, "extended master secret", "no extended master secret"),
    ];
    line("Below TLS 1.3", flags.into_iter().flatten().collect::<Vec<_>>().join(", "));
    line("ALPN", found.alpn.clone().unwrap_or_default());
    let weak: Vec<&str> = found.weaknesses.iter().map(Weakness::words).collect();
    line("Weak, for whoever gets it", weak.join("; "));
    line("Unknown", found.unknown.join("; "));
}

fn clients(page: &mut Page, clients: &[ClientReport]) {
    if clients.is_empty() {
        return;
    }
    page.heading("Which clients get TLS");
    for client in clients {
        let sign = match client.outcome {
            ClientVerdict::Connects => page.paint(GREEN, page.sign("✔", "+")),
            ClientVerdict::Fails => page.paint(RED, page.sign("✘", "x")),
            _ => page.paint(DIM, "?"),
        };
        let version = client.version.map(|version| version.to_string());
        let suite = client.suite.map(|suite| suite.to_string());
        let gets: Vec<String> = version.into_iter().chain(suite).chain(client.reason.clone()).collect();
        let derived =
            if client.proven || client.outcome == ClientVerdict::Unknown { "" } else { " (derived)" };
        let name = page.clean(short(client));
        page.hanging(
            &format!("    {sign} {name:<width$}", width = CLIENT - 6),
            CLIENT,
            &format!("{}{derived}", gets.join(" ")),
        );
    }
}

fn policy(page: &mut Page, policy: &PolicyReport) {
    page.heading(&format!("What Mozilla's {} configuration asks for", policy.policy));
    match policy.met {
        Some(true) => page.paragraph(4, "The host keeps it."),
        None => page.paragraph(4, "What was found keeps it; not all was found out."),
        Some(false) => {}
    }
    for change in &policy.changes {
        let items =
            if change.items.is_empty() { String::new() } else { format!(": {}", change.items.join(", ")) };
        page.bullet(4, &format!("{}: {}{items}", change.rule, change.change));
    }
    page.paragraph(4, &format!("Source: {}", policy.source));
}
