//! The pseudorandom function and the hash of the handshake, before TLS 1.2 and in it (RFC 2246 5, RFC 5246 5).

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest as _, Md5};
use rdprobe_report::TlsVersion;
use sha1::Sha1;
use sha2::Sha256;

/// `length` bytes of PRF(secret, label, seed).
pub(super) fn prf(version: TlsVersion, secret: &[u8], label: &str, seed: &[u8], length: usize) -> Vec<u8> {
    let seed = [label.as_bytes(), seed].concat();
    if version >= TlsVersion::TLS_1_2 {
        return p_hash::<Hmac<Sha256>>(secret, &seed, length);
    }
    // The two halves share the middle byte where there is one.
    let half = secret.len().div_ceil(2);
    let mut bytes = p_hash::<Hmac<Md5>>(&secret[..half], &seed, length);
    let other = p_hash::<Hmac<Sha1>>(&secret[secret.len() - half..], &seed, length);
    bytes.iter_mut().zip(other).for_each(|(byte, other)| *byte ^= other);
    bytes
}

/// Of the handshake's messages, what the Finished messages are made of.
pub(super) fn handshake_hash(version: TlsVersion, messages: &[u8]) -> Vec<u8> {
    if version >= TlsVersion::TLS_1_2 {
        return Sha256::digest(messages).to_vec();
    }
    let mut hash = Md5::digest(messages).to_vec();
    hash.extend(Sha1::digest(messages));
    hash
}

/// P_hash(secret, seed) (RFC 5246 5). HMAC takes keys of any length.
fn p_hash<M: Mac + KeyInit + Clone>(secret: &[u8], seed: &[u8], length: usize) -> Vec<u8> {
    let keyed = <M as KeyInit>::new_from_slice(secret);
    let Ok(keyed) = keyed else { return Vec::new() };
    let sign = |parts: [&[u8]; 2]| {
        let mut mac = keyed.clone();
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes()
    };
    let mut bytes = Vec::with_capacity(length);
    let mut a = sign([seed, &[]]);
    while bytes.len() < length {
        bytes.extend_from_slice(&sign([&a, seed]));
        a = sign([&a, &[]]);
    }
    bytes.truncate(length);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known answer that the TLS working group's list gave for TLS 1.2 with SHA-256.
    #[test]
    fn the_function_of_tls_1_2_gives_the_known_answer() {
        let secret = hex::decode("9bbe436ba940f017b17652849a71db35").unwrap();
        let seed = hex::decode("a0ba9f936cda311827a6f796ffd5198c").unwrap();
        let bytes = prf(TlsVersion::TLS_1_2, &secret, "test label", &seed, 100);
        assert_eq!(
            hex::encode(&bytes[..32]),
            "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a"
        );
    }

    #[test]
    fn both_make_as_much_as_is_asked_for() {
        for version in [TlsVersion::TLS_1_0, TlsVersion::TLS_1_2] {
            let long = prf(version, b"secret", "label", b"seed", 100);
            for length in [0, 1, 20, 32, 48, 100] {
                assert_eq!(prf(version, b"secret", "label", b"seed", length), long[..length]);
            }
        }
    }
}
