//! The ECDHE suites with CBC for rustls, which has none (RFC 8422 6, RFC 5289 3.1): with an RSA certificate, Windows
//! up to 2012 R2 has nothing else to offer that keeps secrets forward.
//!
//! They stand on what ring's suites stand on, the record protection apart. rustls knows suites with an AEAD alone: it
//! cuts the key block into two keys and two initialisation vectors. Here the vectors are the MAC keys, which RFC 5246
//! 6.3 puts first, so the block is turned to come out as rustls cuts it.

use std::sync::OnceLock;

use rdprobe_protocol::tls::cbc::{CbcAlgorithms, CbcKeys, RecordHeader};
use rdprobe_report::{CipherSuite, TlsVersion};
use rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, InboundPlainMessage, KeyBlockShape, MessageDecrypter, MessageEncrypter,
    OutboundOpaqueMessage, OutboundPlainMessage, PrefixedPayload, Tls12AeadAlgorithm,
    UnsupportedOperationError,
};
use rustls::crypto::tls12::Prf;
use rustls::crypto::{ActiveKeyExchange, CryptoProvider, SecureRandom, ring};
use rustls::{CipherSuiteCommon, ConnectionTrafficSecrets, Error, SupportedCipherSuite, Tls12CipherSuite};

/// As long as the plaintext of a record may be, in bytes (RFC 5246 6.2.1).
const MOST_PLAINTEXT: usize = 1 << 14;
/// Records under one key. Two equal blocks of 128 bits tell of their plaintexts, and among the 2^10 blocks of each of so
/// many records there are such with a probability of 2^-60.
const MOST_RECORDS: u64 = 1 << 24;
/// RFC 5246 6.3.
const KEY_EXPANSION: &[u8] = b"key expansion";

/// Each suite and that of ring with the same key exchange, signature and hash, best first.
const SUITES: [(u16, u16); 8] = [
    (0xC024, 0xC02C),
    (0xC023, 0xC02B),
    (0xC028, 0xC030),
    (0xC027, 0xC02F),
    (0xC00A, 0xC02B),
    (0xC009, 0xC02B),
    (0xC014, 0xC02F),
    (0xC013, 0xC02F),
];

/// ring's provider, and behind its suites those of this module: a peer that has any of ring's, and goes by the client's
/// order, chooses as it would without them.
pub fn provider() -> CryptoProvider {
    let mut provider = ring::default_provider();
    provider.cipher_suites.extend(suites());
    provider
}

/// Whether a suite is one of this module's.
pub(crate) fn has(suite: CipherSuite) -> bool {
    SUITES.iter().any(|(own, _)| *own == suite.0)
}

/// rustls wants them for as long as the program runs.
fn suites() -> &'static [SupportedCipherSuite] {
    static MADE: OnceLock<Vec<SupportedCipherSuite>> = OnceLock::new();
    MADE.get_or_init(|| {
        let rings = ring::default_provider().cipher_suites;
        let twin = |code: u16| {
            let mut rings = rings.iter().filter_map(tls12);
            rings.find(|suite| u16::from(suite.common.suite) == code)
        };
        SUITES.iter().filter_map(|(code, base)| make(*code, twin(*base)?)).collect()
    })
}

fn tls12(suite: &SupportedCipherSuite) -> Option<&'static Tls12CipherSuite> {
    match suite {
        SupportedCipherSuite::Tls12(suite) => Some(suite),
        SupportedCipherSuite::Tls13(_) => None,
    }
}

fn make(code: u16, twin: &'static Tls12CipherSuite) -> Option<SupportedCipherSuite> {
    let algorithms = CbcAlgorithms::of(CipherSuite(code))?;
    let protection: &'static Protection =
        Box::leak(Box::new(Protection { algorithms, prf: twin.prf_provider }));
    Some(SupportedCipherSuite::Tls12(Box::leak(Box::new(Tls12CipherSuite {
        common: CipherSuiteCommon {
            suite: code.into(),
            hash_provider: twin.common.hash_provider,
            confidentiality_limit: MOST_RECORDS,
        },
        prf_provider: protection,
        kx: twin.kx,
        sign: twin.sign,
        aead_alg: protection,
    }))))
}

struct Protection {
    algorithms: CbcAlgorithms,
    prf: &'static dyn Prf,
}

impl Protection {
    fn keys(&self, key: &AeadKey, mac_key: &[u8]) -> CbcKeys {
        CbcKeys::new(self.algorithms, key.as_ref(), mac_key).expect("rustls cuts as the shape says")
    }
}

impl Prf for Protection {
    fn for_key_exchange(
        &self,
        output: &mut [u8; 48],
        exchange: Box<dyn ActiveKeyExchange>,
        peer: &[u8],
        label: &[u8],
        seed: &[u8],
    ) -> Result<(), Error> {
        self.prf.for_key_exchange(output, exchange, peer, label, seed)
    }

    fn for_secret(&self, output: &mut [u8], secret: &[u8], label: &[u8], seed: &[u8]) {
        self.prf.for_secret(output, secret, label, seed);
        if label == KEY_EXPANSION {
            output.rotate_left(2 * self.algorithms.mac_len());
        }
    }
}

