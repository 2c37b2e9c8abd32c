//! Reads a client's ClientHello (RFC 8446 4.1.2), for peers that answer by what was offered.

use rdprobe_report::hello::{Extension, Limits, ProfileKind, RawExtension};
use rdprobe_report::{CipherSuite, HelloProfile, NamedGroup, SignatureScheme, TlsVersion};

use super::{extension, message, record};
use crate::DecodeError;
use crate::decode::Reader;

/// What a ClientHello offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHello {
    /// Bytes that it took with its record headers.
    pub size: usize,
    /// Version in the first record header.
    pub record_version: TlsVersion,
    /// `legacy_version`.
    pub legacy_version: TlsVersion,
    /// Versions offered, best first: `supported_versions`, else `legacy_version` down to TLS 1.0.
    pub versions: Vec<TlsVersion>,
    /// `random`.
    pub random: [u8; 32],
    /// `legacy_session_id`.
    pub session_id: Vec<u8>,
    /// Suites, in order.
    pub suites: Vec<CipherSuite>,
    /// Compression methods, in order.
    pub compression: Vec<u8>,
    /// Types of the extensions, in order.
    pub extensions: Vec<u16>,
    /// The extensions' contents, in the same order.
    pub contents: Vec<Vec<u8>>,
    /// Point formats, in order.
    pub point_formats: Vec<u8>,
    /// Application protocols, in order.
    pub alpn: Vec<String>,
    /// The DNS name in `server_name`.
    pub server_name: Option<String>,
    /// `supported_groups`, in order.
    pub groups: Vec<NamedGroup>,
    /// Groups with a key share, in order.
    pub key_shares: Vec<NamedGroup>,
    /// `signature_algorithms`, in order.
    pub signature_schemes: Vec<SignatureScheme>,
}

