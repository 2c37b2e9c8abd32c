//! TLS: does the reference client's hello get an answer, and where not, why?

pub(crate) mod outcome;

use rdprobe_report::facts::TlsFacts;
use rdprobe_report::{
    Attempt, ClientVerdict, Code, Confidence, FailureKind, Finding, HelloProfile, Lack, LocalFault, Phase,
    Purpose, RUSTLS, TlsVersion, Weakness, hello,
};

use self::outcome::{Outcome, Refusal, facts, gets, outcome, within};
use crate::clients;
use crate::draft::Draft;
use crate::enumeration;
use crate::registry;
use crate::rules::credssp;
use crate::silence;
use crate::view::{View, answered, certificate, hung_up, tls, tls_facts};

pub(crate) fn findings(view: View<'_>) -> Vec<Finding> {
    match outcome(view) {
        Outcome::Refused(refusal) => vec![refused(view, &refusal)],
        Outcome::Gets(attempt) => {
            let mut findings = weaknesses(view, attempt);
            findings.extend(depth_limited(view));
            findings
        }
        Outcome::Open => Vec::new(),
    }
}

fn client(view: View<'_>) -> &'static str {
    view.reference().map_or("the client", |profile| profile.title.as_str())
}

fn refused(view: View<'_>, refusal: &Refusal<'_>) -> Finding {
    let client = client(view);
    let address = view.address;
    match refusal {
        Refusal::Mismatch { answer, refused, variants_refused } => {
            let (code, what) = mismatch(view, answer);
            let summary = format!(
                "{address} and {client} share no {what}: the client's hello is refused ({}), while a hello that offers \
                 more gets {}. {}",
                why(refused),
                choice(view, answer),
                who_speaks(view, answer),
            );
            let draft = with_evidence(view, Draft::new(code, Phase::Tls, summary), [*refused, answer]);
            if *variants_refused { draft } else { draft.confidence(Confidence::Likely) }.finish()
        }
        Refusal::Outside { attempt } => {
            let (code, what) = mismatch(view, attempt);
            let summary = format!(
                "{address} answers {client} with {}, which that client does not offer: it breaks off, for they share no \
                 {what}. {}",
                choice(view, attempt),
                who_speaks(view, attempt),
            );
            with_evidence(view, Draft::new(code, Phase::Tls, summary), [*attempt]).finish()
        }
        Refusal::Interference { answer, refused, controls } => {
            let summary = format!(
                "{address} drops the hello of {client} ({}) and answers {} with {}, which that client had offered too, \
                 each time that it was tried: something on the way, or the host, cannot bear the hello itself.",
                why(refused),
                difference(answer),
                describe(facts(answer)),
            );
            let draft = Draft::new(registry::TLS_INTERFERENCE, Phase::Tls, summary);
            with_evidence(view, draft, [*refused, *answer].into_iter().chain(*controls)).finish()
        }
        Refusal::ClientCertificate { attempt } => {
            let summary = format!(
                "{address} asks for a client certificate and ends the connection without one ({}): Remote Desktop clients \
                 have none to give, so whatever stands there is set up for something else, or for a smart card gateway.",
                why(attempt)
            );
            let draft = Draft::new(registry::TLS_CLIENT_CERTIFICATE_REQUIRED, Phase::Tls, summary);
            with_evidence(view, draft, [*attempt]).finish()
        }
        Refusal::BrokeOff { attempt } => broke(view, attempt),
        Refusal::Alert { attempt } => alert(view, attempt),
        Refusal::Silent { attempt } => {
            let waited = tls(attempt).map_or(0.0, |step| step.duration_ms.0);
            let hellos = match hellos_tried(view) {
                0 | 1 => "to the ClientHello".into(),
                tried => format!("to any of {tried} ClientHellos"),
            };
            let summary = format!(
                "{address} confirms TLS and then says nothing {hellos}; the first was waited for {waited:.0} ms."
            );
            limited(view, attempt, Draft::new(registry::TLS_TIMEOUT, Phase::Tls, summary))
        }
        Refusal::Malformed { attempt } => {
            let detail =
                tls(attempt).and_then(|step| step.failure.as_ref()).map(|failure| failure.detail.as_str());
            let summary = format!(
                "{address} confirms TLS and answers the ClientHello with bytes that are no TLS: {}.",
                detail.unwrap_or("garbage").trim_end_matches('.')
            );
            limited(view, attempt, Draft::new(registry::TLS_MALFORMED, Phase::Tls, summary))
        }
        Refusal::HungUp { attempt } => hung_up_on_all(view, attempt),
    }
}

/// What an answer outside the client's offer has in common with nothing in it.
fn mismatch(view: View<'_>, answer: &Attempt) -> (Code, &'static str) {
    let chosen = facts(answer).version;
    let suite = facts(answer).suite;
    let version_outside = view.reference().zip(chosen).is_some_and(|(reference, version)| {
        !reference.versions.contains(&version)
            || suite.is_some_and(|suite| !reference.limits.admit(version, suite))
    });
    if version_outside {
        (registry::TLS_VERSION_MISMATCH, "TLS version")
    } else {
        (registry::TLS_CIPHER_MISMATCH, "cipher suite, group, signature scheme or kind of key")
    }
}

/// Hellos that came to the host and to an end, whatever it was.
fn hellos_tried(view: View<'_>) -> usize {
    view.attempts().filter(|attempt| !attempt.in_flight() && tls(attempt).is_some()).count()
}

fn hung_up_on_all(view: View<'_>, attempt: &Attempt) -> Finding {
    let tried: Vec<&Attempt> =
        view.attempts().filter(|attempt| !attempt.in_flight() && tls(attempt).is_some()).collect();
    let dropped = |attempt: &Attempt| {
        tls(attempt).is_some_and(|step| {
            tls_facts(step).tls_bytes == 0
                && step.failure.as_ref().is_some_and(|failure| hung_up(failure.kind))
        })
    };
    let profiles = [hello::TLS12_RSA_CBC, hello::TLS10];
    let every = tried.iter().all(|attempt| dropped(attempt))
        && profiles.iter().all(|id| view.experiment(id).is_some_and(dropped));
    let repeated = tried.iter().any(|attempt| attempt.recipe.alone);
    if every && repeated {
        let summary = format!(
            "{} confirms TLS and then drops every ClientHello without a byte ({} of {} tried): it cannot use its \
             certificate's private key, its TLS algorithms are disabled, or a filter on the way drops TLS.{}",
            view.address,
            tried.len(),
            tried.len(),
            lost_before_reset(view, &tried),
        );
        return with_evidence(view, Draft::new(registry::TLS_KEY_UNUSABLE, Phase::Tls, summary), tried)
            .finish();
    }
    let kind = tls(attempt).and_then(|step| step.failure.as_ref()).map(|failure| failure.kind);
    let (code, verb) = match kind {
        Some(FailureKind::Reset) => (registry::TLS_RESET, "resets the connection"),
        _ => (registry::TLS_CLOSED, "closes the connection"),
    };
    let turned_away = view
        .attempts()
        .any(|attempt| attempt.recipe.hello().is_some() && !attempt.in_flight() && tls(attempt).is_none());
    let rest = if turned_away { "; what was to tell why was turned away" } else { "" };
    let summary = format!(
        "{} confirms TLS and {verb} on the ClientHello, before its first TLS byte{rest}.{}",
        view.address,
        lost_before_reset(view, &[attempt])
    );
    let draft = Draft::new(code, Phase::Tls, summary);
    limited(view, attempt, if turned_away { draft.confidence(Confidence::Likely) } else { draft })
}

/// What a silence before a reset does not prove where the system drops what was not read before one. A single FIN among
/// the ends shows that nothing came: that drops nothing.
fn lost_before_reset(view: View<'_>, attempts: &[&Attempt]) -> &'static str {
    let reset = |attempt: &&Attempt| {
        let failure = tls(attempt).and_then(|step| step.failure.as_ref());
        failure.is_some_and(|failure| failure.kind == FailureKind::Reset)
    };
    if view.seen.lacks(Lack::BytesBeforeReset) && attempts.iter().all(reset) {
        " This computer's system drops what came right before a reset, so an alert that names the reason may have been \
         lost: asked from Linux, it would show."
    } else {
        ""
    }
}

/// The handshake broke off after the hello had been answered.
fn broke(view: View<'_>, attempt: &Attempt) -> Finding {
    let facts = facts(attempt);
    let failure = tls(attempt).and_then(|step| step.failure.as_ref());
    let after = match facts.messages.last() {
        Some(message) => format!("after its {message}"),
        None => "in the middle of its first record".into(),
    };
    let (code, verb): (Code, &str) = match failure.map(|failure| failure.kind) {
        Some(FailureKind::Alert) => return alert(view, attempt),
        Some(FailureKind::Reset) => (registry::TLS_RESET, "resets the connection"),
        Some(FailureKind::Timeout) => (registry::TLS_STALLED, "falls silent"),
        Some(FailureKind::Malformed) => (registry::TLS_MALFORMED, "breaks the protocol"),
        _ => (registry::TLS_CLOSED, "closes the connection"),
    };
    let summary = format!(
        "{} {verb} in the middle of the TLS handshake, {after}, with {} bytes of TLS received ({}).",
        view.address,
        facts.tls_bytes,
        failure.map_or("no reason known", |failure| failure.detail.trim_end_matches('.')),
    );
    limited(view, attempt, Draft::new(code, Phase::Tls, summary))
}

fn alert(view: View<'_>, attempt: &Attempt) -> Finding {
    let facts = facts(attempt);
    let alert = facts
        .alert
        .map_or_else(|| "an alert".into(), |alert| format!("alert {} ({})", alert.code, alert.name));
    let when = match facts.messages.last() {
        Some(message) => format!("after its {message}"),
        None => match hellos_tried(view) {
            0 | 1 => "instead of a ServerHello".into(),
            tried => format!("instead of a ServerHello, and none of {tried} hellos got one"),
        },
    };
    let summary = format!("{} ends the TLS handshake with {alert}, {when}.", view.address);
    limited(view, attempt, Draft::new(registry::TLS_ALERT, Phase::Tls, summary))
}

/// Evidence, and less confidence where the waiting was short, the deadline cut it off, or the client's own hello could
/// not be tried.
fn limited(view: View<'_>, attempt: &Attempt, draft: Draft) -> Finding {
    let sureness = tls(attempt).and_then(|step| silence::sureness(view, step)).unwrap_or(Confidence::Likely);
    let draft = with_evidence(view, draft, [attempt]).confidence(sureness);
    let stands_in = attempt.recipe.purpose == Purpose::Default
        && !answered(attempt)
        && outcome::own_hello(view).is_none();
    let unsure = attempt.cut_off || view.seen.cut_short || stands_in;
    if unsure { draft.confidence(Confidence::Likely) } else { draft }.finish()
}

fn with_evidence<'a>(view: View<'_>, draft: Draft, attempts: impl IntoIterator<Item = &'a Attempt>) -> Draft {
    let pointers: Vec<_> = attempts.into_iter().map(|attempt| view.pointer(attempt, Phase::Tls)).collect();
    draft.evidence(pointers)
}

/// What the reference client gets is old or weak.
fn weaknesses(view: View<'_>, outcome: &Attempt) -> Vec<Finding> {
    let (Some(version), Some(suite)) = (facts(outcome).version, facts(outcome).suite) else {
        return Vec::new();
    };
    let client = client(view);
    let mut findings = Vec::new();
    let best = view
        .attempts()
        .filter_map(tls)
        .filter_map(|step| tls_facts(step).version)
        .chain(enumeration::accepted(view))
        .max_by_key(|version| version.0)
        .unwrap_or(version);
    if best < TlsVersion::TLS_1_2 {
        let summary = format!(
            "The best that {} has for {client} is {best}, which is out of use since RFC 8996: clients that insist on \
             TLS 1.2 cannot connect.",
            view.address
        );
        let draft = Draft::new(registry::TLS_LEGACY_VERSION, Phase::Tls, summary);
        findings.push(with_evidence(view, draft, [outcome]).finish());
    }
    let mut weaknesses = suite.weaknesses(version);
    if facts(outcome).dh_bits.is_some_and(|bits| bits < enumeration::LEAST_DH_BITS) {
        weaknesses.push(Weakness::SmallDh);
    }
    if !weaknesses.is_empty() {
        let why: Vec<&str> = weaknesses.iter().map(Weakness::words).collect();
        let summary = format!(
            "{client} gets the suite {suite} over {version} from {}, which is weak: {}.",
            view.address,
            why.join("; ")
        );
        let draft = Draft::new(registry::TLS_WEAK_CIPHER, Phase::Tls, summary);
        findings.push(with_evidence(view, draft, [outcome]).finish());
    }
    findings
}

/// Whether our own library lacks what this client and the host share, so that nothing behind TLS can be looked at.
pub(crate) fn library_lacks(view: View<'_>) -> bool {
    let Some(own) = gets(view) else { return false };
    let Some(real) =
        view.settled(Purpose::Default).filter(|real| tls(real).is_some_and(|step| !step.is_ok()))
    else {
        return false;
    };
    let gave_up = tls(real)
        .and_then(|step| step.failure.as_ref())
        .and_then(|failure| failure.local_fault())
        .is_some_and(|fault| matches!(fault, LocalFault::Library | LocalFault::Unspecified));
    let library = HelloProfile::named(RUSTLS, &view.seen.options.client);
    gave_up || library.is_some_and(|library| !within(&library, own))
}

/// The reference client connects, and rustls cannot: say that nothing deeper was seen.
fn depth_limited(view: View<'_>) -> Option<Finding> {
    let real = view.settled(Purpose::Default).filter(|_| library_lacks(view))?;
    if credssp::decided(view).is_some() {
        return None;
    }
    let step = tls(real)?;
    let why = tls_facts(step)
        .local_error
        .clone()
        .or_else(|| step.failure.as_ref().map(|failure| failure.detail.clone()))
        .unwrap_or_else(|| "no reason known".into());
    let summary = format!(
        "{} gets TLS from {}, and rdprobe's own TLS library does not ({}): what follows TLS was not looked at.",
        client(view),
        view.address,
        why.trim_end_matches('.'),
    );
    Some(with_evidence(view, Draft::new(registry::PROBE_DEPTH_LIMITED, Phase::Tls, summary), [real]).finish())
}

fn why(attempt: &Attempt) -> String {
    let facts = facts(attempt);
    match (facts.alert, tls(attempt).and_then(|step| step.failure.as_ref())) {
        (Some(alert), _) => format!("alert {}, {}", alert.code, alert.name),
        (None, Some(failure)) => failure.detail.trim_end_matches('.').into(),
        (None, None) => "no reason given".into(),
    }
}

/// What the server chose, its key where that is the odd one.
fn choice(view: View<'_>, answer: &Attempt) -> String {
    let curve = certificate(answer).and_then(|facts| facts.key.as_ref()?.curve.clone());
    let odd = view.reference().is_some_and(|client| outcome::offers(client, facts(answer)));
    match curve.filter(|_| odd && !view.reference().is_some_and(|client| within(client, answer))) {
        Some(curve) => format!("{} and a key on the curve {curve}", describe(facts(answer))),
        None => describe(facts(answer)),
    }
}

fn describe(facts: &TlsFacts) -> String {
    let version = facts.version.map_or_else(|| "an unknown version".into(), |version| version.to_string());
    let suite = facts.suite.map_or_else(|| "an unknown suite".into(), |suite| suite.to_string());
    let group = facts.group.map(|group| format!(" and {group}")).unwrap_or_default();
    format!("{version} with {suite}{group}")
}

/// Which clients still speak what the server chose, and which other ones were seen to be locked out.
fn who_speaks(view: View<'_>, answer: &Attempt) -> String {
    let speakers: Vec<&str> = HelloProfile::clients()
        .filter(|client| within(client, answer))
        .map(|client| client.title.as_str())
        .collect();
    let speak = match speakers.is_empty() {
        true => "No client known here offers that.".into(),
        false => format!("Clients that do: {}.", speakers.join("; ")),
    };
    let locked_out: Vec<String> = clients::clients(view)
        .into_iter()
        .filter(|client| client.outcome == ClientVerdict::Fails && client.id != view.seen.options.client)
        .filter_map(|client| Some(HelloProfile::client(&client.id)?.title.clone()))
        .collect();
    match locked_out.is_empty() {
        true => speak,
        false => format!("{speak} Locked out too: {}.", locked_out.join("; ")),
    }
}

fn difference(attempt: &Attempt) -> &'static str {
    match attempt.recipe.hello() {
        Some(hello::SMALL) => "a shorter one",
        Some(hello::NO_SNI) => "the same without a server name",
        Some(hello::NO_TLS13) => "the same without TLS 1.3",
        _ => "another one",
    }
}
