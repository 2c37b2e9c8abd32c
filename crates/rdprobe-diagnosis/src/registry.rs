//! The registry: every diagnostic code, once, with its phase key, its severity and the confidence it can reach.
//!
//! The order is the one in which a primary finding is chosen among equals. Codes are never reused; one that is
//! renamed keeps its old name as an alias.

use rdprobe_report::{Code, Confidence, Severity};

/// One row of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The code.
    pub code: &'static str,
    /// The key of the table under which it stands: a phase, or `general`.
    pub group: &'static str,
    /// Its severity, unless the rule has a reason that DESIGN and `explain` name.
    pub severity: Severity,
    /// The most that a rule may claim for it.
    pub confidence: Confidence,
    /// Former names.
    pub aliases: &'static [&'static str],
}

/// Declares the constants and the table from one list.
macro_rules! registry {
    ($($group:literal { $($name:ident $code:literal $severity:ident $confidence:ident $([$($alias:literal),*])?;)* })*) => {
        $($(
            #[doc = concat!("`", $code, "`, ", stringify!($severity), ", at most ", stringify!($confidence), ".")]
            pub const $name: Code = Code::new($code);
        )*)*

        /// Every code, in order.
        pub const REGISTRY: &[Registered] = &[$($(
            Registered {
                code: $code,
                group: $group,
                severity: Severity::$severity,
                confidence: Confidence::$confidence,
                aliases: &[$($($alias),*)?],
            },
        )*)*];
    };
}

registry! {
    "dns" {
        DNS_NAME_NOT_FOUND "dns-name-not-found" Error Certain;
        DNS_SERVER_FAILURE "dns-server-failure" Error Certain;
        DNS_TIMEOUT "dns-timeout" Error Certain;
        DNS_NO_ADDRESS "dns-no-address" Error Certain;
        DNS_ADDRESSES_DISAGREE "dns-addresses-disagree" Warning Certain;
    }
    "tcp" {
        TCP_REFUSED "tcp-refused" Error Certain;
        TCP_TIMEOUT "tcp-timeout" Error Certain;
        TCP_UNREACHABLE "tcp-unreachable" Error Certain;
        TCP_PROHIBITED "tcp-prohibited" Error Certain;
        TCP_FLAKY "tcp-flaky" Warning Certain;
        TCP_TURNED_AWAY "tcp-turned-away" Warning Certain;
        TCP_ONE_AT_A_TIME "tcp-one-at-a-time" Info Likely;
    }
    "x224" {
        X224_RESET "x224-reset" Error Certain;
        X224_CLOSED "x224-closed" Error Certain;
        X224_TIMEOUT "x224-timeout" Error Certain;
        X224_NOT_RDP "x224-not-rdp" Error Certain;
        X224_MALFORMED "x224-malformed" Error Certain;
        X224_PROTOCOL_NOT_OFFERED "x224-protocol-not-offered" Error Certain;
        X224_TLS_REQUIRED "x224-tls-required" Error Certain;
        X224_TLS_NOT_ALLOWED "x224-tls-not-allowed" Error Certain;
        X224_CERTIFICATE_MISSING "x224-certificate-missing" Error Certain;
        X224_INCONSISTENT_FLAGS "x224-inconsistent-flags" Error Certain;
        X224_NLA_REQUIRED "x224-nla-required" Error Certain;
        X224_USER_AUTH_TLS_REQUIRED "x224-user-auth-tls-required" Error Certain;
        X224_UNKNOWN_FAILURE "x224-unknown-failure" Error Certain;
        SECURITY_RDP_ONLY "security-rdp-only" Warning Certain;
        NLA_REQUIRED "nla-required" Info Certain;
        NLA_NOT_REQUIRED "nla-not-required" Info Certain;
        NLA_NOT_SUPPORTED "nla-not-supported" Info Certain;
    }
    "tls" {
        TLS_KEY_UNUSABLE "tls-key-unusable" Error Likely;
        TLS_VERSION_MISMATCH "tls-version-mismatch" Error Certain;
        TLS_CIPHER_MISMATCH "tls-cipher-mismatch" Error Certain;
        TLS_INTERFERENCE "tls-interference" Error Likely;
        TLS_RESET "tls-reset" Error Certain;
        TLS_CLOSED "tls-closed" Error Certain;
        TLS_TIMEOUT "tls-timeout" Error Certain;
        TLS_STALLED "tls-stalled" Error Certain;
        TLS_ALERT "tls-alert" Error Certain;
        TLS_MALFORMED "tls-malformed" Error Certain;
        TLS_CLIENT_CERTIFICATE_REQUIRED "tls-client-certificate-required" Error Certain;
        TLS_LEGACY_VERSION "tls-legacy-version" Warning Certain;
        TLS_WEAK_CIPHER "tls-weak-cipher" Warning Certain;
    }
    "certificate" {
        CERT_EXPIRED "cert-expired" Error Certain;
        CERT_NOT_YET_VALID "cert-not-yet-valid" Error Certain;
        CERT_KEY_MISMATCH "cert-key-mismatch" Error Certain;
        CERT_PIN_MISMATCH "cert-pin-mismatch" Error Certain;
        CERT_UNREADABLE "cert-unreadable" Error Certain;
        CERT_EXPIRES_SOON "cert-expires-soon" Warning Certain;
        CERT_NAME_MISMATCH "cert-name-mismatch" Warning Certain;
        CERT_SELF_SIGNED "cert-self-signed" Info Certain;
        CERT_UNTRUSTED "cert-untrusted" Warning Certain;
        CERT_WEAK_KEY "cert-weak-key" Warning Certain;
        CERT_WEAK_SIGNATURE "cert-weak-signature" Warning Certain;
        CERT_WRONG_USAGE "cert-wrong-usage" Warning Certain;
        CERTS_DISAGREE "certs-disagree" Warning Certain;
        CLOCK_SKEW "clock-skew" Warning Certain;
    }
    "credssp" {
        CREDSSP_RESET "credssp-reset" Error Certain;
        CREDSSP_CLOSED "credssp-closed" Error Certain;
        CREDSSP_TIMEOUT "credssp-timeout" Error Certain;
        CREDSSP_MALFORMED "credssp-malformed" Error Certain;
        CREDSSP_OUTDATED "credssp-outdated" Error Certain;
        CREDSSP_NTLM_BLOCKED "credssp-ntlm-blocked" Error Certain;
        CREDSSP_KEY_MISMATCH "credssp-key-mismatch" Error Certain;
        CREDSSP_REJECTED "credssp-rejected" Error Certain;
        LOGON_BAD_CREDENTIALS "logon-bad-credentials" Error Certain;
        LOGON_ACCOUNT_LOCKED "logon-account-locked" Error Certain;
        LOGON_ACCOUNT_DISABLED "logon-account-disabled" Error Certain;
        LOGON_ACCOUNT_EXPIRED "logon-account-expired" Error Certain;
        LOGON_PASSWORD_EXPIRED "logon-password-expired" Error Certain;
        LOGON_PASSWORD_MUST_CHANGE "logon-password-must-change" Error Certain;
        LOGON_HOURS "logon-hours" Error Certain;
        LOGON_WORKSTATION "logon-workstation" Error Certain;
        LOGON_NOT_GRANTED "logon-not-granted" Error Certain;
        LOGON_RESTRICTED "logon-restricted" Error Certain;
        LOGON_NO_DOMAIN_CONTROLLER "logon-no-domain-controller" Error Certain;
        LOGON_CLOCK_SKEW "logon-clock-skew" Error Certain;
        LOGON_ACCESS_DENIED "logon-access-denied" Error Certain;
        LOGON_FAILED "logon-failed" Error Certain;
        LOGON_SKIPPED "logon-skipped" Info Certain;
        LOGON_NOT_OBSERVABLE "logon-not-observable" Info Certain;
    }
    "mcs" {
        MCS_REFUSED "mcs-refused" Error Certain;
        MCS_RESET "mcs-reset" Error Certain;
        MCS_CLOSED "mcs-closed" Error Certain;
        MCS_TIMEOUT "mcs-timeout" Error Certain;
        MCS_MALFORMED "mcs-malformed" Error Certain;
        MCS_WEAK_ENCRYPTION "mcs-weak-encryption" Warning Certain;
    }
    "licensing" {
        LICENSING_NO_SERVER "licensing-no-server" Error Certain;
        LICENSING_REJECTED "licensing-rejected" Error Certain;
        SERVER_ERROR_INFO "server-error-info" Error Certain;
        LICENSING_CHANNEL_REFUSED "licensing-channel-refused" Error Certain;
        LICENSING_RESET "licensing-reset" Error Likely;
        LICENSING_CLOSED "licensing-closed" Error Likely;
        LICENSING_TIMEOUT "licensing-timeout" Error Likely;
        LICENSING_MALFORMED "licensing-malformed" Error Likely;
        LICENSING_SKIPPED "licensing-skipped" Info Certain;
    }
    "udp" {
        UDP_NO_ANSWER "udp-no-answer" Info Certain;
        UDP_MALFORMED "udp-malformed" Info Certain;
        UDP_REJECTED "udp-rejected" Info Certain;
        UDP_PROHIBITED "udp-prohibited" Info Certain;
        UDP_LOSSY "udp-lossy" Info Certain;
        UDP_MTU "udp-mtu" Info Certain;
    }
    "general" {
        PROBE_DEPTH_LIMITED "probe-depth-limited" Info Certain;
        PROBE_CUT_SHORT "probe-cut-short" Info Certain;
        PROBE_LOCAL_FAULT "probe-local-fault" Info Certain;
        PROBE_INCOMPLETE "probe-incomplete" Info Certain;
        EXPECTATION_FAILED "expectation-failed" Error Certain;
        EXPECTATION_NOT_OBSERVABLE "expectation-not-observable" Info Certain;
    }
}

