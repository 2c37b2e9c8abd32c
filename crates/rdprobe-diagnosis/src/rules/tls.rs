//! TLS: does the reference client's hello get an answer, and where not, why?

use rdprobe_report::facts::TlsFacts;
use rdprobe_report::{
    Attempt, CipherSuite, Code, Confidence, FailureKind, Finding, HelloProfile, Phase, Purpose, TlsVersion,
    hello,
};

use crate::draft::Draft;
use crate::registry;
use crate::view::{View, answered, hung_up, tls, tls_facts};

/// Why the reference client gets no TLS. The attempt is the one that shows it.
pub(crate) enum Refusal<'a> {
    /// Another hello was answered with what this client does not offer.
    Mismatch { answer: &'a Attempt, refused: &'a Attempt },
    /// Another hello was answered with what this client had offered too.
    Interference { answers: Vec<&'a Attempt>, refused: &'a Attempt },
    /// The hello was answered, and the handshake broke off later.
    BrokeOff { attempt: &'a Attempt },
    /// Nothing was answered, and an alert came.
    Alert { attempt: &'a Attempt },
    /// Nothing was answered: RST or FIN before the first TLS byte.
    HungUp { attempt: &'a Attempt },
    /// Nothing was answered at all.
    Silent { attempt: &'a Attempt },
    /// Bytes came that are no TLS.
    Malformed { attempt: &'a Attempt },
}

/// Why the reference client gets no TLS; none where it does, or where that was not looked at.
pub(crate) fn reference_refusal<'a>(view: View<'a>) -> Option<Refusal<'a>> {
    let reference = view.reference()?;
    let own = view.settled(Purpose::ReferenceHello).filter(|attempt| tls(attempt).is_some());
    let real = view.settled(Purpose::Default).filter(|attempt| tls(attempt).is_some());
    let Some(refused) = own.filter(|attempt| tls(attempt).is_some_and(|step| !step.is_ok())) else {
        // The hello was answered, or the real handshake stands for it: did that one come to its end?
        let broke = real.filter(|attempt| broke_off(attempt, reference))?;
        return Some(Refusal::BrokeOff { attempt: broke });
    };
    let facts = tls_facts(tls(refused)?);
    if facts.version.is_some() {
        return Some(Refusal::BrokeOff { attempt: refused });
    }
    let answers: Vec<_> =
        real.into_iter().chain(view.experiments()).filter(|attempt| answered(attempt)).collect();
    let (outside, inside): (Vec<_>, Vec<_>) = answers
        .into_iter()
        .partition(|attempt| tls(attempt).is_some_and(|step| !within(reference, tls_facts(step))));
    let variant = |attempt: &&&Attempt| {
        [hello::SMALL, hello::NO_SNI, hello::NO_TLS13].iter().any(|id| attempt.recipe.hello() == Some(*id))
    };
    if let (Some(answer), false) = (outside.first(), inside.iter().any(|attempt| variant(&attempt))) {
        return Some(Refusal::Mismatch { answer, refused });
    }
    if !inside.is_empty() {
        return Some(Refusal::Interference { answers: inside, refused });
    }
    let tried = || real.into_iter().chain([refused]).chain(view.experiments());
    if let Some(attempt) = tried().find(|attempt| failed_by(attempt, FailureKind::Alert)) {
        return Some(Refusal::Alert { attempt });
    }
    let kind = tls(refused)?.failure.as_ref()?.kind;
    Some(match kind {
        FailureKind::Malformed => Refusal::Malformed { attempt: refused },
        _ if facts.tls_bytes > 0 => Refusal::BrokeOff { attempt: refused },
        FailureKind::Timeout => Refusal::Silent { attempt: refused },
        _ => Refusal::HungUp { attempt: refused },
    })
}

fn failed_by(attempt: &Attempt, kind: FailureKind) -> bool {
    tls(attempt).and_then(|step| step.failure.as_ref()).is_some_and(|failure| failure.kind == kind)
}

/// Whether what the server chose lies within the client's own offer.
fn within(client: &HelloProfile, chosen: &TlsFacts) -> bool {
    let (Some(version), Some(suite)) = (chosen.version, chosen.suite) else {
        return false;
    };
    let group = chosen.group.is_none_or(|group| client.groups.is_empty() || client.groups.contains(&group));
    let scheme = chosen.signature_scheme.is_none_or(|scheme| {
        client.signature_schemes.is_empty() || client.signature_schemes.contains(&scheme)
    });
    client.offers(version, suite) && group && scheme
}

/// The real handshake got a ServerHello that the client could have got, and the peer ended it before its time.
fn broke_off(attempt: &Attempt, client: &HelloProfile) -> bool {
    tls(attempt).is_some_and(|step| {
        let by_peer = step.failure.as_ref().is_some_and(|failure| failure.kind != FailureKind::Local);
        by_peer && within(client, tls_facts(step))
    })
}

/// What the reference client gets: its own hello's answer, or the real handshake's where that stands for it.
pub(crate) fn reference_outcome<'a>(view: View<'a>) -> Option<&'a Attempt> {
    let own =
        view.settled(Purpose::ReferenceHello).filter(|attempt| tls(attempt).is_some_and(|step| step.is_ok()));
    own.or_else(|| view.settled(Purpose::Default).filter(|_| view.folded()))
}