impl ClientHello {
    /// Reads one ClientHello from the front of a connection, over as many records as it takes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut records = Reader(bytes);
        let mut handshake = Vec::new();
        let mut record_version = None;
        loop {
            let [kind, major, minor, high, low] = match records.array() {
                Some(header) => header,
                None => return Err(Self::cut(records.0)),
            };
            let length = usize::from(u16::from_be_bytes([high, low]));
            if kind != record::HANDSHAKE || major != 3 || length == 0 || length > record::MAX_LENGTH {
                return Err(DecodeError::malformed("no TLS handshake record"));
            }
            record_version.get_or_insert(TlsVersion(u16::from_be_bytes([major, minor])));
            handshake.extend_from_slice(records.take(length).ok_or(DecodeError::Incomplete)?);
            let mut reader = Reader(&handshake);
            if reader.u8() != Some(message::CLIENT_HELLO) {
                return Err(DecodeError::malformed("no ClientHello"));
            }
            if let Some(body) = reader.vector24() {
                let size = bytes.len() - records.0.len();
                let record_version = record_version.unwrap_or(TlsVersion::TLS_1_0);
                return Self::read(body, size, record_version)
                    .ok_or_else(|| DecodeError::malformed("a length does not fit the ClientHello"));
            }
            if handshake.len() > u16::MAX.into() {
                return Err(DecodeError::malformed("a ClientHello of more than 64 KiB"));
            }
        }
    }

    /// What an incomplete record header allows to say.
    fn cut(header: &[u8]) -> DecodeError {
        match header {
            [] | [record::HANDSHAKE] | [record::HANDSHAKE, 3, ..] => DecodeError::Incomplete,
            _ => DecodeError::malformed("no TLS handshake record"),
        }
    }

    fn read(mut body: Reader<'_>, size: usize, record_version: TlsVersion) -> Option<Self> {
        let legacy_version = TlsVersion(body.u16()?);
        let mut hello = Self {
            size,
            record_version,
            legacy_version,
            versions: Vec::new(),
            random: body.array()?,
            session_id: body.vector8()?.0.to_vec(),
            suites: code_points(body.vector16()?).map(CipherSuite).collect(),
            compression: Vec::new(),
            extensions: Vec::new(),
            contents: Vec::new(),
            point_formats: Vec::new(),
            alpn: Vec::new(),
            server_name: None,
            groups: Vec::new(),
            key_shares: Vec::new(),
            signature_schemes: Vec::new(),
        };
        hello.compression = body.vector8()?.0.to_vec();
        let mut extensions = if body.is_empty() { Reader(&[]) } else { body.vector16()? };
        while !extensions.is_empty() {
            let (code, data) = (extensions.u16()?, extensions.vector16()?);
            hello.extensions.push(code);
            hello.contents.push(data.0.to_vec());
            hello.read_extension(code, data)?;
        }
        if hello.versions.is_empty() {
            hello.versions = (TlsVersion::TLS_1_0.0..=legacy_version.0.min(TlsVersion::TLS_1_2.0))
                .rev()
                .map(TlsVersion)
                .collect();
        }
        body.is_empty().then_some(hello)
    }

    fn read_extension(&mut self, code: u16, mut data: Reader<'_>) -> Option<()> {
        match code {
            extension::SERVER_NAME => {
                let mut names = data.vector16()?;
                while let Some(kind) = names.u8() {
                    let name = names.vector16()?;
                    if kind == 0 {
                        self.server_name = String::from_utf8(name.0.to_vec()).ok();
                    }
                }
            }
            extension::SUPPORTED_GROUPS => {
                self.groups = code_points(data.vector16()?).map(NamedGroup).collect();
            }
            extension::EC_POINT_FORMATS => self.point_formats = data.vector8()?.0.to_vec(),
            extension::APPLICATION_LAYER_PROTOCOL_NEGOTIATION => {
                let mut names = data.vector16()?;
                while !names.is_empty() {
                    self.alpn.push(String::from_utf8_lossy(names.vector8()?.0).into_owned());
                }
            }
            extension::SIGNATURE_ALGORITHMS => {
                self.signature_schemes = code_points(data.vector16()?).map(SignatureScheme).collect();
            }
            extension::SUPPORTED_VERSIONS => {
                self.versions = code_points(data.vector8()?).map(TlsVersion).collect();
            }
            extension::KEY_SHARE => {
                let mut shares = data.vector16()?;
                while !shares.is_empty() {
                    self.key_shares.push(NamedGroup(shares.u16()?));
                    shares.vector16()?;
                }
            }
            _ => {}
        }
        Some(())
    }
}

impl ClientHello {
    /// The profile of whoever sent this: what [`client_hello`](super::client_hello) makes of it is this hello again,
    /// randomness and the server name apart. What it does not say (whose it is, limits on keys) is left empty.
    pub fn profile(&self) -> HelloProfile {
        let contents = self.extensions.iter().zip(&self.contents);
        HelloProfile {
            id: String::new(),
            title: String::new(),
            short: String::new(),
            kind: ProfileKind::Client,
            basis: String::new(),
            source: String::new(),
            record_version: self.record_version,
            versions: self.versions.clone(),
            suites: self.suites.clone(),
            groups: self.groups.clone(),
            key_shares: self.key_shares.clone(),
            signature_schemes: self.signature_schemes.clone(),
            extensions: contents.map(|(code, data)| self.extension(*code, data)).collect(),
            session_id: !self.session_id.is_empty(),
            compression: self.compression.clone(),
            point_formats: if self.point_formats.is_empty() { vec![0] } else { self.point_formats.clone() },
            alpn: self.alpn.clone(),
            limits: Limits::default(),
        }
    }

