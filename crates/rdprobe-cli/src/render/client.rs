//! A client explained: what it offers and demands, what its options are called, and whose code it runs.

use rdprobe_diagnosis::knowledge::{CertificateDemand, Client, ClientSource, NlaUse};
use rdprobe_diagnosis::symptom::client;
use rdprobe_report::{HelloProfile, Kinship, Report};
use serde::Serialize;

use super::json;
use super::style::{BOLD, DIM};
use super::text::Page;
use crate::args::Format;
use crate::output::Screen;

/// Lines of the short answer.
const SHORT: usize = 15;
/// Columns of a line that is told of a host.
const LINE: usize = 78;

pub(crate) fn render(words: &str, client: &Client, full: bool, format: Format, screen: Screen) -> String {
    match format {
        Format::Json => json::pretty(&Explained::of(words, client)),
        Format::Ndjson => json::line(&Explained::of(words, client)),
        _ if full => page(words, client, usize::MAX, true, screen),
        _ => short(words, client, screen),
    }
}

/// As many facts as fit.
fn short(words: &str, client: &Client, screen: Screen) -> String {
    let mut text = String::new();
    for facts in (1..=facts(client).len().max(1)).rev() {
        text = page(words, client, facts, false, screen);
        if text.lines().count() <= SHORT {
            break;
        }
    }
    text
}

fn page(words: &str, client: &Client, most: usize, full: bool, screen: Screen) -> String {
    let mut page = Page::new(screen);
    let versions = client.versions.filter(|_| full).map(|versions| format!("; {versions}"));
    let about = format!("client{}{}", of(client.platforms), versions.unwrap_or_default());
    let about = page.paint(DIM, &about);
    page.hanging("", 2, &format!("{} ({about})", page.paint(BOLD, client.title)));
    if !known(words, client) {
        page.paragraph(2, &format!("{words:?} is not known by itself; this is its nearest relative."));
    }
    for (name, text) in facts(client).into_iter().take(most) {
        let name = page.paint(BOLD, &format!("{name}: "));
        page.hanging(&format!("  {name}"), 4, &text);
    }
    if !full {
        page.line(&format!("More: rdprobe explain --full {}", client.id));
        return page.finish();
    }
    if !client.notes.is_empty() {
        page.heading("What else decides");
        for note in client.notes {
            page.bullet(4, note);
        }
    }
    page.heading("Sources");
    for source in client.sources {
        page.bullet(4, &format!("{} ({})", source.source, source.fields.join(", ")));
    }
    page.finish()
}

fn of(platforms: &[&str]) -> String {
    if platforms.is_empty() { String::new() } else { format!(", {}", platforms.join(", ")) }
}

fn known(words: &str, client: &Client) -> bool {
    client::named_alone(words).is_some_and(|named| named.id == client.id)
}

/// Names and texts of what is known, what decides most first.
pub(crate) fn facts(client: &Client) -> Vec<(&'static str, String)> {
    let embeds: Vec<&str> =
        client.embeds.iter().filter_map(|id| client::with_id(id)).map(|other| other.title).collect();
    let embedded_by: Vec<&str> = client.embedded_by().map(|other| other.title).collect();
    let judged = client.profile().and_then(HelloProfile::client).map(|profile| match client.kinship() {
        Kinship::Embedded => format!("{}, which it embeds", name(profile)),
        Kinship::Nearest => format!("{}, its nearest relative", name(profile)),
        _ => name(profile).to_owned(),
    });
    let either = |said: Option<&str>, option: Option<&str>| match (said, option) {
        (Some(said), Some(option)) => Some(format!("{said} ({option})")),
        (Some(text), None) | (None, Some(text)) => Some(text.to_owned()),
        (None, None) => None,
    };
    let level = client.seclevel.map(|level| level.to_string());
    let facts = [
        ("Embeds", (!embeds.is_empty()).then(|| embeds.join(" or "))),
        ("TLS", tls(client)),
        ("Security level", either(level.as_deref(), client.seclevel_option)),
        ("NLA", either(client.nla.map(nla), client.nla_option)),
        ("Certificate", either(client.certificate.map(certificate), client.certificate_option)),
        ("Security layer", client.security_option.map(Into::into)),
        ("Port", client.port_option.map(Into::into)),
        ("FIPS", client.fips.map(Into::into)),
        ("Offers", client.offers.map(Into::into)),
        ("Embedded by", (!embedded_by.is_empty()).then(|| embedded_by.join(", "))),
        ("Judged as", judged),
    ];
    facts.into_iter().filter_map(|(name, text)| Some((name, text?))).collect()
}