impl Tls12AeadAlgorithm for Protection {
    fn encrypter(&self, key: AeadKey, mac_key: &[u8], _: &[u8]) -> Box<dyn MessageEncrypter> {
        let random = ring::default_provider().secure_random;
        Box::new(Encrypter { keys: self.keys(&key, mac_key), random })
    }

    fn decrypter(&self, key: AeadKey, mac_key: &[u8]) -> Box<dyn MessageDecrypter> {
        Box::new(Decrypter(self.keys(&key, mac_key)))
    }

    fn key_block_shape(&self) -> KeyBlockShape {
        KeyBlockShape {
            enc_key_len: self.algorithms.key_len(),
            fixed_iv_len: self.algorithms.mac_len(),
            explicit_nonce_len: 0,
        }
    }

    fn extract_keys(
        &self,
        _: AeadKey,
        _: &[u8],
        _: &[u8],
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        Err(UnsupportedOperationError)
    }
}

/// Puts a random initialisation vector before each record (RFC 5246 6.2.3.2).
struct Encrypter {
    keys: CbcKeys,
    random: &'static dyn SecureRandom,
}

impl MessageEncrypter for Encrypter {
    fn encrypt(
        &mut self,
        message: OutboundPlainMessage<'_>,
        sequence: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        let mut iv = vec![0; self.keys.algorithms().block_len()];
        self.random.fill(&mut iv).map_err(|_| Error::EncryptError)?;
        let header = header(message.typ.into(), message.version.into(), sequence);
        let sealed = self.keys.seal(header, &iv, &message.payload.to_vec()).ok_or(Error::EncryptError)?;
        let mut payload = PrefixedPayload::with_capacity(iv.len() + sealed.len());
        payload.extend_from_slice(&iv);
        payload.extend_from_slice(&sealed);
        Ok(OutboundOpaqueMessage::new(message.typ, message.version, payload))
    }

    fn encrypted_payload_len(&self, plain: usize) -> usize {
        let algorithms = self.keys.algorithms();
        algorithms.block_len() + algorithms.sealed_len(plain)
    }
}

struct Decrypter(CbcKeys);

impl MessageDecrypter for Decrypter {
    fn decrypt<'a>(
        &mut self,
        mut message: InboundOpaqueMessage<'a>,
        sequence: u64,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        let header = header(message.typ.into(), message.version.into(), sequence);
        let start = self.0.algorithms().block_len();
        let (iv, sealed) = message.payload.split_at_mut_checked(start).ok_or(Error::DecryptError)?;
        let length = self.0.open(header, iv, sealed).ok_or(Error::DecryptError)?;
        if length > MOST_PLAINTEXT {
            return Err(Error::PeerSentOversizedRecord);
        }
        Ok(message.into_plain_message_range(start..start + length))
    }
}

fn header(kind: u8, version: u16, sequence: u64) -> RecordHeader {
    RecordHeader { sequence, kind, version: TlsVersion(version) }
}

#[cfg(test)]
mod tests {
    use rustls::NamedGroup;

    use super::*;

    #[test]
    fn ring_s_suites_come_first_and_every_one_of_ours_behind_them() {
        let suites: Vec<u16> = provider().cipher_suites.iter().map(|suite| suite.suite().into()).collect();
        let rings = ring::default_provider().cipher_suites.len();
        assert_eq!(suites[rings..], SUITES.map(|(own, _)| own));
        assert!(suites[..rings].iter().all(|suite| !has(CipherSuite(*suite))));
        assert!(provider().kx_groups.iter().any(|group| group.name() == NamedGroup::secp256r1));
    }

    /// RFC 5246 6.3: client_write_MAC_key, server_write_MAC_key, client_write_key, server_write_key.
    #[test]
    fn the_key_block_comes_out_as_rustls_cuts_it() {
        for suite in suites().iter().filter_map(tls12) {
            let shape = suite.aead_alg.key_block_shape();
            let (key, mac) = (shape.enc_key_len, shape.fixed_iv_len);
            let twin = SUITES.iter().find(|(own, _)| *own == u16::from(suite.common.suite)).unwrap().1;
            let rings = ring::default_provider().cipher_suites;
            let twin =
                rings.iter().filter_map(tls12).find(|suite| u16::from(suite.common.suite) == twin).unwrap();
            let mut standard = vec![0; 2 * (key + mac)];
            twin.prf_provider.for_secret(&mut standard, b"secret", KEY_EXPANSION, b"seed");
            let mut turned = vec![0; 2 * (key + mac)];
            suite.prf_provider.for_secret(&mut turned, b"secret", KEY_EXPANSION, b"seed");
            assert_eq!(turned[..2 * key], standard[2 * mac..]);
            assert_eq!(turned[2 * key..], standard[..2 * mac]);
            let (mut other, mut twins) = ([0; 12], [0; 12]);
            suite.prf_provider.for_secret(&mut other, b"secret", b"client finished", b"seed");
            twin.prf_provider.for_secret(&mut twins, b"secret", b"client finished", b"seed");
            assert_eq!(other, twins);
        }
    }
}
