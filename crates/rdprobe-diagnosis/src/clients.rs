//! Which clients the host lets in, as far as TLS decides it: by their own hello where it was sent, else by what follows
//! from hellos that were answered.

use rdprobe_report::facts::{Answer, Exchange, PublicKey, ServerHello, TlsFacts};
use rdprobe_report::{
    Attempt, CipherSuite, ClientReport, ClientVerdict, Facts, HelloProfile, LocalFault, Phase, Purpose,
    TlsVersion,
};

use crate::rules::certificate;
use crate::rules::tls::outcome::{self, offers, tells};
use crate::view::{View, answered, certificate as certificate_of, tls, tls_facts};

/// The client on the library of our own real handshake, which offers some suites more.
const SAME_LIBRARY: &str = "ironrdp";

/// Every client of the registry; none where no hello was answered, since nothing follows then.
pub(crate) fn clients(view: View<'_>) -> Vec<ClientReport> {
    let hellos: Vec<Chosen<'_>> = chosen(view);
    if hellos.is_empty() {
        return Vec::new();
    }
    HelloProfile::clients().map(|client| report(view, client, &hellos)).collect()
}

/// Clients whose own hello has shown already what they get.
pub(crate) fn is_proven(view: View<'_>, client: &HelloProfile) -> bool {
    own(view, client).is_some_and(|judged| judged.outcome != ClientVerdict::Unknown)
}

/// What became of one client.
struct Judged {
    outcome: ClientVerdict,
    version: Option<TlsVersion>,
    suite: Option<CipherSuite>,
    reason: Option<String>,
}

impl Judged {
    fn connects(version: Option<TlsVersion>, suite: Option<CipherSuite>) -> Self {
        Self { outcome: ClientVerdict::Connects, version, suite, reason: None }
    }

    fn fails(reason: impl Into<String>) -> Self {
        Self { outcome: ClientVerdict::Fails, version: None, suite: None, reason: Some(reason.into()) }
    }

    /// No answer tells: neither to its own hello, which was sent only where `asked`, nor to another one.
    fn unknown(asked: bool) -> Self {
        let reason = asked.then(|| "neither its own hello nor another got an answer that tells".into());
        Self { outcome: ClientVerdict::Unknown, version: None, suite: None, reason }
    }
}

fn report(view: View<'_>, client: &HelloProfile, hellos: &[Chosen<'_>]) -> ClientReport {
    let asked = exchanges(view).is_some();
    let own = own(view, client);
    let proven = own.as_ref().is_some_and(|judged| judged.outcome != ClientVerdict::Unknown);
    let judged = match own {
        Some(judged) if proven => judged,
        other => derived(view, client, hellos).or(other).unwrap_or_else(|| Judged::unknown(asked)),
    };
    ClientReport {
        id: client.id.clone(),
        title: asked.then(|| client.title.clone()),
        outcome: judged.outcome,
        version: judged.version,
        suite: judged.suite,
        reason: judged.reason,
        source: asked.then(|| client.source.clone()),
        proven,
    }
}

/// What its own hello came to; none where it was not sent.
fn own(view: View<'_>, client: &HelloProfile) -> Option<Judged> {
    enumerated(view, client).or_else(|| attempted(view, client)).or_else(|| library(view, client))
}

/// Its hello in an enumeration, or that of a client that sends the same.
fn enumerated(view: View<'_>, client: &HelloProfile) -> Option<Judged> {
    let exchanges = exchanges(view)?;
    let asks = |exchange: &&Exchange| {
        let id = exchange.asked.client.as_deref();
        id.is_some_and(|id| id == client.id)
            || id.and_then(HelloProfile::client).is_some_and(|other| other.sends_like(client))
    };
    let mut last = None;
    for (place, exchange) in exchanges.iter().enumerate().filter(|(_, exchange)| asks(exchange)) {
        last = match &exchange.answer {
            Answer::ServerHello(hello) => return Some(by_hello(view, client, hello)),
            answer if crate::enumeration::is_refused(view, place) => {
                Some(Judged::fails(if speaks_none_of(view, client) {
                    no_version(answer)
                } else if shares_all_but_signatures(view, client) {
                    format!(
                        "versions, suites and groups are in common, and its signature algorithms or another extension \
                         are refused: {}",
                        refusal(answer)
                    )
                } else {
                    refusal(answer)
                }))
            }
            _ => last,
        };
    }
    last
}

