//! The server's handshake messages in clear: ServerHello, Certificate, ServerKeyExchange.

use rdprobe_report::facts::TlsFacts;
use rdprobe_report::{Authentication, CipherSuite, KeyExchange, NamedGroup, SignatureScheme, TlsVersion};

use super::{Flight, extension, message};
use crate::decode::Reader;

/// The `random` that makes a ServerHello a HelloRetryRequest (RFC 8446 4.1.3).
const HELLO_RETRY_REQUEST: [u8; 32] = [
    0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91, 0xC2,
    0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
];

/// `named_curve` (RFC 8422 5.4).
const NAMED_CURVE: u8 = 3;
/// More messages than these come in no flight; a flood of empty ones is cut off here.
const MAX_MESSAGES: usize = 32;

/// Whether the reader goes on after a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    More,
    /// The server has said all that it says in clear.
    Done,
    Malformed(String),
}

/// Reads one message into `facts` and `flight`.
pub(super) fn read(kind: u8, body: &[u8], facts: &mut TlsFacts, flight: &mut Flight) -> Next {
    if facts.messages.len() >= MAX_MESSAGES {
        return Next::Malformed(format!("more than {MAX_MESSAGES} handshake messages in one flight"));
    }
    let Some(name) = name_of(kind) else {
        return Next::Malformed(format!("handshake message of type {kind}"));
    };
    let greeted = facts.version.is_some();
    let expected = match kind {
        message::SERVER_HELLO => !greeted,
        message::HELLO_REQUEST => true,
        _ => greeted,
    };
    if !expected {
        return Next::Malformed(format!("{name} out of order"));
    }
    let body = Reader(body);
    let read = match kind {
        message::SERVER_HELLO => read_server_hello(body, facts, flight),
        message::CERTIFICATE => read_certificates(body).map(|sent| flight.chain = sent),
        message::SERVER_KEY_EXCHANGE => {
            let _ = read_key_exchange(body, facts, flight);
            Some(())
        }
        message::CERTIFICATE_REQUEST => {
            facts.certificate_requested = true;
            Some(())
        }
        _ => Some(()),
    };
    if read.is_none() {
        return Next::Malformed(format!("a length does not fit the {name}"));
    }
    let name = if facts.hello_retry_request { "hello_retry_request" } else { name };
    facts.messages.push(name.into());
    // From here on TLS 1.3 is encrypted.
    let is_tls13 = facts.version >= Some(TlsVersion::TLS_1_3);
    if kind == message::SERVER_HELLO_DONE || is_tls13 { Next::Done } else { Next::More }
}

fn name_of(kind: u8) -> Option<&'static str> {
    Some(match kind {
        message::HELLO_REQUEST => "hello_request",
        message::SERVER_HELLO => "server_hello",
        message::CERTIFICATE => "certificate",
        message::SERVER_KEY_EXCHANGE => "server_key_exchange",
        message::CERTIFICATE_REQUEST => "certificate_request",
        message::SERVER_HELLO_DONE => "server_hello_done",
        message::CERTIFICATE_STATUS => "certificate_status",
        _ => return None,
    })
}

/// RFC 8446 4.1.3, and RFC 5246 7.4.1.3, whose extensions may be missing.
fn read_server_hello(mut body: Reader<'_>, facts: &mut TlsFacts, flight: &mut Flight) -> Option<()> {
    let mut version = TlsVersion(body.u16()?);
    let random: [u8; 32] = body.array()?;
    let session_id = body.vector8()?;
    let suite = CipherSuite(body.u16()?);
    let compression = body.u8()?;
    let mut group = None;
    let mut extensions = if body.is_empty() { Reader(&[]) } else { body.vector16()? };
    while !extensions.is_empty() {
        let (code, mut data) = (extensions.u16()?, extensions.vector16()?);
        flight.extensions.push(code);
        match code {
            extension::APPLICATION_LAYER_PROTOCOL_NEGOTIATION => flight.alpn = read_alpn(data),
            extension::SUPPORTED_VERSIONS => version = TlsVersion(data.u16()?),
            // A HelloRetryRequest has the group alone.
            extension::KEY_SHARE => group = Some(NamedGroup(data.u16()?)),
            _ => {}
        }
    }
    if !body.is_empty() {
        return None;
    }
    facts.hello_retry_request = random == HELLO_RETRY_REQUEST;
    facts.version = Some(version);
    facts.suite = Some(suite);
    facts.suite_code = Some(suite.code());
    facts.group = group;
    flight.compression = compression;
    flight.session_id_bytes = u8::try_from(session_id.0.len()).unwrap_or(u8::MAX);
    Some(())
}

/// The one protocol that a server names (RFC 7301 3.1).
fn read_alpn(mut data: Reader<'_>) -> Option<String> {
    let name = data.vector16()?.vector8()?;
    Some(String::from_utf8_lossy(name.0).into_owned())
}

/// RFC 5246 7.4.2.
fn read_certificates(mut body: Reader<'_>) -> Option<Vec<Vec<u8>>> {
    let mut list = body.vector24()?;
    let mut chain = Vec::new();
    while !list.is_empty() {
        chain.push(list.vector24()?.0.to_vec());
    }
    body.is_empty().then_some(chain)
}

/// RFC 8422 5.4, and RFC 5246 7.4.3 for finite fields. What cannot be read is left out: the facts are welcome, and
/// the handshake goes no further for us either way.
fn read_key_exchange(mut body: Reader<'_>, facts: &mut TlsFacts, flight: &mut Flight) -> Option<()> {
    let suite = facts.suite?;
    if suite.authentication()? == Authentication::Psk {
        // The hint (RFC 4279 3, RFC 5489 2).
        body.vector16()?;
    }
    if suite.key_exchange()? == KeyExchange::Ecdhe {
        if body.u8()? != NAMED_CURVE {
            return None;
        }
        facts.group = Some(NamedGroup(body.u16()?));
        body.vector8()?;
    } else if suite.key_exchange()? == KeyExchange::Dhe {
        let prime = body.vector16()?;
        flight.dh_bits = Some(bits(prime.0));
        for _ in ["g", "Ys"] {
            body.vector16()?;
        }
    } else {
        return None;
    }
    let is_signed = !matches!(suite.authentication()?, Authentication::Anonymous | Authentication::Psk);
    if is_signed && facts.version == Some(TlsVersion::TLS_1_2) {
        facts.signature_scheme = Some(SignatureScheme(body.u16()?));
    }
    Some(())
}

/// Size of a big-endian number.
fn bits(number: &[u8]) -> u32 {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let top = number.get(zeros).map_or(0, |byte| 8 - byte.leading_zeros());
    let rest = number.len().saturating_sub(zeros + 1);
    u32::try_from(8 * rest).unwrap_or(u32::MAX).saturating_add(top)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_number_has_as_many_bits_as_it_needs() {
        for (number, size) in
            [(&[][..], 0), (&[0, 0], 0), (&[0, 1], 1), (&[0x80, 0], 16), (&[0, 0x0F, 0xFF], 12)]
        {
            assert_eq!(super::bits(number), size, "{number:?}");
        }
    }
}
