//! What a host would have to change to keep a published policy, rule by rule.

use rdprobe_report::facts::{Enumeration, PolicyChange, PolicyReport, PublicKey};
use rdprobe_report::{TlsPolicy, TlsVersion};

use super::is_curve;
use super::mozilla::{Guideline, SOURCE, guideline};
use crate::rules::certificate;
use crate::view::{View, certificate as certificate_of};

/// None where the policy is not known.
pub(super) fn judge(policy: TlsPolicy, found: &Enumeration, view: View<'_>) -> Option<PolicyReport> {
    let rules = guideline(policy)?;
    let changes: Vec<PolicyChange> = [
        versions(rules, found),
        suites(rules, found),
        curves(rules, found),
        finite_field(rules, found),
        order(rules, found),
    ]
    .into_iter()
    .flatten()
    .chain(keys(rules, found, view))
    .collect();
    // What was not found out may break it too.
    let met = match (changes.is_empty(), found.unknown.is_empty()) {
        (false, _) => Some(false),
        (true, true) => Some(true),
        (true, false) => None,
    };
    Some(PolicyReport { policy, source: SOURCE.into(), met, changes })
}

fn change(rule: &str, change: impl Into<String>, items: Vec<String>) -> PolicyChange {
    PolicyChange { rule: rule.into(), change: change.into(), items }
}

fn versions(rules: &Guideline, found: &Enumeration) -> Vec<PolicyChange> {
    let spoken = || found.versions.iter().filter(|version| version.accepted == Some(true));
    let extra: Vec<String> = spoken()
        .filter(|version| !rules.tls_versions.contains(&version.version))
        .map(|version| version.version.to_string())
        .collect();
    let mut changes = Vec::new();
    if !extra.is_empty() {
        changes.push(change("tls_versions", "disable these versions", extra));
    }
    if !spoken().any(|version| rules.tls_versions.contains(&version.version)) {
        let wanted = rules.tls_versions.iter().map(ToString::to_string).collect();
        changes.push(change("tls_versions", "enable one of these versions", wanted));
    }
    changes
}

fn suites(rules: &Guideline, found: &Enumeration) -> Vec<PolicyChange> {
    let kept = found.versions.iter().filter(|version| rules.tls_versions.contains(&version.version));
    let (mut of_13, mut below) = (Vec::new(), Vec::new());
    for version in kept {
        let is_13 = version.version >= TlsVersion::TLS_1_3;
        let (allowed, extra) =
            if is_13 { (rules.ciphersuites, &mut of_13) } else { (rules.ciphers, &mut below) };
        for suite in &version.suites {
            let name = suite.iana.to_string();
            if !allowed.contains(&name.as_str()) && !extra.contains(&name) {
                extra.push(name);
            }
        }
    }
    let lists = [("ciphersuites", of_13), ("ciphers", below)];
    let extra = lists.into_iter().filter(|(_, extra)| !extra.is_empty());
    extra.map(|(rule, extra)| change(rule, "disable these suites", extra)).collect()
}

fn curves(rules: &Guideline, found: &Enumeration) -> Vec<PolicyChange> {
    let extra: Vec<String> = found
        .groups
        .iter()
        .filter(|group| is_curve(group.name))
        .map(|group| group.name.to_string())
        .filter(|name| !rules.tls_curves.contains(&name.as_str()))
        .collect();
    if extra.is_empty() { Vec::new() } else { vec![change("tls_curves", "disable these groups", extra)] }
}

fn finite_field(rules: &Guideline, found: &Enumeration) -> Vec<PolicyChange> {
    let kept = found.versions.iter().filter(|version| rules.tls_versions.contains(&version.version));
    let least = kept.flat_map(|version| &version.suites).filter_map(|suite| suite.dh_bits).min();
    match (rules.dh_param_size, least) {
        (Some(wanted), Some(least)) if least < wanted => vec![change(
            "dh_param_size",
            format!("use a Diffie-Hellman group of {wanted} bits at least, now {least}"),
            Vec::new(),
        )],
        _ => Vec::new(),
    }
}

fn order(rules: &Guideline, found: &Enumeration) -> Vec<PolicyChange> {
    let follows = found.versions.iter().any(|version| version.server_preference == Some(false));
    if rules.server_preferred_order && follows {
        vec![change("server_preferred_order", "let the host's order of suites decide", Vec::new())]
    } else {
        Vec::new()
    }
}

/// The keys of the certificates that were served, and of the one that the real handshake was shown.
fn keys(rules: &Guideline, found: &Enumeration, view: View<'_>) -> Vec<PolicyChange> {
    let shown = certificate::seen_by(view).and_then(certificate_of).and_then(|facts| facts.key.as_ref());
    let mut keys: Vec<&PublicKey> =
        found.certificates.iter().filter_map(|served| served.key.as_ref()).chain(shown).collect();
    keys.dedup();
    let mut changes = Vec::new();
    let mut add = |made: PolicyChange| {
        if !changes.contains(&made) {
            changes.push(made);
        }
    };
    // One of the allowed kinds is enough.
    let allowed = |key: &PublicKey| rules.certificate_types.contains(&key.algorithm.as_str());
    if !keys.is_empty() && !keys.iter().any(|key| allowed(key)) {
        let kinds = rules.certificate_types.iter().map(|kind| (*kind).to_owned()).collect();
        add(change("certificate_types", "serve a certificate with a key of one of these kinds", kinds));
    }
    for key in keys.into_iter().filter(|key| allowed(key)) {
        match (key.algorithm.as_str(), key.bits, rules.rsa_key_size) {
            ("RSA", Some(bits), Some(least)) if bits < least => {
                add(change(
                    "rsa_key_size",
                    format!("use an RSA key of {least} bits at least, now {bits}"),
                    Vec::new(),
                ));
            }
            _ => {}
        }
        let curve = key.curve.as_deref().filter(|curve| !rules.certificate_curves.contains(curve));
        if let Some(curve) = curve {
            let wanted = rules.certificate_curves.iter().map(|curve| (*curve).to_owned()).collect();
            add(change(
                "certificate_curves",
                format!("use a key on one of these curves, now {curve}"),
                wanted,
            ));
        }
    }
    changes
}
