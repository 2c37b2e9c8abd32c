//! Public keys by kind and size, and the names of signature algorithms.

use rdprobe_report::facts::PublicKey;
use x509_parser::public_key::PublicKey as ParsedKey;
use x509_parser::signature_algorithm::SignatureAlgorithm;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo};

const RSA: &str = "1.2.840.113549.1.1.1";
const RSASSA_PSS: &str = "1.2.840.113549.1.1.10";
const EC: &str = "1.2.840.10045.2.1";

/// Curves by their OIDs (RFC 5480 2.1.1.1, RFC 5639 4.1), names as TLS has them, sizes in bits.
const CURVES: [(&str, &str, u32); 9] = [
    ("1.2.840.10045.3.1.1", "secp192r1", 192),
    ("1.3.132.0.33", "secp224r1", 224),
    ("1.2.840.10045.3.1.7", "secp256r1", 256),
    ("1.3.132.0.10", "secp256k1", 256),
    ("1.3.132.0.34", "secp384r1", 384),
    ("1.3.132.0.35", "secp521r1", 521),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1", 256),
    ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1", 384),
    ("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1", 512),
];

/// RFC 3279, 4055, 5758, 8410. OIW's older OIDs of the same algorithms have the same names.
const SIGNATURE_ALGORITHMS: [(&str, &str); 21] = [
    ("1.2.840.113549.1.1.2", "md2WithRSAEncryption"),
    ("1.2.840.113549.1.1.4", "md5WithRSAEncryption"),
    ("1.3.14.3.2.3", "md5WithRSAEncryption"),
    ("1.2.840.113549.1.1.5", "sha1WithRSAEncryption"),
    ("1.3.14.3.2.29", "sha1WithRSAEncryption"),
    ("1.2.840.113549.1.1.14", "sha224WithRSAEncryption"),
    ("1.2.840.113549.1.1.11", "sha256WithRSAEncryption"),
    ("1.2.840.113549.1.1.12", "sha384WithRSAEncryption"),
    ("1.2.840.113549.1.1.13", "sha512WithRSAEncryption"),
    ("1.2.840.10040.4.3", "dsa-with-sha1"),
    ("2.16.840.1.101.3.4.3.2", "dsa-with-sha256"),
    ("1.2.840.10045.4.1", "ecdsa-with-SHA1"),
    ("1.2.840.10045.4.3.1", "ecdsa-with-SHA224"),
    ("1.2.840.10045.4.3.2", "ecdsa-with-SHA256"),
    ("1.2.840.10045.4.3.3", "ecdsa-with-SHA384"),
    ("1.2.840.10045.4.3.4", "ecdsa-with-SHA512"),
    ("1.3.101.112", "Ed25519"),
    ("1.3.101.113", "Ed448"),
    ("2.16.840.1.101.3.4.3.17", "ML-DSA-44"),
    ("2.16.840.1.101.3.4.3.18", "ML-DSA-65"),
    ("2.16.840.1.101.3.4.3.19", "ML-DSA-87"),
];

const HASHES: [(&str, &str); 5] = [
    ("1.3.14.3.2.26", "sha1"),
    ("2.16.840.1.101.3.4.2.4", "sha224"),
    ("2.16.840.1.101.3.4.2.1", "sha256"),
    ("2.16.840.1.101.3.4.2.2", "sha384"),
    ("2.16.840.1.101.3.4.2.3", "sha512"),
];

/// The key, with its size where that can be said.
pub(super) fn public_key(info: &SubjectPublicKeyInfo<'_>) -> PublicKey {
    let oid = info.algorithm.algorithm.to_id_string();
    let parsed = info.parsed().ok();
    match oid.as_str() {
        RSA => PublicKey {
            algorithm: "RSA".into(),
            bits: parsed.and_then(|key| modulus_bits(&key)),
            curve: None,
        },
        // The parser knows the key only under RSA's own OID.
        RSASSA_PSS => PublicKey { algorithm: "RSA".into(), bits: rsa_pss_bits(info), curve: None },
        EC => ec_key(info, parsed.as_ref()),
        "1.3.101.112" => plain("Ed25519", Some(256)),
        "1.3.101.113" => plain("Ed448", Some(456)),
        "1.2.840.10040.4.1" => plain("DSA", None),
        _ => plain(&oid, None),
    }
}

fn plain(algorithm: &str, bits: Option<u32>) -> PublicKey {
    PublicKey { algorithm: algorithm.into(), bits, curve: None }
}

fn modulus_bits(key: &ParsedKey<'_>) -> Option<u32> {
    match key {
        ParsedKey::RSA(key) => Some(significant_bits(key.modulus)),
        _ => None,
    }
}

fn rsa_pss_bits(info: &SubjectPublicKeyInfo<'_>) -> Option<u32> {
    use x509_parser::prelude::FromDer as _;
    let (_, key) = x509_parser::public_key::RSAPublicKey::from_der(&info.subject_public_key.data).ok()?;
    Some(significant_bits(key.modulus))
}

/// Bits of a number without its leading zeros.
fn significant_bits(number: &[u8]) -> u32 {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    let number = &number[zeros..];
    let top = number.first().map_or(0, |byte| byte.leading_zeros());
    (number.len() as u32 * 8).saturating_sub(top)
}

fn ec_key(info: &SubjectPublicKeyInfo<'_>, parsed: Option<&ParsedKey<'_>>) -> PublicKey {
    let oid = info
        .algorithm
        .parameters
        .as_ref()
        .and_then(|parameters| parameters.as_oid().ok())
        .map(|oid| oid.to_id_string());
    let known = CURVES.iter().find(|(known, ..)| Some(*known) == oid.as_deref());
    let bits_of_point = || parsed.map(|key| key.key_size() as u32).filter(|bits| *bits > 0);
    PublicKey {
        algorithm: "EC".into(),
        bits: known.map(|(.., bits)| *bits).or_else(bits_of_point),
        curve: known.map(|(_, name, _)| (*name).to_owned()).or(oid),
    }
}

/// The name of a signature algorithm, `sha256WithRSAEncryption`, else its OID. RSASSA-PSS has its hash with it
/// (RFC 4055 3.1): `rsassaPss-sha256`.
pub(super) fn signature_algorithm(algorithm: &AlgorithmIdentifier<'_>) -> String {
    let oid = algorithm.algorithm.to_id_string();
    if oid == RSASSA_PSS {
        let hash = match SignatureAlgorithm::try_from(algorithm) {
            Ok(SignatureAlgorithm::RSASSA_PSS(parameters)) => parameters.hash_algorithm_oid().to_id_string(),
            _ => String::new(),
        };
        let known = HASHES.iter().find(|(known, _)| *known == hash);
        return format!("rsassaPss-{}", known.map_or("unknown", |(_, name)| name));
    }
    SIGNATURE_ALGORITHMS
        .iter()
        .find(|(known, _)| *known == oid)
        .map_or(oid.clone(), |(_, name)| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_zeros_are_no_bits() {
        assert_eq!(significant_bits(&[0, 0x80, 0]), 16);
        assert_eq!(significant_bits(&[0x7F, 0xFF]), 15);
        assert_eq!(significant_bits(&[0, 0]), 0);
        assert_eq!(significant_bits(&[]), 0);
    }
}