fn tls(client: &Client) -> Option<String> {
    let version = |version: &str| match version {
        "library" => "the highest of its TLS library".to_owned(),
        number => number.to_owned(),
    };
    let range = match (client.tls_min, client.tls_max) {
        (Some(min), Some(max)) if min == max => Some(min.to_owned()),
        (Some(min), Some(max)) => Some(format!("{min} to {}", version(max))),
        (Some(min), None) => Some(format!("{min} and later")),
        (None, Some(max)) => Some(format!("up to {}", version(max))),
        (None, None) => None,
    };
    match (range, client.tls_library) {
        (Some(range), Some(library)) => Some(format!("{range} ({library})")),
        (range, library) => range.or_else(|| library.map(Into::into)),
    }
}

fn nla(nla: NlaUse) -> &'static str {
    match nla {
        NlaUse::Always => "always",
        NlaUse::DefaultOn => "on by default",
        NlaUse::DefaultOff => "off by default",
        NlaUse::Never => "none",
    }
}

fn certificate(demand: CertificateDemand) -> &'static str {
    match demand {
        CertificateDemand::Refuses => "refuses one that is not trusted",
        CertificateDemand::Asks => "asks about one that is not trusted",
        CertificateDemand::Ignores => "takes any",
        CertificateDemand::FirstUse => "takes the first it sees, minds a change",
    }
}

/// A profile in few words.
fn name(profile: &HelloProfile) -> &str {
    // Of mstsc the short name is that of Windows.
    match profile.title.starts_with("mstsc") {
        true => profile.title.split(',').next().unwrap_or_default(),
        false => &profile.short,
    }
}

/// Who stands for the client that the user named, in one line; none where it is judged as itself.
pub(crate) fn judged_as(report: &Report) -> Option<String> {
    let judged = report.judged_as.as_ref()?;
    let profile = HelloProfile::client(&judged.profile).map_or(judged.profile.as_str(), name);
    let how = match judged.kinship {
        Kinship::Itself => return None,
        Kinship::Embedded => "which it embeds",
        _ => "its nearest relative",
    };
    if judged.known {
        return Some(format!("{} is judged as {profile}, {how}", judged.title));
    }
    let words = report.options.told.client.as_deref().unwrap_or_default().trim();
    let rest = format!(" is unknown, judged as its relative {profile}");
    let room = LINE.saturating_sub(rest.chars().count() + 2);
    let words: String = match words.chars().count() > room {
        true => words.chars().take(room.saturating_sub(3)).chain("...".chars()).collect(),
        false => words.into(),
    };
    Some(format!("\"{words}\"{rest}"))
}

/// What JSON says of a client; what is unknown is absent.
#[derive(Serialize)]
struct Explained<'a> {
    input: &'a str,
    known: bool,
    client: Known,
}

#[derive(Serialize)]
struct Known {
    id: &'static str,
    title: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    versions: Option<&'static str>,
    platforms: &'static [&'static str],
    embeds: &'static [&'static str],
    embedded_by: Vec<&'static str>,
    /// The profile that stands for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    judged_as: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_min: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_max: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tls_library: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seclevel: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seclevel_option: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nla: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nla_option: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offers: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    security_option: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_option: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port_option: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fips: Option<&'static str>,
    notes: &'static [&'static str],
    sources: Vec<Source>,
}

#[derive(Serialize)]
struct Source {
    source: &'static str,
    fields: &'static [&'static str],
}

impl<'a> Explained<'a> {
    fn of(input: &'a str, client: &Client) -> Self {
        let sources = client.sources.iter().map(|&ClientSource { source, fields }| Source { source, fields });
        Self {
            input,
            known: known(input, client),
            client: Known {
                id: client.id,
                title: client.title,
                versions: client.versions,
                platforms: client.platforms,
                embeds: client.embeds,
                embedded_by: client.embedded_by().map(|other| other.id).collect(),
                judged_as: client.profile(),
                tls_min: client.tls_min,
                tls_max: client.tls_max,
                tls_library: client.tls_library,
                seclevel: client.seclevel,
                seclevel_option: client.seclevel_option,
                nla: client.nla.map(nla),
                nla_option: client.nla_option,
                offers: client.offers,
                security_option: client.security_option,
                certificate: client.certificate.map(certificate),
                certificate_option: client.certificate_option,
                port_option: client.port_option,
                fips: client.fips,
                notes: client.notes,
                sources: sources.collect(),
            },
        }
    }
}
