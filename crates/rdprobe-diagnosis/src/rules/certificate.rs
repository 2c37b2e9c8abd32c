//! The certificate: validity, name, trust, key, signature and use.

use std::net::IpAddr;

use rdprobe_report::facts::{CertificateFacts, PublicKey, SignatureCheck};
use rdprobe_report::{Attempt, CertDays, Finding, Phase, Purpose, Severity, Timestamp};

use crate::draft::Draft;
use crate::registry;
use crate::rules::credssp;
use crate::view::{View, certificate, x224_facts};

/// Days before the end of validity from which it is called soon, where the user names no others.
const SOON: CertDays = CertDays { warning: 14.0, error: 0.0 };
/// Server Authentication, and Windows' own Remote Desktop Authentication.
const SERVER_USES: [&str; 2] = ["1.3.6.1.5.5.7.3.1", "1.3.6.1.4.1.311.54.1.2"];
/// Where it could not be read, for which names the certificate is stays unknown (RFC 5280 4.2.1.6).
const SUBJECT_ALTERNATIVE_NAME: &str = "2.5.29.17";
/// anyExtendedKeyUsage (RFC 5280 4.2.1.12).
const ANY_USE: &str = "2.5.29.37.0";

/// The attempt whose certificate is judged: the real handshake's, since it also proves the key, else any that saw
/// one.
pub(crate) fn seen_by<'a>(view: View<'a>) -> Option<&'a Attempt> {
    let has_one = |attempt: &&Attempt| certificate(attempt).is_some();
    let real = view.settled(Purpose::Default).filter(has_one);
    let own = view.settled(Purpose::ReferenceHello).filter(has_one);
    real.or(own).or_else(|| view.attempts().find(has_one))
}

pub(crate) fn findings(view: View<'_>, now: Timestamp) -> Vec<Finding> {
    let Some(attempt) = seen_by(view) else {
        return Vec::new();
    };
    let Some(facts) = certificate(attempt) else {
        return Vec::new();
    };
    let judge = Judge { view, facts, now };
    [
        judge.readable(),
        judge.validity(),
        judge.proof_of_key(),
        judge.pin(),
        judge.name(),
        judge.trust(),
        judge.key(),
        judge.signature(),
        judge.usage(),
    ]
    .into_iter()
    .flatten()
    .map(|draft| draft.evidence([view.pointer(attempt, Phase::Certificate)]).finish())
    .chain(disagreement(view, now))
    .collect()
}

/// Connections got different certificates with keys of one kind: more than one machine answers, or the certificate was
/// just renewed. A certificate for each kind of key is how hosts serve old clients too.
fn disagreement(view: View<'_>, now: Timestamp) -> Option<Finding> {
    let kind = |facts: &CertificateFacts| facts.key.as_ref().map(|key| key.algorithm.clone());
    let seen: Vec<(&Attempt, &CertificateFacts)> = view
        .attempts()
        .filter_map(|attempt| Some((attempt, certificate(attempt).filter(|facts| facts.sha256.is_some())?)))
        .collect();
    let (first, own) = seen.first()?;
    let (other_attempt, other) =
        seen.iter().find(|(_, facts)| facts.sha256 != own.sha256 && kind(facts) == kind(own))?;
    let describe = |facts: &CertificateFacts| {
        let name = facts.common_name.as_deref().or(facts.subject.as_deref()).unwrap_or("no name");
        let until = match facts.not_after {
            Some(end) if end < now => format!(", expired on {}", end.date()),
            Some(end) => format!(", valid until {}", end.date()),
            None => String::new(),
        };
        let sha256: String = facts.sha256.as_deref().unwrap_or_default().chars().take(16).collect();
        format!("one for {name}{until} (SHA-256 {sha256}…)")
    };
    let summary = format!(
        "{} showed different certificates on different connections: {}, and {}. More than one machine answers there, and \
         which one a client gets is chance.",
        view.address,
        describe(own),
        describe(other),
    );
    let evidence = [first, other_attempt].map(|attempt| view.pointer(attempt, Phase::Certificate));
    Some(Draft::new(registry::CERTS_DISAGREE, Phase::Certificate, summary).evidence(evidence).finish())
}

struct Judge<'a> {
    view: View<'a>,
    facts: &'a CertificateFacts,
    now: Timestamp,
}

