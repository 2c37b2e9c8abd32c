//! A TLS server made of paper: it chooses a version and a suite and sends its first flight, and proves nothing.
//!
//! It stands for servers whose versions and suites no library of today speaks. Its key exchange is signed with
//! noise, so it must not choose what rustls would go on with.

use rdprobe_report::{Authentication, CipherSuite, KeyExchange, NamedGroup, TlsVersion};

use super::PaperTlsStep;
use super::hello::ClientHello;
use super::wire::garbage;

/// Why a hello is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mismatch {
    Version,
    Suite,
}

const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;
const SERVER_KEY_EXCHANGE: u8 = 12;
const SERVER_HELLO_DONE: u8 = 14;

/// The flight that answers `hello`, in records.
pub(crate) fn flight(
    step: &PaperTlsStep,
    chain: &[impl AsRef<[u8]>],
    hello: &ClientHello,
) -> Result<Vec<u8>, Mismatch> {
    let own = if step.versions.is_empty() { &[TlsVersion::TLS_1_2][..] } else { &step.versions };
    let version =
        *own.iter().filter(|version| hello.offers_version(**version)).max().ok_or(Mismatch::Version)?;
    let ordered = if step.client_order { &hello.suites } else { &step.suites };
    let is_13 = version == TlsVersion::TLS_1_3;
    let (suite, group) = ordered
        .iter()
        .filter(|suite| {
            step.suites.contains(suite) && hello.suites.contains(suite) && suite.is_tls13() == is_13
        })
        .find_map(|suite| {
            let exchange = Exchange::of(*suite, version);
            match exchange {
                Exchange::Ec | Exchange::Tls13 => Some((*suite, Some(common_group(step, hello, exchange)?))),
                Exchange::StaticRsa | Exchange::FiniteField => Some((*suite, None)),
            }
        })
        .ok_or(Mismatch::Suite)?;
    if let Some(group) = group.filter(|group| is_13 && !hello.key_shares.contains(group)) {
        return Ok(record(
            22,
            TlsVersion::TLS_1_2,
            &message(SERVER_HELLO, &hello_retry_request(hello, suite, group)),
        ));
    }
    let mut messages = message(SERVER_HELLO, &server_hello(hello, version, suite, group));
    if is_13 {
        let mut bytes = record(22, TlsVersion::TLS_1_2, &messages);
        bytes.extend(record(20, TlsVersion::TLS_1_2, &[1]));
        // EncryptedExtensions, Certificate, … as they look to whoever has no keys.
        bytes.extend(record(23, TlsVersion::TLS_1_2, &garbage(1100)));
        return Ok(bytes);
    }
    let mut certificates = Vec::new();
    for certificate in chain {
        push_vector24(&mut certificates, certificate.as_ref());
    }
    let mut list = Vec::new();
    push_vector24(&mut list, &certificates);
    messages.extend(message(CERTIFICATE, &list));
    if let Some(body) = key_exchange(step, suite, version, group) {
        messages.extend(message(SERVER_KEY_EXCHANGE, &body));
    }
    messages.extend(message(SERVER_HELLO_DONE, &[]));
    Ok(messages.chunks(1 << 14).flat_map(|fragment| record(22, version, fragment)).collect())
}

