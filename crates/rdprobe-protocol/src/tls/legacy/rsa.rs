//! The premaster secret, encrypted with the certificate's key (RFC 5246 7.4.7.1).

use num_bigint::BigUint;
use x509_parser::prelude::parse_x509_certificate;
use x509_parser::public_key::PublicKey;

use super::prf::prf;
use rdprobe_report::TlsVersion;

/// Keys beyond this size cost time that a host has no right to, in bits.
const MOST_BITS: u64 = 16_384;
/// An exponent is longer than this in no certificate in use, in bits.
const MOST_EXPONENT_BITS: u64 = 64;
/// RSAES-PKCS1-v1_5 needs so many bytes beside the message (RFC 8017 7.2.1).
const LEAST_PADDING: usize = 11;

/// The ciphertext of `secret`, padded with what follows from `padding`; else why there is none.
pub(super) fn encrypt(certificate: &[u8], secret: &[u8], padding: &[u8]) -> Result<Vec<u8>, &'static str> {
    let (_, certificate) =
        parse_x509_certificate(certificate).map_err(|_| "the certificate cannot be read")?;
    let Ok(PublicKey::RSA(key)) = certificate.public_key().parsed() else {
        return Err("the certificate has no RSA key");
    };
    let (modulus, exponent) = (BigUint::from_bytes_be(key.modulus), BigUint::from_bytes_be(key.exponent));
    let size = usize::try_from(modulus.bits().div_ceil(8)).unwrap_or_default();
    let bounded = modulus.bits() <= MOST_BITS && exponent.bits() <= MOST_EXPONENT_BITS;
    if !bounded || size < secret.len() + LEAST_PADDING {
        return Err("the certificate's RSA key has a size that none is used with");
    }
    let random = prf(TlsVersion::TLS_1_2, padding, "padding", &[], size - secret.len() - 3);
    let mut block = vec![0, 2];
    // No byte of it may be zero.
    block.extend(random.iter().map(|byte| (*byte).max(1)));
    block.push(0);
    block.extend_from_slice(secret);
    let encrypted = BigUint::from_bytes_be(&block).modpow(&exponent, &modulus).to_bytes_be();
    let mut ciphertext = vec![0; size.saturating_sub(encrypted.len())];
    ciphertext.extend(encrypted);
    Ok(ciphertext)
}