/// The verdict's code where there is no primary finding.
pub const HEALTHY: Code = Code::new("healthy");

/// The row of a code, by its name or a former one.
pub fn lookup(code: &str) -> Option<&'static Registered> {
    REGISTRY.iter().find(|row| row.code == code || row.aliases.contains(&code))
}

/// The place of a code in the registry; what is unknown (a report of a later version) comes last.
pub(crate) fn rank(code: &Code) -> usize {
    REGISTRY.iter().position(|row| row.code == code.as_str()).unwrap_or(REGISTRY.len())
}

/// Info findings that make a status inconclusive, because what was asked for was not answered.
pub(crate) fn leaves_question_open(code: &Code) -> bool {
    const OPEN: [Code; 6] = [
        LOGON_SKIPPED,
        LOGON_NOT_OBSERVABLE,
        PROBE_CUT_SHORT,
        PROBE_LOCAL_FAULT,
        PROBE_INCOMPLETE,
        EXPECTATION_NOT_OBSERVABLE,
    ];
    OPEN.contains(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_kebab_case() {
        let mut names: Vec<&str> =
            REGISTRY.iter().flat_map(|row| row.aliases.iter().copied().chain([row.code])).collect();
        names.push(HEALTHY.as_str().to_owned().leak());
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "a code stands twice");
        assert!(
            names.iter().all(|name| {
                name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            })
        );
    }

    #[test]
    fn a_code_is_found_by_its_name() {
        assert_eq!(lookup("tls-key-unusable").unwrap().severity, Severity::Error);
        assert!(lookup("no-such-code").is_none());
    }
}