    /// The extension by its name where the rest of a profile says what is in it, else as it stands.
    fn extension(&self, code: u16, data: &[u8]) -> Extension {
        let schemes = || {
            let codes: Vec<u8> =
                self.signature_schemes.iter().flat_map(|scheme| scheme.0.to_be_bytes()).collect();
            data.get(2..) == Some(&codes[..])
        };
        match (code, data) {
            (extension::SERVER_NAME, _) => Extension::ServerName,
            (extension::STATUS_REQUEST, [1, 0, 0, 0, 0]) => Extension::StatusRequest,
            (extension::SUPPORTED_GROUPS, _) => Extension::SupportedGroups,
            (extension::EC_POINT_FORMATS, _) => Extension::EcPointFormats,
            (extension::SIGNATURE_ALGORITHMS, _) => Extension::SignatureAlgorithms,
            (extension::APPLICATION_LAYER_PROTOCOL_NEGOTIATION, _) => {
                Extension::ApplicationLayerProtocolNegotiation
            }
            (extension::ENCRYPT_THEN_MAC, []) => Extension::EncryptThenMac,
            (extension::EXTENDED_MASTER_SECRET, []) => Extension::ExtendedMasterSecret,
            (extension::SESSION_TICKET, []) => Extension::SessionTicket,
            (extension::SUPPORTED_VERSIONS, _) => Extension::SupportedVersions,
            (extension::PSK_KEY_EXCHANGE_MODES, [1, 1]) => Extension::PskKeyExchangeModes,
            (extension::POST_HANDSHAKE_AUTH, []) => Extension::PostHandshakeAuth,
            (extension::SIGNATURE_ALGORITHMS_CERT, _) if schemes() => Extension::SignatureAlgorithmsCert,
            (extension::KEY_SHARE, _) => Extension::KeyShare,
            (extension::RENEGOTIATION_INFO, [0]) => Extension::RenegotiationInfo,
            _ => Extension::Raw(RawExtension { r#type: code, data: hex::encode(data) }),
        }
    }
}

fn code_points(mut list: Reader<'_>) -> impl Iterator<Item = u16> {
    std::iter::from_fn(move || list.u16())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rdprobe_report::hello::DEFAULT_CLIENT;

    use super::super::client_hello;
    use super::*;
    use crate::testing::{frame, garbled, seed};

    fn hello() -> Vec<u8> {
        client_hello(HelloProfile::client(DEFAULT_CLIENT).unwrap(), Some("host.example"), &seed())
    }

    #[test]
    fn every_beginning_of_a_hello_is_incomplete() {
        for bytes in [hello(), frame("tls_client_hello_mstsc")] {
            for cut in 0..bytes.len() {
                assert_eq!(ClientHello::decode(&bytes[..cut]), Err(DecodeError::Incomplete), "{cut}");
            }
        }
    }

    #[test]
    fn every_profile_is_read_back_from_its_hello() {
        for profile in HelloProfile::clients() {
            let bytes = client_hello(profile, Some("host.example"), &seed());
            let read = ClientHello::decode(&bytes).unwrap().profile();
            let mut expected = profile.clone();
            // Neither is on the wire where it is not sent.
            expected.session_id &= profile.offers_tls13();
            if !profile.extensions.contains(&Extension::SignatureAlgorithms) {
                expected.signature_schemes.clear();
            }
            expected.versions.clone_from(&read.versions);
            assert!(read.sends_like(&expected), "{}: {read:?}", profile.id);
        }
    }

    #[test]
    fn a_hello_over_two_records_is_one_hello() {
        let whole = hello();
        let (head, tail) = whole[record::HEADER..].split_at(100);
        let mut split = Vec::new();
        for part in [head, tail] {
            split.extend_from_slice(&[22, 3, 3]);
            split.extend_from_slice(&(part.len() as u16).to_be_bytes());
            split.extend_from_slice(part);
        }
        let read = ClientHello::decode(&split).unwrap();
        assert_eq!(read.size, split.len());
        assert_eq!(read.suites, ClientHello::decode(&whole).unwrap().suites);
    }

    #[test]
    fn versions_are_implied_where_they_are_not_listed() {
        let read = ClientHello::decode(&frame("tls_client_hello_mstsc")).unwrap();
        assert_eq!(read.versions, [TlsVersion::TLS_1_0]);
    }

    proptest! {
        #[test]
        fn garbled_hellos_do_no_harm(bytes in garbled(hello())) {
            let _ = ClientHello::decode(&bytes);
        }
    }
}