impl Judge<'_> {
    fn draft(&self, code: rdprobe_report::Code, summary: String) -> Option<Draft> {
        Some(Draft::new(code, Phase::Certificate, summary))
    }

    fn whose(&self) -> String {
        format!("The certificate of {}", self.view.address)
    }

    fn readable(&self) -> Option<Draft> {
        let error = self.facts.parse_error.as_ref()?;
        self.draft(registry::CERT_UNREADABLE, format!("{} cannot be read: {error}.", self.whose()))
    }

    fn validity(&self) -> Option<Draft> {
        let (not_before, not_after) = (self.facts.not_before?, self.facts.not_after?);
        let skew = credssp::skew_explains(self.view, |server_now| {
            server_now >= not_before && server_now <= not_after
        });
        if not_after < self.now {
            let days = not_after.days_until(self.now);
            let mut summary = format!(
                "{} expired on {} ({days:.0} days ago). A person can click through mstsc's warning; whoever monitors \
                 calls it broken.",
                self.whose(),
                not_after.date()
            );
            if let Some(skew) = &skew {
                summary.push_str(&format!(
                    " By the host's own clock it is still valid: the clocks differ by {skew}."
                ));
            }
            return self.draft(registry::CERT_EXPIRED, summary);
        }
        if not_before > self.now {
            let mut summary = format!(
                "{} is not valid before {} ({:.1} days from now).",
                self.whose(),
                not_before.date(),
                self.now.days_until(not_before)
            );
            if let Some(skew) = &skew {
                summary
                    .push_str(&format!(" By the host's own clock it is valid: the clocks differ by {skew}."));
            }
            return self.draft(registry::CERT_NOT_YET_VALID, summary);
        }
        let left = self.now.days_until(not_after);
        let soon = self.view.seen.options.cert_days.unwrap_or(SOON);
        if left >= soon.warning.max(soon.error) {
            return None;
        }
        let renews_itself = self.windows_issued_it_to_itself();
        let renewal = if renews_itself { " Windows made it for itself and renews it unasked." } else { "" };
        let summary =
            format!("{} expires on {}, in {left:.1} days.{renewal}", self.whose(), not_after.date());
        let draft = self.draft(registry::CERT_EXPIRES_SOON, summary)?;
        Some(match renews_itself {
            true => draft.severity(Severity::Info),
            false if left < soon.error => draft.severity(Severity::Error),
            false => draft,
        })
    }

    /// Windows' own host certificate: issued to itself, for encipherment and never for signatures, about six months
    /// long, on a host whose Confirm fits Windows.
    fn windows_issued_it_to_itself(&self) -> bool {
        let looks_windows = self
            .view
            .x224()
            .and_then(|(_, step)| x224_facts(step))
            .is_some_and(|facts| facts.fits_windows == Some(true));
        let usage = &self.facts.key_usage;
        let has = |name: &str| usage.iter().any(|usage| usage == name);
        let months = self.facts.not_before.zip(self.facts.not_after).map(|(from, to)| from.days_until(to));
        looks_windows
            && self.facts.self_signed == Some(true)
            && has("keyEncipherment")
            && !has("digitalSignature")
            && months.is_some_and(|days| (175.0..=190.0).contains(&days))
    }

    fn proof_of_key(&self) -> Option<Draft> {
        if self.facts.signature_check != Some(SignatureCheck::Failed) {
            return None;
        }
        let summary = format!(
            "{} does not fit the key with which the handshake was signed: whoever answers does not hold its private \
             key. Every client breaks off.",
            self.whose()
        );
        self.draft(registry::CERT_KEY_MISMATCH, summary)
    }

    fn pin(&self) -> Option<Draft> {
        if self.facts.pinned != Some(false) {
            return None;
        }
        let sha256 = self.facts.sha256.as_deref().unwrap_or("unknown");
        let summary = format!("{} is not the one that was pinned: its SHA-256 is {sha256}.", self.whose());
        self.draft(registry::CERT_PIN_MISMATCH, summary)
    }

    fn name(&self) -> Option<Draft> {
        let wanted = self.view.seen.server_name();
        let unread = self.facts.unread_extensions.iter().any(|oid| oid == SUBJECT_ALTERNATIVE_NAME);
        let unknown = self.facts.sha256.is_none() || self.facts.parse_error.is_some() || unread;
        if unknown || matches(self.facts, wanted) {
            return None;
        }
        let bears = if self.facts.names.is_empty() {
            self.facts.common_name.clone().unwrap_or_else(|| "no name".into())
        } else {
            self.facts.names.join(", ")
        };
        let summary = format!("{} is for {bears} and not for {wanted}: clients warn.", self.whose());
        let draft = self.draft(registry::CERT_NAME_MISMATCH, summary)?;
        let names_an_address = self.facts.names.iter().any(|name| name.parse::<IpAddr>().is_ok());
        let usual =
            wanted.parse::<IpAddr>().is_ok() && self.facts.self_signed == Some(true) && !names_an_address;
        Some(if usual { draft.severity(Severity::Info) } else { draft })
    }

    fn trust(&self) -> Option<Draft> {
        if self.facts.pinned == Some(true) || self.facts.trusted == Some(true) {
            return None;
        }
        if self.facts.self_signed == Some(true) {
            let summary = format!(
                "{} is self-signed, as Windows makes it when nobody installs another: clients warn on the first \
                 connection, and nothing proves who answers.",
                self.whose()
            );
            return self.draft(registry::CERT_SELF_SIGNED, summary);
        }
        self.facts.trusted?;
        let why = self.facts.trust_error.as_deref().unwrap_or("no path to a trusted root");
        let issuer = self.facts.issuer.as_deref().unwrap_or("an unknown issuer");
        let summary =
            format!("{}, issued by {issuer}, is not trusted by this computer: {why}.", self.whose());
        self.draft(registry::CERT_UNTRUSTED, summary)
    }

    fn key(&self) -> Option<Draft> {
        let PublicKey { algorithm, bits, .. } = self.facts.key.as_ref()?;
        let (bits, least) = match (algorithm.as_str(), bits) {
            ("RSA", Some(bits)) => (*bits, 2048),
            ("EC", Some(bits)) => (*bits, 256),
            _ => return None,
        };
        if bits >= least {
            return None;
        }
        let summary = format!(
            "{} has an {algorithm} key of {bits} bits; less than {least} is too weak today.",
            self.whose()
        );
        self.draft(registry::CERT_WEAK_KEY, summary)
    }

    fn signature(&self) -> Option<Draft> {
        let algorithm = self.facts.signature_algorithm.as_deref()?;
        let plain = algorithm.to_ascii_lowercase().replace(['-', '_'], "");
        if !["md2", "md4", "md5", "sha1"].iter().any(|weak| plain.contains(weak)) {
            return None;
        }
        self.draft(
            registry::CERT_WEAK_SIGNATURE,
            format!("{} is signed with {algorithm}, which is forgeable.", self.whose()),
        )
    }

    fn usage(&self) -> Option<Draft> {
        let uses = &self.facts.extended_key_usage;
        if uses.is_empty() || uses.iter().any(|oid| SERVER_USES.contains(&oid.as_str()) || oid == ANY_USE) {
            return None;
        }
        let summary = format!(
            "{} may not be used for a server: its extended key usage is {}, with neither Server Authentication nor \
             Remote Desktop Authentication.",
            self.whose(),
            uses.join(", ")
        );
        self.draft(registry::CERT_WRONG_USAGE, summary)
    }
}