/// Its hello in an attempt of its own.
fn attempted(view: View<'_>, client: &HelloProfile) -> Option<Judged> {
    if client.id == view.seen.options.client
        && let Some(refusal) = outcome::refusal(view)
    {
        return Some(Judged::fails(refusal.in_words()));
    }
    let sent =
        |attempt: &&Attempt| attempt.recipe.hello() == Some(client.id.as_str()) && tells(view, attempt);
    let attempts: Vec<&Attempt> =
        view.attempts().filter(|attempt| !attempt.in_flight()).filter(sent).collect();
    let attempt = attempts.iter().find(|attempt| answered(attempt))?;
    let facts = outcome::facts(attempt);
    Some(match outcome::within(client, attempt) {
        true => Judged::connects(facts.version, facts.suite),
        false => Judged::fails(outside(facts.version, facts.suite)),
    })
}

/// The real handshake, for the client on the same library. A choice that only we offer says nothing of what the host
/// would choose for it.
fn library(view: View<'_>, client: &HelloProfile) -> Option<Judged> {
    let attempt = view.settled(Purpose::Default).filter(|_| client.id == SAME_LIBRARY)?;
    let step = tls(attempt)?;
    let facts = tls_facts(step);
    if step.is_ok() {
        let connects = || Judged::connects(facts.version, facts.suite);
        return outcome::offers(client, facts).then(connects);
    }
    let failure = step.failure.as_ref()?;
    match failure.local_fault() {
        Some(LocalFault::Library) => {
            Some(Judged::fails(format!("its library gives up: {}", plain(&failure.detail))))
        }
        Some(_) => None,
        None if tells(view, attempt) => Some(Judged::fails(plain(&failure.detail))),
        None => None,
    }
}

fn plain(detail: &str) -> String {
    detail.trim_end_matches('.').to_owned()
}

/// What a ServerHello to its own hello means.
fn by_hello(view: View<'_>, client: &HelloProfile, hello: &ServerHello) -> Judged {
    let facts = facts_of(hello);
    if !offers(client, &facts) {
        return Judged::fails(match client.limits.admit(hello.version, hello.suite) {
            true => outside(facts.version, facts.suite),
            false => format!("it refuses the signature of {} with {}", hello.version, hello.suite),
        });
    }
    match key_of(view, hello)
        .and_then(|key| bad_key(client, hello.version, key))
        .or_else(|| bad_group(client, hello))
    {
        Some(reason) => Judged::fails(reason),
        None => Judged::connects(facts.version, facts.suite),
    }
}

fn facts_of(hello: &ServerHello) -> TlsFacts {
    TlsFacts {
        version: Some(hello.version),
        suite: Some(hello.suite),
        group: hello.group,
        signature_scheme: hello.signature_scheme,
        ..TlsFacts::default()
    }
}

/// The key behind a ServerHello: that of the certificate that came with it, or in TLS 1.3, which hides it, of the one
/// that the real handshake was shown.
fn key_of<'a>(view: View<'a>, hello: &ServerHello) -> Option<&'a PublicKey> {
    if hello.version >= TlsVersion::TLS_1_3 {
        return certificate_of(certificate::seen_by(view)?)?.key.as_ref();
    }
    let sha256 = hello.certificate.as_ref()?;
    let Facts::Tls(facts) = &enumeration_step(view)?.facts else { return None };
    let certificates = &facts.exchanges.as_ref()?.certificates;
    certificates.iter().find(|facts| facts.sha256.as_ref() == Some(sha256))?.key.as_ref()
}

/// Why the client refuses the key, if it does.
fn bad_key(client: &HelloProfile, version: TlsVersion, key: &PublicKey) -> Option<String> {
    let limits = client.limits;
    let curve = key.curve.as_deref().and_then(|curve| curve.parse().ok());
    let offered = version >= TlsVersion::TLS_1_3
        || curve.is_none_or(|curve| client.groups.is_empty() || client.groups.contains(&curve));
    if !offered {
        return Some(format!("it does not offer the curve of the host's key, {}", key.curve.as_deref()?));
    }
    let least = if key.algorithm == "RSA" { limits.rsa_bits } else { limits.ec_bits };
    match (key.bits, least) {
        (Some(bits), Some(least)) if bits < least => {
            Some(format!("it refuses keys of less than {least} bits, and the host's has {bits}"))
        }
        _ => None,
    }
}

fn bad_group(client: &HelloProfile, hello: &ServerHello) -> Option<String> {
    let (bits, least) = (hello.dh_bits?, client.limits.dh_bits?);
    (bits < least).then(|| {
        format!("it refuses Diffie-Hellman groups of less than {least} bits, and the host's has {bits}")
    })
}

fn outside(version: Option<TlsVersion>, suite: Option<CipherSuite>) -> String {
    let version = version.map(|version| version.to_string()).unwrap_or_default();
    let suite = suite.map(|suite| suite.to_string()).unwrap_or_default();
    format!("the host chooses {version} with {suite}, and not from what it offers")
}

