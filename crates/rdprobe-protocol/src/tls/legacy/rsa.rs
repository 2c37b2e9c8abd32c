//! The premaster secret, encrypted with the certificate's key (RFC 5246 7.4.7.1).

use x509_parser::prelude::parse_x509_certificate;
use x509_parser::public_key::PublicKey;

use super::prf::prf;
use crate::rsa;
use rdprobe_report::TlsVersion;

/// RSAES-PKCS1-v1_5 needs so many bytes beside the message (RFC 8017 7.2.1).
const LEAST_PADDING: usize = 11;

/// The ciphertext of `secret`, padded with what follows from `padding`; else why there is none.
pub(super) fn encrypt(certificate: &[u8], secret: &[u8], padding: &[u8]) -> Result<Vec<u8>, &'static str> {
    let (_, certificate) =
        parse_x509_certificate(certificate).map_err(|_| "the certificate cannot be read")?;
    let Ok(PublicKey::RSA(key)) = certificate.public_key().parsed() else {
        return Err("the certificate has no RSA key");
    };
    let key = rsa::PublicKey::new(key.modulus, key.exponent);
    let Some(key) = key.filter(|key| key.size() >= secret.len() + LEAST_PADDING) else {
        return Err("the certificate's RSA key has a size that none is used with");
    };
    let size = key.size();
    let random = prf(TlsVersion::TLS_1_2, padding, "padding", &[], size - secret.len() - 3);
    let mut block = vec![0, 2];
    // No byte of it may be zero.
    block.extend(random.iter().map(|byte| (*byte).max(1)));
    block.push(0);
    block.extend_from_slice(secret);
    Ok(key.encrypt(&block))
}