/// A plaintext alert record.
pub(crate) fn alert(version: TlsVersion, level: u8, description: u8) -> Vec<u8> {
    record(21, version, &[level, description])
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exchange {
    StaticRsa,
    Ec,
    FiniteField,
    Tls13,
}

impl Exchange {
    fn of(suite: CipherSuite, version: TlsVersion) -> Self {
        match suite.key_exchange() {
            _ if version == TlsVersion::TLS_1_3 => Self::Tls13,
            Some(KeyExchange::Ecdhe) => Self::Ec,
            Some(KeyExchange::Dhe) => Self::FiniteField,
            _ => Self::StaticRsa,
        }
    }
}

fn common_group(step: &PaperTlsStep, hello: &ClientHello, exchange: Exchange) -> Option<NamedGroup> {
    let own = if step.groups.is_empty() {
        &[NamedGroup::SECP256R1, NamedGroup::X25519, NamedGroup::SECP384R1][..]
    } else {
        &step.groups
    };
    // RFC 8422 4: without the extension, the server may choose any.
    let offered = |group: &&NamedGroup| hello.groups.as_ref().is_none_or(|groups| groups.contains(group));
    let shared = |group: &&NamedGroup| exchange == Exchange::Tls13 && hello.key_shares.contains(group);
    own.iter().find(shared).or_else(|| own.iter().find(offered)).copied()
}

fn server_hello(
    hello: &ClientHello,
    version: TlsVersion,
    suite: CipherSuite,
    group: Option<NamedGroup>,
) -> Vec<u8> {
    let is_13 = version == TlsVersion::TLS_1_3;
    let legacy = if is_13 { TlsVersion::TLS_1_2 } else { version };
    let mut body = legacy.0.to_be_bytes().to_vec();
    body.extend(garbage(32));
    let session_id = if is_13 { &hello.session_id[..] } else { &[] };
    body.push(session_id.len() as u8);
    body.extend(session_id);
    body.extend(suite.0.to_be_bytes());
    body.push(0);
    let mut extensions = Vec::new();
    if is_13 {
        push_extension(&mut extensions, 0x002B, &version.0.to_be_bytes());
        let group = group.expect("TLS 1.3 has a group");
        let mut share = group.0.to_be_bytes().to_vec();
        push_vector16(&mut share, &public_value(group));
        push_extension(&mut extensions, 0x0033, &share);
    } else {
        if hello.renegotiation_info {
            push_extension(&mut extensions, 0xFF01, &[0]);
        }
        if hello.extended_master_secret {
            push_extension(&mut extensions, 0x0017, &[]);
        }
    }
    if !extensions.is_empty() {
        push_vector16(&mut body, &extensions);
    }
    body
}

/// A ServerHello that asks for the key share of a group (RFC 8446 4.1.4).
fn hello_retry_request(hello: &ClientHello, suite: CipherSuite, group: NamedGroup) -> Vec<u8> {
    const RANDOM: &str = "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c";
    let mut body = TlsVersion::TLS_1_2.0.to_be_bytes().to_vec();
    body.extend(hex::decode(RANDOM).expect("a constant"));
    body.push(hello.session_id.len() as u8);
    body.extend(&hello.session_id);
    body.extend(suite.0.to_be_bytes());
    body.push(0);
    let mut extensions = Vec::new();
    push_extension(&mut extensions, 0x002B, &TlsVersion::TLS_1_3.0.to_be_bytes());
    push_extension(&mut extensions, 0x0033, &group.0.to_be_bytes());
    push_vector16(&mut body, &extensions);
    body
}

fn key_exchange(
    step: &PaperTlsStep,
    suite: CipherSuite,
    version: TlsVersion,
    group: Option<NamedGroup>,
) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    match Exchange::of(suite, version) {
        Exchange::StaticRsa | Exchange::Tls13 => return None,
        Exchange::Ec => {
            let group = group?;
            body.push(3);
            body.extend(group.0.to_be_bytes());
            let point = public_value(group);
            body.push(point.len() as u8);
            body.extend(point);
        }
        Exchange::FiniteField => {
            let mut prime = garbage((step.dh_bits.unwrap_or(2048) / 8) as usize);
            if let Some(top) = prime.first_mut() {
                *top |= 0x80;
            }
            push_vector16(&mut body, &prime);
            push_vector16(&mut body, &[2]);
            push_vector16(&mut body, &prime);
        }
    }
    if suite.authentication() == Some(Authentication::Anonymous) {
        return Some(body);
    }
    let ecdsa = suite.authentication() == Some(Authentication::Ecdsa);
    if version == TlsVersion::TLS_1_2 {
        body.extend(if ecdsa { [0x04, 0x03] } else { [0x04, 0x01] });
    }
    push_vector16(&mut body, &garbage(if ecdsa { 71 } else { 256 }));
    Some(body)
}

/// A valid public value of the group, so that a careful client finds nothing wrong with it.
fn public_value(group: NamedGroup) -> Vec<u8> {
    let text = match group {
        // RFC 7748 6.1, Bob's.
        NamedGroup::X25519 => "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
        // The base points of SEC 2.
        NamedGroup::SECP256R1 => concat!(
            "04",
            "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
            "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
        ),
        NamedGroup::SECP384R1 => concat!(
            "04",
            "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
            "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f"
        ),
        _ => return garbage(133),
    };
    hex::decode(text).expect("the constants are hex")
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    push_vector24(&mut bytes, body);
    bytes
}

fn record(kind: u8, version: TlsVersion, fragment: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend(version.0.to_be_bytes());
    push_vector16(&mut bytes, fragment);
    bytes
}

fn push_extension(extensions: &mut Vec<u8>, kind: u16, data: &[u8]) {
    extensions.extend(kind.to_be_bytes());
    push_vector16(extensions, data);
}

fn push_vector16(bytes: &mut Vec<u8>, data: &[u8]) {
    bytes.extend((data.len() as u16).to_be_bytes());
    bytes.extend(data);
}

fn push_vector24(bytes: &mut Vec<u8>, data: &[u8]) {
    bytes.extend(&(data.len() as u32).to_be_bytes()[1..]);
    bytes.extend(data);
}
