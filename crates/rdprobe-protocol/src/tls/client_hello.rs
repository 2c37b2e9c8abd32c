//! Builds a ClientHello from a profile (RFC 8446 4.1.2).

use std::net::IpAddr;

use rdprobe_report::hello::Extension;
use rdprobe_report::{HelloProfile, TlsVersion};

use super::{extension, key_share, message, record};

/// The randomness of a ClientHello, drawn by the caller so that this crate stays pure.
#[derive(Clone, Copy, Debug)]
pub struct HelloSeed {
    /// `random`.
    pub random: [u8; 32],
    /// `legacy_session_id`, sent where TLS 1.3 is offered (RFC 8446 D.4).
    pub session_id: [u8; 32],
    /// The share of x25519.
    pub key_share: [u8; 32],
}

impl From<[u8; 96]> for HelloSeed {
    fn from(bytes: [u8; 96]) -> Self {
        let part = |at: usize| std::array::from_fn(|index| bytes[at + index]);
        Self { random: part(0), session_id: part(32), key_share: part(64) }
    }
}

/// Whether `name` can be sent as a server name: a DNS host name, and no address (RFC 6066 3).
pub fn is_server_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    (1..=253).contains(&name.len()) && name.split('.').all(label) && name.parse::<IpAddr>().is_err()
}

/// The ClientHello in its record, as `profile` has it. `server_name` is left out where it is no DNS name.
pub fn client_hello(profile: &HelloProfile, server_name: Option<&str>, seed: &HelloSeed) -> Vec<u8> {
    let best = profile.versions.iter().max().copied();
    let legacy_version = best.unwrap_or(TlsVersion::TLS_1_2).min(TlsVersion::TLS_1_2);
    let session_id: &[u8] = if profile.offers_tls13() && profile.session_id { &seed.session_id } else { &[] };

    let mut body = legacy_version.0.to_be_bytes().to_vec();
    body.extend_from_slice(&seed.random);
    body.extend(vector8(session_id));
    body.extend(vector16(&code_points(profile.suites.iter().map(|suite| suite.0))));
    body.extend(vector8(&profile.compression));

    let extensions: Vec<u8> = profile
        .extensions
        .iter()
        .filter_map(|kind| extension_of(kind, profile, server_name, seed))
        .flatten()
        .collect();
    if !extensions.is_empty() {
        body.extend(vector16(&extensions));
    }

    let mut handshake = vec![message::CLIENT_HELLO];
    handshake.extend_from_slice(&(body.len() as u32).to_be_bytes()[1..]);
    handshake.extend(body);

    let mut hello = vec![record::HANDSHAKE];
    hello.extend_from_slice(&profile.record_version.0.to_be_bytes());
    hello.extend(vector16(&handshake));
    hello
}

