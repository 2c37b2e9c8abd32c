//! Mozilla's guidelines for TLS servers, version 5.8: the last that has all three configurations.
//!
//! Source: <https://ssl-config.mozilla.org/guidelines/5.8.json> (mozilla/ssl-config-generator,
//! `src/static/guidelines/5.8.json`). What concerns web servers alone (HSTS, OCSP stapling) is left out.

use rdprobe_report::{TlsPolicy, TlsVersion};

pub(super) const SOURCE: &str = "https://ssl-config.mozilla.org/guidelines/5.8.json";

/// One configuration, as far as a Remote Desktop host can keep it. Suites and groups by their IANA names.
pub(super) struct Guideline {
    pub(super) tls_versions: &'static [TlsVersion],
    /// Of TLS 1.3.
    pub(super) ciphersuites: &'static [&'static str],
    /// Of TLS 1.2 and below.
    pub(super) ciphers: &'static [&'static str],
    pub(super) tls_curves: &'static [&'static str],
    /// The least size of a finite-field group, in bits.
    pub(super) dh_param_size: Option<u32>,
    /// The least size of an RSA key, in bits.
    pub(super) rsa_key_size: Option<u32>,
    /// Kinds of keys.
    pub(super) certificate_types: &'static [&'static str],
    pub(super) certificate_curves: &'static [&'static str],
    /// Whose order decides.
    pub(super) server_preferred_order: bool,
}

const TLS13: &[&str] = &["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];
const CURVES: &[&str] = &["x25519", "secp256r1", "secp384r1"];
const KEY_CURVES: &[&str] = &["secp256r1", "secp384r1"];

const MODERN: Guideline = Guideline {
    tls_versions: &[TlsVersion::TLS_1_3],
    ciphersuites: TLS13,
    ciphers: &[],
    tls_curves: CURVES,
    dh_param_size: None,
    rsa_key_size: None,
    certificate_types: &["EC"],
    certificate_curves: KEY_CURVES,
    server_preferred_order: false,
};

const INTERMEDIATE: Guideline = Guideline {
    tls_versions: &[TlsVersion::TLS_1_3, TlsVersion::TLS_1_2],
    ciphersuites: TLS13,
    ciphers: &[
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    ],
    tls_curves: CURVES,
    dh_param_size: Some(2048),
    rsa_key_size: Some(2048),
    certificate_types: &["EC", "RSA"],
    certificate_curves: KEY_CURVES,
    server_preferred_order: false,
};

const OLD: Guideline = Guideline {
    tls_versions: &[TlsVersion::TLS_1_3, TlsVersion::TLS_1_2, TlsVersion::TLS_1_1, TlsVersion::TLS_1_0],
    ciphersuites: TLS13,
    ciphers: &[
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
        "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256",
        "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256",
        "TLS_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_RSA_WITH_AES_128_CBC_SHA256",
        "TLS_RSA_WITH_AES_256_CBC_SHA256",
        "TLS_RSA_WITH_AES_128_CBC_SHA",
        "TLS_RSA_WITH_AES_256_CBC_SHA",
        "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    ],
    tls_curves: CURVES,
    dh_param_size: Some(1024),
    rsa_key_size: Some(2048),
    certificate_types: &["RSA"],
    certificate_curves: KEY_CURVES,
    server_preferred_order: true,
};

/// The configuration of this name.
pub(super) fn guideline(policy: TlsPolicy) -> Option<&'static Guideline> {
    Some(match policy {
        TlsPolicy::Modern => &MODERN,
        TlsPolicy::Intermediate => &INTERMEDIATE,
        TlsPolicy::Old => &OLD,
        _ => return None,
    })
}
