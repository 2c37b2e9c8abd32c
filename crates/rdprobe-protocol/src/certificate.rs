//! Facts of X.509 certificates (RFC 5280), read from the DER that the host sent.
//!
//! Nothing is judged and no signature computed here: whether the chain is trusted and whether the host holds the key
//! is for those who can verify.

mod key;
mod name;
mod pin;

pub use pin::Pin;

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rdprobe_report::Timestamp;
use rdprobe_report::facts::{CertificateFacts, ChainLink};
use sha2::{Digest as _, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{ExtendedKeyUsage, GeneralName, KeyUsage, ParsedExtension};
use x509_parser::prelude::FromDer as _;
use x509_parser::time::ASN1Time;

use crate::text::escape_controls;

/// What the chain says, leaf first as the host sent it. `trusted`, `trust_error`, `pinned` and `signature_check` are
/// left for the caller. A leaf that cannot be read leaves `parse_error`, its hashes and its DER.
pub fn certificate_facts(chain: &[Vec<u8>]) -> CertificateFacts {
    let mut facts = CertificateFacts {
        chain: chain.iter().map(|der| chain_link(der)).collect(),
        ..CertificateFacts::default()
    };
    let Some(leaf) = chain.first() else {
        facts.parse_error = Some("no certificate was sent".into());
        return facts;
    };
    facts.sha256 = Some(hex::encode(Sha256::digest(leaf)));
    facts.sha1 = Some(hex::encode(sha1::Sha1::digest(leaf)));
    match X509Certificate::from_der(leaf) {
        Ok((rest, certificate)) => {
            read(&certificate, &mut facts);
            if !rest.is_empty() {
                facts.parse_error = Some(format!("{} bytes after the certificate", rest.len()));
            }
        }
        Err(error) => facts.parse_error = Some(error.to_string()),
    }
    facts
}

/// The contents of the leaf's SubjectPublicKey BIT STRING, to which CredSSP binds the logon ([MS-CSSP] 3.1.5, step 4).
pub fn subject_public_key(facts: &CertificateFacts) -> Option<Vec<u8>> {
    let leaf = STANDARD.decode(&facts.chain.first()?.der).ok()?;
    let (_, certificate) = X509Certificate::from_der(&leaf).ok()?;
    Some(certificate.public_key().subject_public_key.data.to_vec())
}

fn read(certificate: &X509Certificate<'_>, facts: &mut CertificateFacts) {
    facts.subject = Some(name::readable(certificate.subject()));
    facts.common_name = name::common_name(certificate.subject());
    facts.issuer = Some(name::readable(certificate.issuer()));
    facts.serial = Some(hex::encode(certificate.raw_serial()));
    facts.not_before = timestamp(certificate.validity().not_before);
    facts.not_after = timestamp(certificate.validity().not_after);
    facts.key = Some(key::public_key(certificate.public_key()));
    facts.signature_algorithm = Some(key::signature_algorithm(&certificate.signature_algorithm));
    facts.self_signed = Some(is_self_signed(certificate));
    for extension in certificate.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::SubjectAlternativeName(alternatives) => {
                facts.names = alternatives.general_names.iter().filter_map(text_of).collect();
            }
            ParsedExtension::KeyUsage(usage) => facts.key_usage = key_usages(usage),
            ParsedExtension::ExtendedKeyUsage(usage) => {
                facts.extended_key_usage = extended_key_usages(usage);
            }
            ParsedExtension::BasicConstraints(constraints) => facts.is_ca = constraints.ca,
            ParsedExtension::ParseError { error } => {
                // What a client must understand and cannot makes it refuse the whole (RFC 5280 4.2).
                if extension.critical {
                    facts.parse_error = Some(format!("extension {}: {error}", extension.oid.to_id_string()));
                } else {
                    facts.unread_extensions.push(extension.oid.to_id_string());
                }
            }
            _ => {}
        }
    }
}

fn chain_link(der: &[u8]) -> ChainLink {
    let parsed = X509Certificate::from_der(der).ok().map(|(_, certificate)| certificate);
    let certificate = parsed.as_ref();
    ChainLink {
        subject: certificate.map(|certificate| name::readable(certificate.subject())),
        issuer: certificate.map(|certificate| name::readable(certificate.issuer())),
        not_after: certificate.and_then(|certificate| timestamp(certificate.validity().not_after)),
        sha256: hex::encode(Sha256::digest(der)),
        der: STANDARD.encode(der),
    }
}

fn timestamp(time: ASN1Time) -> Option<Timestamp> {
    Timestamp::from_unix_seconds(time.timestamp())
}

/// Subject and issuer are the same, and no key identifier contradicts. The signature itself is not computed.
fn is_self_signed(certificate: &X509Certificate<'_>) -> bool {
    let (mut subject_key, mut authority_key) = (None, None);
    for extension in certificate.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::SubjectKeyIdentifier(id) => subject_key = Some(id.0),
            ParsedExtension::AuthorityKeyIdentifier(authority) => {
                authority_key = authority.key_identifier.as_ref().map(|id| id.0);
            }
            _ => {}
        }
    }
    let contradicts = matches!((subject_key, authority_key), (Some(own), Some(signer)) if own != signer);
    certificate.subject().as_raw() == certificate.issuer().as_raw() && !contradicts
}

/// DNS names and addresses as text; other kinds of names are none that a client compares.
fn text_of(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some(escape_controls(name)),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            let v6 = <[u8; 16]>::try_from(*bytes).map(IpAddr::from);
            v4.or(v6).ok().map(|address| address.to_string())
        }
        _ => None,
    }
}

/// RFC 5280 4.2.1.3.
fn key_usages(usage: &KeyUsage) -> Vec<String> {
    [
        (usage.digital_signature(), "digitalSignature"),
        (usage.non_repudiation(), "nonRepudiation"),
        (usage.key_encipherment(), "keyEncipherment"),
        (usage.data_encipherment(), "dataEncipherment"),
        (usage.key_agreement(), "keyAgreement"),
        (usage.key_cert_sign(), "keyCertSign"),
        (usage.crl_sign(), "cRLSign"),
        (usage.encipher_only(), "encipherOnly"),
        (usage.decipher_only(), "decipherOnly"),
    ]
    .into_iter()
    .filter(|(is_set, _)| *is_set)
    .map(|(_, name)| name.to_owned())
    .collect()
}

/// RFC 5280 4.2.1.12, as OIDs: the parser names the common ones and keeps the others.
fn extended_key_usages(usage: &ExtendedKeyUsage<'_>) -> Vec<String> {
    let named = [
        (usage.any, "2.5.29.37.0"),
        (usage.server_auth, "1.3.6.1.5.5.7.3.1"),
        (usage.client_auth, "1.3.6.1.5.5.7.3.2"),
        (usage.code_signing, "1.3.6.1.5.5.7.3.3"),
        (usage.email_protection, "1.3.6.1.5.5.7.3.4"),
        (usage.time_stamping, "1.3.6.1.5.5.7.3.8"),
        (usage.ocsp_signing, "1.3.6.1.5.5.7.3.9"),
    ];
    named
        .into_iter()
        .filter(|(is_set, _)| *is_set)
        .map(|(_, oid)| oid.to_owned())
        .chain(usage.other.iter().map(|oid| oid.to_id_string()))
        .collect()
}

#[cfg(test)]
mod tests;