/// Whether the certificate is for this name: alternative names where there are any, else the common name.
pub(crate) fn matches(facts: &CertificateFacts, wanted: &str) -> bool {
    if let Ok(address) = wanted.parse::<IpAddr>() {
        let by_address = facts.names.iter().any(|name| name.parse() == Ok(address));
        let by_common_name = facts.names.is_empty()
            && facts.common_name.as_deref().is_some_and(|name| name.parse() == Ok(address));
        return by_address || by_common_name;
    }
    let dns_names: Vec<&str> =
        facts.names.iter().map(String::as_str).filter(|name| name.parse::<IpAddr>().is_err()).collect();
    if dns_names.is_empty() {
        return facts.common_name.as_deref().is_some_and(|name| name_matches(name, wanted));
    }
    dns_names.iter().any(|name| name_matches(name, wanted))
}

/// RFC 6125 6.4: case does not count; a wildcard is the whole left-most label and stands for one label.
fn name_matches(pattern: &str, wanted: &str) -> bool {
    let pattern = pattern.trim_end_matches('.').to_ascii_lowercase();
    let wanted = wanted.trim_end_matches('.').to_ascii_lowercase();
    match pattern.strip_prefix("*.") {
        Some(parent) => wanted
            .split_once('.')
            .is_some_and(|(label, rest)| !label.is_empty() && rest == parent && rest.contains('.')),
        None => pattern == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str], common_name: &str) -> CertificateFacts {
        CertificateFacts {
            names: names.iter().map(|&name| name.into()).collect(),
            common_name: Some(common_name.into()),
            ..CertificateFacts::default()
        }
    }

    #[test]
    fn alternative_names_come_before_the_common_name() {
        assert!(matches(&named(&["rds01.corp.example"], "other"), "RDS01.corp.example"));
        assert!(!matches(&named(&["rds01.corp.example"], "rds02"), "rds02"));
        assert!(matches(&named(&[], "rds02"), "rds02"));
    }

    #[test]
    fn a_wildcard_stands_for_one_label() {
        assert!(matches(&named(&["*.corp.example"], ""), "rds01.corp.example"));
        assert!(!matches(&named(&["*.corp.example"], ""), "a.rds01.corp.example"));
        assert!(!matches(&named(&["*.corp.example"], ""), "corp.example"));
        assert!(!matches(&named(&["*.example"], ""), "rds01.example"));
    }

    #[test]
    fn addresses_match_as_addresses() {
        assert!(matches(&named(&["2001:db8::1"], ""), "2001:db8:0:0:0:0:0:1"));
        assert!(matches(&named(&[], "192.0.2.7"), "192.0.2.7"));
        assert!(!matches(&named(&["rds01"], "192.0.2.7"), "192.0.2.7"));
    }
}
