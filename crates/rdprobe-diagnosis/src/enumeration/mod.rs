//! What an enumeration's exchanges come to: versions, suites, groups and certificates, and what stayed unknown.

mod ledger;
mod mozilla;
mod policy;
#[cfg(test)]
mod tests;

use rdprobe_report::facts::{
    About, EnumeratedGroup, EnumeratedSuite, EnumeratedVersion, Enumeration, EnumerationEnd, NameAnswer,
    ServedCertificate,
};
use rdprobe_report::{CipherSuite, Mac, Purpose, TlsVersion, Weakness};

use self::ledger::Ledger;
use crate::view::View;

/// `extended_master_secret` and `renegotiation_info` (RFC 7627 5.1, RFC 5746 3.2).
const EXTENDED_MASTER_SECRET: u16 = 23;
const RENEGOTIATION_INFO: u16 = 0xFF01;
/// A finite-field group of fewer bits is small (RFC 9325 4.1).
pub(crate) const LEAST_DH_BITS: u32 = 2048;

/// From the newest down.
const VERSIONS: [TlsVersion; 5] =
    [TlsVersion::TLS_1_3, TlsVersion::TLS_1_2, TlsVersion::TLS_1_1, TlsVersion::TLS_1_0, TlsVersion::SSL_3_0];

/// What the address's enumeration found; none where there was none.
pub(crate) fn enumeration(view: View<'_>) -> Option<Enumeration> {
    let ledger = Ledger::of(view)?;
    let versions: Vec<EnumeratedVersion> =
        VERSIONS.iter().map(|version| of_version(&ledger, *version)).collect();
    let mut found = Enumeration {
        ended: ledger.seen.ended,
        connections: u32::try_from(ledger.seen.exchanges.len()).unwrap_or(u32::MAX),
        groups: groups(&ledger),
        signature_schemes: signature_schemes(&ledger),
        certificates: certificates(&ledger),
        server_names: server_names(&ledger, view.seen.server_name()),
        alpn: ledger.hellos().find_map(|(_, hello)| hello.alpn.clone()),
        weaknesses: weaknesses(&versions),
        unknown: unknown(ledger.seen.ended, &versions),
        versions,
        ..Enumeration::default()
    };
    below_13(&ledger, &mut found);
    found.policy = view.seen.options.tls_policy.and_then(|policy| policy::judge(policy, &found, view));
    Some(found)
}

/// Connections and suites so far, while an enumeration is in flight.
pub(crate) fn progress(view: View<'_>) -> Option<(usize, usize)> {
    view.attempts()
        .find(|attempt| attempt.recipe.purpose == Purpose::TlsEnumeration && attempt.in_flight())?;
    let ledger = Ledger::of(view)?;
    let suites = VERSIONS.iter().map(|version| ledger.accepted(*version).len()).sum();
    Some((ledger.seen.exchanges.len(), suites))
}

/// The versions that the address's enumeration saw accepted.
pub(crate) fn accepted(view: View<'_>) -> Vec<TlsVersion> {
    let ledger = Ledger::of(view);
    ledger
        .into_iter()
        .flat_map(|ledger| ledger.chosen().map(|(version, ..)| version).collect::<Vec<_>>())
        .collect()
}

/// Whether this exchange of the address's enumeration proves that its hello is refused.
pub(crate) fn is_refused(view: View<'_>, place: usize) -> bool {
    Ledger::of(view).is_some_and(|ledger| ledger.is_refused(place))
}

/// How an enumeration ended that could not find out all; none where it could.
pub(crate) fn cut_off(view: View<'_>) -> Option<EnumerationEnd> {
    Ledger::of(view)?.seen.ended.filter(|end| *end != EnumerationEnd::Complete)
}

fn of_version(ledger: &Ledger<'_>, version: TlsVersion) -> EnumeratedVersion {
    let suites = ledger.accepted(version);
    let fitting: Vec<CipherSuite> = CipherSuite::registered().filter(|suite| suite.fits(version)).collect();
    let refused: Vec<&[CipherSuite]> =
        ledger.refused_suites().filter(|(asked, _)| *asked == version).map(|(_, suites)| suites).collect();
    let settled =
        |suite: &CipherSuite| suites.contains(suite) || refused.iter().any(|part| part.contains(suite));
    let accepted = if !suites.is_empty() {
        Some(true)
    } else if is_version_refused(ledger, version, &fitting) {
        Some(false)
    } else {
        None
    };
    let complete = accepted == Some(false) || (accepted == Some(true) && fitting.iter().all(settled));
    let mut suites: Vec<EnumeratedSuite> =
        suites.into_iter().map(|suite| of_suite(ledger, version, suite)).collect();
    let is_aead = |suite: &EnumeratedSuite| suite.iana.mac() == Some(Mac::Aead);
    suites.sort_by_key(|suite| (suite.weaknesses.len(), !suite.forward_secrecy, !is_aead(suite), suite.iana));
    EnumeratedVersion {
        version,
        accepted,
        complete,
        server_preference: server_preference(ledger, version),
        suites,
    }
}