fn refusal(answer: &Answer) -> String {
    match answer {
        Answer::Alert { alert } if alert.code == 70 => "no TLS version in common (alert 70)".into(),
        Answer::Alert { alert } if [40, 71].contains(&alert.code) => {
            format!("nothing in common (alert {}, {})", alert.code, alert.name)
        }
        Answer::Alert { alert } => format!("alert {} ({})", alert.code, alert.name),
        Answer::Reset => "the host resets the connection on its hello".into(),
        Answer::Closed => "the host closes the connection on its hello".into(),
        Answer::Silence { .. } => "the host says nothing to its hello".into(),
        Answer::Malformed { detail } => plain(detail),
        Answer::ServerHello(hello) => outside(Some(hello.version), Some(hello.suite)),
        _ => "its hello did not reach the host".into(),
    }
}

/// What the host chose for a hello, and what that hello had offered.
struct Chosen<'a> {
    facts: TlsFacts,
    offered: Vec<TlsVersion>,
    curve_fits: &'a str,
}

fn chosen(view: View<'_>) -> Vec<Chosen<'_>> {
    let mut all: Vec<Chosen<'_>> = view
        .attempts()
        .filter(|attempt| answered(attempt))
        .filter_map(|attempt| {
            let hello = attempt.recipe.hello()?;
            let profile = HelloProfile::named(hello, &view.seen.options.client)?;
            let curve = certificate_of(attempt).and_then(|facts| facts.key.as_ref()?.curve.as_deref());
            let facts = outcome::facts(attempt).clone();
            Some(Chosen { facts, offered: profile.versions, curve_fits: curve.unwrap_or_default() })
        })
        .collect();
    for exchange in exchanges(view).into_iter().flatten() {
        let (Some(hello), Some(version)) = (exchange.answer.server_hello(), exchange.asked.version) else {
            continue;
        };
        let offered = match version >= TlsVersion::TLS_1_3 {
            true => vec![version],
            false => (TlsVersion::SSL_3_0.0..=version.0).map(TlsVersion).collect(),
        };
        all.push(Chosen { facts: facts_of(hello), offered, curve_fits: "" });
    }
    all
}

/// What follows from other hellos' answers. A host that chose what this client offers too, from a hello that offered
/// every better version of the client's, comes to that version with it, and has a suite for it.
fn derived(view: View<'_>, client: &HelloProfile, hellos: &[Chosen<'_>]) -> Option<Judged> {
    let shown = certificate::seen_by(view).and_then(certificate_of).and_then(|facts| facts.key.as_ref());
    let fits = |hello: &&Chosen<'_>| {
        let Some(version) = hello.facts.version else { return false };
        let better = client.versions.iter().filter(|own| **own > version);
        let curve = hello.curve_fits.parse().ok();
        offers(client, &hello.facts)
            && better.into_iter().all(|own| hello.offered.contains(own))
            && curve.is_none_or(|curve| client.groups.is_empty() || client.groups.contains(&curve))
            // The size of a finite-field group that it would get is not known.
            && (version >= TlsVersion::TLS_1_3 || client.limits.dh_bits.is_none())
            && shown.is_none_or(|key| bad_key(client, version, key).is_none())
    };
    if let Some(hello) = hellos.iter().find(fits) {
        return Some(Judged::connects(hello.facts.version, None));
    }
    speaks_none_of(view, client).then(|| Judged::fails("no TLS version in common"))
}

/// Every version of the client's was refused.
fn speaks_none_of(view: View<'_>, client: &HelloProfile) -> bool {
    let Some(found) = crate::enumeration::enumeration(view) else { return false };
    let refused = |version: &TlsVersion| {
        found.versions.iter().any(|known| known.version == *version && known.accepted == Some(false))
    };
    client.versions.iter().all(refused)
}

/// The host chose, of another hello, what this client offers too, whatever it signed that with.
fn shares_all_but_signatures(view: View<'_>, client: &HelloProfile) -> bool {
    chosen(view).into_iter().any(|hello| {
        let any_scheme = TlsFacts { signature_scheme: None, ..hello.facts };
        any_scheme.group.is_some() && offers(client, &any_scheme)
    })
}

fn no_version(answer: &Answer) -> String {
    match answer {
        Answer::Alert { alert } => format!("no TLS version in common (alert {})", alert.code),
        _ => "no TLS version in common".into(),
    }
}

fn enumeration_step<'a>(view: View<'a>) -> Option<&'a rdprobe_report::Step> {
    view.attempts().find(|attempt| attempt.recipe.purpose == Purpose::TlsEnumeration)?.step(Phase::Tls)
}

fn exchanges<'a>(view: View<'a>) -> Option<&'a [Exchange]> {
    let Facts::Tls(facts) = &enumeration_step(view)?.facts else { return None };
    Some(&facts.exchanges.as_ref()?.exchanges)
}