/// The extension with its type and length, none where it would be empty of meaning.
fn extension_of(
    kind: &Extension,
    profile: &HelloProfile,
    server_name: Option<&str>,
    seed: &HelloSeed,
) -> Option<Vec<u8>> {
    let versions = || code_points(profile.versions.iter().map(|version| version.0));
    let (code, data) = match kind {
        Extension::ServerName => {
            let name = server_name.filter(|name| is_server_name(name))?;
            let name = name.strip_suffix('.').unwrap_or(name);
            let mut entry = vec![0];
            entry.extend(vector16(name.as_bytes()));
            (extension::SERVER_NAME, vector16(&entry))
        }
        // OCSP, no responders and no request extensions (RFC 6066 8).
        Extension::StatusRequest => (extension::STATUS_REQUEST, vec![1, 0, 0, 0, 0]),
        Extension::SupportedGroups => {
            let groups = code_points(profile.groups.iter().map(|group| group.0));
            (extension::SUPPORTED_GROUPS, vector16(some(&groups)?))
        }
        Extension::EcPointFormats => (extension::EC_POINT_FORMATS, vector8(some(&profile.point_formats)?)),
        Extension::SignatureAlgorithms | Extension::SignatureAlgorithmsCert => {
            let schemes = code_points(profile.signature_schemes.iter().map(|scheme| scheme.0));
            let code = match kind {
                Extension::SignatureAlgorithms => extension::SIGNATURE_ALGORITHMS,
                _ => extension::SIGNATURE_ALGORITHMS_CERT,
            };
            (code, vector16(some(&schemes)?))
        }
        Extension::ApplicationLayerProtocolNegotiation => {
            let names: Vec<u8> = profile.alpn.iter().flat_map(|name| vector8(name.as_bytes())).collect();
            (extension::APPLICATION_LAYER_PROTOCOL_NEGOTIATION, vector16(some(&names)?))
        }
        Extension::EncryptThenMac => (extension::ENCRYPT_THEN_MAC, Vec::new()),
        Extension::PostHandshakeAuth => (extension::POST_HANDSHAKE_AUTH, Vec::new()),
        Extension::SessionTicket => (extension::SESSION_TICKET, Vec::new()),
        Extension::ExtendedMasterSecret => (extension::EXTENDED_MASTER_SECRET, Vec::new()),
        Extension::SupportedVersions => (extension::SUPPORTED_VERSIONS, vector8(some(&versions())?)),
        // psk_dhe_ke (RFC 8446 4.2.9).
        Extension::PskKeyExchangeModes => (extension::PSK_KEY_EXCHANGE_MODES, vec![1, 1]),
        Extension::KeyShare => {
            let mut shares = Vec::new();
            for group in &profile.key_shares {
                if let Some(share) = key_share::for_group(*group, &seed.key_share) {
                    shares.extend_from_slice(&group.0.to_be_bytes());
                    shares.extend(vector16(&share));
                }
            }
            (extension::KEY_SHARE, vector16(&shares))
        }
        // No renegotiation is under way (RFC 5746 3.4).
        Extension::RenegotiationInfo => (extension::RENEGOTIATION_INFO, vec![0]),
        Extension::Raw(raw) => (raw.r#type, hex::decode(&raw.data).ok()?),
    };
    let mut extension = code.to_be_bytes().to_vec();
    extension.extend(vector16(&data));
    Some(extension)
}

fn some(bytes: &[u8]) -> Option<&[u8]> {
    (!bytes.is_empty()).then_some(bytes)
}

fn code_points(codes: impl Iterator<Item = u16>) -> Vec<u8> {
    codes.flat_map(u16::to_be_bytes).collect()
}

/// Our own data, which the profiles keep far below the limit.
fn vector8(data: &[u8]) -> Vec<u8> {
    let mut vector = vec![data.len() as u8];
    vector.extend_from_slice(data);
    vector
}

fn vector16(data: &[u8]) -> Vec<u8> {
    let mut vector = (data.len() as u16).to_be_bytes().to_vec();
    vector.extend_from_slice(data);
    vector
}

#[cfg(test)]
mod tests {
    use rdprobe_report::CipherSuite;
    use rdprobe_report::hello::{DEFAULT_CLIENT, NO_SNI, NO_TLS13, SMALL};

    use super::super::ClientHello;
    use super::*;
    use crate::testing::{frame, seed};

    #[test]
    fn the_hello_of_windows_7_is_the_captured_one() {
        // The captured client sent its address as a server name, which RFC 6066 forbids and we leave out.
        let captured = ClientHello::decode(&frame("tls_client_hello_mstsc")).unwrap();
        let profile = HelloProfile::client("mstsc-win7").unwrap();
        let ours = ClientHello::decode(&client_hello(profile, Some("192.168.1.150"), &seed())).unwrap();
        assert_eq!(ours.suites, captured.suites);
        assert_eq!(ours.groups, captured.groups);
        assert_eq!(ours.legacy_version, captured.legacy_version);
        assert_eq!(ours.record_version, captured.record_version);
        assert_eq!(ours.session_id, captured.session_id);
        assert_eq!(ours.server_name, None);
        assert_eq!(captured.server_name.as_deref(), Some("192.168.1.150"));
    }

    #[test]
    fn every_profile_offers_what_it_says() {
        for profile in HelloProfile::all() {
            let bytes = client_hello(profile, Some("rds01.corp.example."), &seed());
            let hello = ClientHello::decode(&bytes).unwrap();
            assert_eq!(hello.size, bytes.len());
            assert_eq!(hello.suites, profile.suites, "{}", profile.id);
            assert_eq!(hello.versions.first(), profile.versions.first(), "{}", profile.id);
            assert_eq!(hello.key_shares, profile.key_shares, "{}", profile.id);
            assert_eq!(hello.signature_schemes, profile.signature_schemes_sent(), "{}", profile.id);
            assert!(hello.legacy_version <= TlsVersion::TLS_1_2);
            assert_eq!(hello.server_name.as_deref(), Some("rds01.corp.example"), "{}", profile.id);
            assert_eq!(hello.random, seed().random);
        }
    }

    trait Sent {
        fn signature_schemes_sent(&self) -> Vec<rdprobe_report::SignatureScheme>;
    }

    impl Sent for HelloProfile {
        fn signature_schemes_sent(&self) -> Vec<rdprobe_report::SignatureScheme> {
            match self.extensions.contains(&Extension::SignatureAlgorithms) {
                true => self.signature_schemes.clone(),
                false => Vec::new(),
            }
        }
    }

    #[test]
    fn variants_lack_what_they_lack() {
        let hello = |id| {
            let profile = HelloProfile::named(id, DEFAULT_CLIENT).unwrap();
            ClientHello::decode(&client_hello(&profile, Some("host.example"), &seed())).unwrap()
        };
        assert_eq!(hello(NO_SNI).server_name, None);
        assert!(!hello(NO_TLS13).versions.contains(&TlsVersion::TLS_1_3));
        assert!(hello(NO_TLS13).session_id.is_empty());
        assert!(hello(SMALL).size < hello(NO_SNI).size);
        assert!(hello(SMALL).suites.contains(&CipherSuite(0xC030)));
    }

    #[test]
    fn addresses_and_nonsense_are_no_server_names() {
        for name in ["192.0.2.7", "2001:db8::1", "::1", "", ".", "a..b", "fe80::1%eth0", "host name"] {
            assert!(!is_server_name(name), "{name}");
        }
        for name in ["localhost", "rds01.corp.example", "rds01.corp.example.", "MY_PC"] {
            assert!(is_server_name(name), "{name}");
        }
    }
}