/// Whether a hello was refused that offered the version with every suite, or one that offered it got a lower version: a
/// server chooses the best that it has (RFC 5246 E.1).
fn is_version_refused(ledger: &Ledger<'_>, version: TlsVersion, fitting: &[CipherSuite]) -> bool {
    let below_13 = |other: TlsVersion| other < TlsVersion::TLS_1_3 && version < TlsVersion::TLS_1_3;
    let offers = |other: TlsVersion| other == version || (below_13(other) && other > version);
    let refused = ledger
        .refused_suites()
        .any(|(asked, part)| offers(asked) && fitting.iter().all(|suite| part.contains(suite)));
    let got_less = ledger.hellos().any(|(exchange, hello)| {
        exchange.asked.version.is_some_and(|asked| below_13(asked) && asked >= version)
            && hello.version < version
    });
    refused || got_less
}

fn of_suite(ledger: &Ledger<'_>, version: TlsVersion, suite: CipherSuite) -> EnumeratedSuite {
    let sizes = ledger.hellos().filter(|(_, hello)| (hello.version, hello.suite) == (version, suite));
    let dh_bits = sizes.filter_map(|(_, hello)| hello.dh_bits).min();
    let mut weaknesses = suite.weaknesses(version);
    if dh_bits.is_some_and(|bits| bits < LEAST_DH_BITS) {
        weaknesses.push(Weakness::SmallDh);
    }
    EnumeratedSuite {
        code: suite.code(),
        iana: suite,
        openssl: suite.openssl().map(Into::into),
        forward_secrecy: suite.has_forward_secrecy(),
        dh_bits,
        weaknesses,
    }
}

/// A choice that passes over an earlier suite of the client's is the host's own; the first of two in either order is the
/// client's.
fn server_preference(ledger: &Ledger<'_>, version: TlsVersion) -> Option<bool> {
    let accepted = ledger.accepted(version);
    let mut reversed = false;
    for (exchange, hello) in ledger.hellos().filter(|(_, hello)| hello.version == version) {
        if ![About::Suites, About::ServerName, About::Preference].contains(&exchange.asked.about) {
            continue;
        }
        let first = exchange.asked.suites.0.iter().find(|suite| accepted.contains(suite));
        if first != Some(&hello.suite) {
            return Some(true);
        }
        reversed |= exchange.asked.about == About::Preference;
    }
    reversed.then_some(false)
}

fn groups(ledger: &Ledger<'_>) -> Vec<EnumeratedGroup> {
    let mut groups: Vec<EnumeratedGroup> = Vec::new();
    for (version, _, group) in ledger.chosen() {
        let Some(name) = group else { continue };
        let known = groups.iter_mut().find(|known| known.name == name);
        match known {
            Some(known) if known.versions.contains(&version) => {}
            Some(known) => known.versions.push(version),
            None => groups.push(EnumeratedGroup { name, code: name.code(), versions: vec![version] }),
        }
    }
    for group in &mut groups {
        group.versions.sort_by(|a, b| b.cmp(a));
    }
    groups.sort_by_key(|group| group.name.0);
    groups
}

fn signature_schemes(ledger: &Ledger<'_>) -> Vec<rdprobe_report::SignatureScheme> {
    let mut schemes: Vec<_> = ledger.hellos().filter_map(|(_, hello)| hello.signature_scheme).collect();
    schemes.sort_unstable();
    schemes.dedup();
    schemes
}