pub(crate) fn findings(view: View<'_>) -> Vec<Finding> {
    if !view.reached_tls() {
        return Vec::new();
    }
    let mut findings: Vec<Finding> =
        reference_refusal(view).map(|refusal| refused(view, &refusal)).into_iter().collect();
    if findings.is_empty() {
        findings.extend(weaknesses(view));
        findings.extend(depth_limited(view));
    }
    findings
}

fn refused(view: View<'_>, refusal: &Refusal<'_>) -> Finding {
    let client = view.reference().map_or("the client", |profile| profile.title.as_str());
    let address = view.address;
    match refusal {
        Refusal::Mismatch { answer, refused } => {
            let chosen = chosen(answer);
            let version_outside = view
                .reference()
                .zip(chosen.version)
                .is_some_and(|(reference, version)| !reference.versions.contains(&version));
            let code =
                if version_outside { registry::TLS_VERSION_MISMATCH } else { registry::TLS_CIPHER_MISMATCH };
            let what =
                if version_outside { "TLS version" } else { "cipher suite, group or signature scheme" };
            let summary = format!(
                "{address} and {client} share no {what}: the client's hello is refused ({}), while a hello that offers \
                 more gets {}. {}",
                why(refused),
                describe(chosen),
                who_speaks(chosen),
            );
            with_evidence(view, Draft::new(code, Phase::Tls, summary), [*refused, answer]).finish()
        }
        Refusal::Interference { answers, refused } => {
            let best = answers
                .iter()
                .find(|attempt| attempt.recipe.purpose == Purpose::HelloExperiment)
                .unwrap_or(&answers[0]);
            let summary = format!(
                "{address} drops the hello of {client} ({}) and answers {} with {}, which that client had offered too: \
                 something on the way, or the host, cannot bear the hello itself.",
                why(refused),
                difference(best),
                describe(chosen(best)),
            );
            let mut draft = Draft::new(registry::TLS_INTERFERENCE, Phase::Tls, summary);
            draft = with_evidence(view, draft, std::iter::once(*refused).chain(answers.iter().copied()));
            draft.finish()
        }
        Refusal::BrokeOff { attempt } => broke(view, attempt),
        Refusal::Alert { attempt } => alert(view, attempt),
        Refusal::Silent { attempt } => {
            let waited = tls(attempt).map_or(0.0, |step| step.duration_ms.0);
            let summary = format!(
                "{address} confirms TLS and then says nothing to any ClientHello for {waited:.0} ms."
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

fn hung_up_on_all(view: View<'_>, attempt: &Attempt) -> Finding {
    let tried: Vec<&Attempt> =
        view.attempts().filter(|attempt| !attempt.in_flight() && tls(attempt).is_some()).collect();
    let every = tried.iter().all(|attempt| {
        tls(attempt).is_some_and(|step| {
            tls_facts(step).tls_bytes == 0
                && step.failure.as_ref().is_some_and(|failure| hung_up(failure.kind))
        })
    });
    let profiles = [hello::TLS12_RSA_CBC, hello::TLS10].iter().all(|id| view.experiment(id).is_some());
    let repeated = tried.iter().any(|attempt| attempt.recipe.alone);
    if every && ((profiles && repeated) || view.seen.cut_short) {
        let summary = format!(
            "{} confirms TLS and then drops every ClientHello without a byte ({} of {} tried): it cannot use its \
             certificate's private key, its TLS algorithms are disabled, or a filter on the way drops TLS.",
            view.address,
            tried.len(),
            tried.len(),
        );
        return with_evidence(view, Draft::new(registry::TLS_KEY_UNUSABLE, Phase::Tls, summary), tried)
            .finish();
    }
    let kind = tls(attempt).and_then(|step| step.failure.as_ref()).map(|failure| failure.kind);
    let (code, verb) = match kind {
        Some(FailureKind::Reset) => (registry::TLS_RESET, "resets the connection"),
        _ => (registry::TLS_CLOSED, "closes the connection"),
    };
    let summary =
        format!("{} confirms TLS and {verb} on the ClientHello, before its first TLS byte.", view.address);
    limited(view, attempt, Draft::new(code, Phase::Tls, summary))
}

/// The handshake broke off after the hello had been answered.
fn broke(view: View<'_>, attempt: &Attempt) -> Finding {
    let Some(failure) = tls(attempt).and_then(|step| step.failure.as_ref()) else {
        unreachable!("only a failed step breaks off")
    };
    let facts = chosen(attempt);
    let after = match facts.messages.last() {
        Some(message) => format!("after its {message}"),
        None => "in the middle of its first record".into(),
    };
    let (code, verb): (Code, &str) = match failure.kind {
        FailureKind::Alert => return alert(view, attempt),
        FailureKind::Reset => (registry::TLS_RESET, "resets the connection"),
        FailureKind::Timeout => (registry::TLS_STALLED, "falls silent"),
        FailureKind::Malformed => (registry::TLS_MALFORMED, "breaks the protocol"),
        _ => (registry::TLS_CLOSED, "closes the connection"),
    };
    let summary = format!(
        "{} {verb} in the middle of the TLS handshake, {after}, with {} bytes of TLS received ({}).",
        view.address,
        facts.tls_bytes,
        failure.detail.trim_end_matches('.'),
    );
    limited(view, attempt, Draft::new(code, Phase::Tls, summary))
}

fn alert(view: View<'_>, attempt: &Attempt) -> Finding {
    let facts = chosen(attempt);
    let alert = facts
        .alert
        .map_or_else(|| "an alert".into(), |alert| format!("alert {} ({})", alert.code, alert.name));
    let when = match facts.messages.last() {
        Some(message) => format!("after its {message}"),
        None => "instead of a ServerHello, to every hello that was tried".into(),
    };
    let summary = format!("{} ends the TLS handshake with {alert}, {when}.", view.address);
    limited(view, attempt, Draft::new(registry::TLS_ALERT, Phase::Tls, summary))
}

/// Evidence, and less confidence where the deadline cut the attempt off.
fn limited(view: View<'_>, attempt: &Attempt, draft: Draft) -> Finding {
    let draft = with_evidence(view, draft, [attempt]);
    if attempt.cut_off || view.seen.cut_short { draft.confidence(Confidence::Likely) } else { draft }.finish()
}

fn with_evidence<'a>(view: View<'_>, draft: Draft, attempts: impl IntoIterator<Item = &'a Attempt>) -> Draft {
    let pointers: Vec<_> = attempts.into_iter().map(|attempt| view.pointer(attempt, Phase::Tls)).collect();
    draft.evidence(pointers)
}

/// What the reference client gets is old or weak.
fn weaknesses(view: View<'_>) -> Vec<Finding> {
    let Some(outcome) = reference_outcome(view) else {
        return Vec::new();
    };
    let (Some(version), Some(suite)) = (chosen(outcome).version, chosen(outcome).suite) else {
        return Vec::new();
    };
    let client = view.reference().map_or("the client", |profile| profile.title.as_str());
    let mut findings = Vec::new();
    let best = view
        .attempts()
        .filter_map(tls)
        .filter_map(|step| tls_facts(step).version)
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
    if suite.is_weak() || (version <= TlsVersion::TLS_1_0 && suite.is_cbc()) {
        let summary = format!(
            "{client} gets the suite {suite} over {version} from {}, which is weak: {}.",
            view.address,
            weakness(suite)
        );
        let draft = Draft::new(registry::TLS_WEAK_CIPHER, Phase::Tls, summary);
        findings.push(with_evidence(view, draft, [outcome]).finish());
    }
    findings
}

fn weakness(suite: CipherSuite) -> &'static str {
    let name = suite.to_string();
    if name.contains("_RC4_") {
        "RC4 is broken (RFC 7465)"
    } else if name.contains("_anon_") {
        "nobody is authenticated"
    } else if name.contains("_NULL") {
        "nothing is encrypted"
    } else if name.contains("EXPORT") {
        "its keys were made short on purpose"
    } else if name.contains("DES") {
        "DES has blocks of 64 bits (Sweet32)"
    } else if name.starts_with("TLS_RSA_WITH_") {
        "static RSA has no forward secrecy"
    } else {
        "CBC under TLS 1.0 (BEAST)"
    }
}

/// The reference client connects, and rustls cannot: say that nothing deeper was seen.
fn depth_limited(view: View<'_>) -> Option<Finding> {
    let real = view.settled(Purpose::Default)?;
    let step = tls(real).filter(|step| !step.is_ok())?;
    reference_outcome(view)?;
    let client = view.reference().map_or("the client", |profile| profile.title.as_str());
    let why = tls_facts(step)
        .local_error
        .clone()
        .or_else(|| step.failure.as_ref().map(|failure| failure.detail.clone()))
        .unwrap_or_else(|| "no reason known".into());
    let summary = format!(
        "{client} gets TLS from {}, and rdprobe's own TLS library does not ({}): what follows TLS was not looked at.",
        view.address,
        why.trim_end_matches('.'),
    );
    Some(with_evidence(view, Draft::new(registry::PROBE_DEPTH_LIMITED, Phase::Tls, summary), [real]).finish())
}

fn chosen(attempt: &Attempt) -> &TlsFacts {
    match tls(attempt) {
        Some(step) => tls_facts(step),
        None => unreachable!("rules on TLS are asked of attempts that reached it"),
    }
}

fn why(attempt: &Attempt) -> String {
    let facts = chosen(attempt);
    match (facts.alert, tls(attempt).and_then(|step| step.failure.as_ref())) {
        (Some(alert), _) => format!("alert {}, {}", alert.code, alert.name),
        (None, Some(failure)) => failure.detail.trim_end_matches('.').into(),
        (None, None) => "no reason given".into(),
    }
}

fn describe(facts: &TlsFacts) -> String {
    let version = facts.version.map_or_else(|| "an unknown version".into(), |version| version.to_string());
    let suite = facts.suite.map_or_else(|| "an unknown suite".into(), |suite| suite.to_string());
    let group = facts.group.map(|group| format!(" and {group}")).unwrap_or_default();
    format!("{version} with {suite}{group}")
}

/// Which clients still speak what the server chose.
fn who_speaks(facts: &TlsFacts) -> String {
    let speakers: Vec<&str> = HelloProfile::clients()
        .filter(|client| within(client, facts))
        .map(|client| client.title.as_str())
        .collect();
    if speakers.is_empty() {
        "No client known here offers that.".into()
    } else {
        format!("Clients that do: {}.", speakers.join("; "))
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
