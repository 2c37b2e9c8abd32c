//! Pins: the SHA-256 of a certificate or of its public key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

/// SHA-256 of a certificate, or of its SubjectPublicKeyInfo (RFC 7469 2.4), written
/// `sha256:` and hex, with or without colons, or base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin([u8; 32]);

impl Pin {
    /// Whether `certificate` (DER) is the one pinned, or has the key that is pinned.
    pub fn matches(&self, certificate: &[u8]) -> bool {
        let spki = X509Certificate::from_der(certificate)
            .ok()
            .map(|(_, parsed)| Sha256::digest(parsed.public_key().raw));
        Sha256::digest(certificate)[..] == self.0 || spki.is_some_and(|digest| digest[..] == self.0)
    }
}

impl std::str::FromStr for Pin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digest = match text.split_at_checked(7) {
            Some((prefix, digest)) if prefix.eq_ignore_ascii_case("sha256:") => digest.trim(),
            _ => {
                return Err(format!("{text:?} is no pin: write sha256: and the digest in hex or base64"));
            }
        };
        let plain = digest.replace([':', ' '], "");
        hex::decode(&plain)
            .ok()
            .or_else(|| STANDARD.decode(digest).ok())
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
            .map(Self)
            .ok_or_else(|| format!("{digest:?} is no SHA-256: 64 hex digits, or 44 characters of base64"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::odd_certificate;

    fn pin(text: &str) -> Pin {
        text.parse().unwrap()
    }

    #[test]
    fn a_certificate_is_pinned_in_every_notation() {
        let der = odd_certificate("ec-p521");
        let digest = Sha256::digest(&der);
        let plain = hex::encode(digest);
        let colons = plain
            .as_bytes()
            .chunks(2)
            .map(|pair| String::from_utf8_lossy(pair).to_uppercase())
            .collect::<Vec<_>>()
            .join(":");
        for text in [plain, colons, STANDARD.encode(digest)] {
            assert!(pin(&format!("sha256:{text}")).matches(&der), "{text}");
            assert!(!pin(&format!("SHA256:{text}")).matches(&odd_certificate("rsa1024-sha1")));
        }
    }

    #[test]
    fn a_key_is_pinned_too() {
        let der = odd_certificate("ec-p521");
        let (_, parsed) = X509Certificate::from_der(&der).unwrap();
        let spki = hex::encode(Sha256::digest(parsed.public_key().raw));
        assert!(pin(&format!("sha256:{spki}")).matches(&der));
        assert!(!pin(&format!("sha256:{spki}")).matches(b"no certificate"));
    }

    #[test]
    fn what_is_no_pin_says_so() {
        for text in ["", "sha256:", "sha256:abcd", "sha1:00", "sha256:zz", "ééééééé"] {
            assert!(text.parse::<Pin>().is_err(), "{text}");
        }
    }
}