fn certificates(ledger: &Ledger<'_>) -> Vec<ServedCertificate> {
    let served = ledger.seen.certificates.iter().filter_map(|facts| {
        let sha256 = facts.sha256.clone()?;
        let with = ledger.hellos().filter(|(_, hello)| hello.certificate.as_ref() == Some(&sha256));
        let mut suites: Vec<CipherSuite> = with.map(|(_, hello)| hello.suite).collect();
        suites.sort_unstable();
        suites.dedup();
        Some(ServedCertificate { sha256, subject: facts.subject.clone(), key: facts.key.clone(), suites })
    });
    served.collect()
}

fn server_names(ledger: &Ledger<'_>, own: &str) -> Vec<NameAnswer> {
    let mut answers: Vec<NameAnswer> = Vec::new();
    for (place, exchange) in
        ledger.exchanges().filter(|(_, exchange)| exchange.asked.about == About::ServerName)
    {
        let name = exchange.asked.server_name.clone();
        if name.as_deref() == Some(own) {
            continue;
        }
        let answer = match ledger.hellos().find(|(other, _)| std::ptr::eq(*other, exchange)) {
            Some((_, hello)) => {
                let kind = hello.suite.authentication();
                let with_own_name = |certificate: &String| {
                    ledger.hellos().any(|(other, known)| {
                        other.asked.about != About::ServerName
                            && known.suite.authentication() == kind
                            && known.certificate.as_ref() == Some(certificate)
                    })
                };
                let Some(certificate) = hello.certificate.clone() else { continue };
                let outcome = if with_own_name(&certificate) { "same" } else { "another-certificate" };
                NameAnswer { name, outcome: outcome.into(), certificate: Some(certificate) }
            }
            // Refused with a suite that is accepted under the host's own name: then it is the name.
            None if ledger.is_refused(place) => {
                let version = exchange.asked.version.unwrap_or(TlsVersion::TLS_1_2);
                let accepted = ledger.accepted(version);
                if !exchange.asked.suites.0.iter().any(|suite| accepted.contains(suite)) {
                    continue;
                }
                NameAnswer { name, outcome: "refused".into(), certificate: None }
            }
            None => continue,
        };
        match answers.iter_mut().find(|known| known.name == answer.name) {
            Some(known) => *known = answer,
            None => answers.push(answer),
        }
    }
    answers
}

/// What ServerHellos say in clear below TLS 1.3.
fn below_13(ledger: &Ledger<'_>, found: &mut Enumeration) {
    let hellos =
        || ledger.hellos().map(|(_, hello)| hello).filter(|hello| hello.version < TlsVersion::TLS_1_3);
    // SSL 3.0 was asked without extensions.
    let extended = || hellos().filter(|hello| hello.version > TlsVersion::SSL_3_0);
    if hellos().next().is_some() {
        found.compression = Some(hellos().any(|hello| hello.compression != 0));
    }
    let own = ledger.hellos().any(|(exchange, hello)| {
        exchange.asked.client.is_none() && (TlsVersion::TLS_1_0..TlsVersion::TLS_1_3).contains(&hello.version)
    });
    if own {
        let has = |extension| Some(extended().any(|hello| hello.extensions.contains(&extension)));
        found.secure_renegotiation = has(RENEGOTIATION_INFO);
        found.extended_master_secret = has(EXTENDED_MASTER_SECRET);
    }
}

/// The worst first, each once.
fn weaknesses(versions: &[EnumeratedVersion]) -> Vec<Weakness> {
    let mut all: Vec<Weakness> = versions
        .iter()
        .flat_map(|version| &version.suites)
        .flat_map(|suite| suite.weaknesses.clone())
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn unknown(ended: Option<EnumerationEnd>, versions: &[EnumeratedVersion]) -> Vec<String> {
    let why = match ended {
        Some(EnumerationEnd::Complete) => "no clear answer came",
        Some(EnumerationEnd::TurnedAway) => "the host took no more of our connections",
        Some(EnumerationEnd::Budget) => "all connections that were allowed had been made",
        Some(EnumerationEnd::Deadline) => "the time was up",
        Some(EnumerationEnd::Stopped) => "it was stopped",
        Some(EnumerationEnd::Local) => "our own side could make no connection",
        _ => "it was ended",
    };
    let mut lines = Vec::new();
    for version in versions {
        let name = version.version;
        match version.accepted {
            None => lines.push(format!("whether {name} is spoken: {why}")),
            Some(true) if !version.complete => lines.push(format!("further suites of {name}: {why}")),
            Some(_) => {}
        }
    }
    if ended != Some(EnumerationEnd::Complete) {
        lines.push(format!("further groups: {why}"));
    }
    lines
}
