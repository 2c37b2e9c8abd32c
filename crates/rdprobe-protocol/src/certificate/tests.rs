use proptest::prelude::*;

use super::*;
use crate::testing::{frame, garbled, odd_certificate};

/// The certificate in a recorded flight, at this offset.
fn recorded(flight: &str, at: usize, length: usize) -> Vec<u8> {
    frame(flight)[at..at + length].to_vec()
}

fn server_2008_r2() -> Vec<u8> {
    recorded("tls_server_flight_2008r2", 89, 766)
}

#[test]
fn the_certificate_that_windows_gives_itself() {
    let facts = certificate_facts(&[server_2008_r2()]);
    assert_eq!(facts.parse_error, None);
    assert_eq!(facts.subject.as_deref(), Some("CN=WIN2K8R2.redacted-host.test"));
    assert_eq!(facts.issuer, facts.subject);
    assert_eq!(facts.common_name.as_deref(), Some("WIN2K8R2.redacted-host.test"));
    assert_eq!(facts.self_signed, Some(true));
    assert_eq!(facts.names, Vec::<String>::new());
    assert_eq!(facts.not_before.unwrap().to_string(), "2011-02-12T21:37:35.000Z");
    assert_eq!(facts.not_after.unwrap().to_string(), "2021-02-12T00:00:00.000Z");
    assert_eq!(facts.signature_algorithm.as_deref(), Some("sha1WithRSAEncryption"));
    assert_eq!(facts.key_usage, ["keyEncipherment", "dataEncipherment"]);
    assert_eq!(facts.extended_key_usage, ["1.3.6.1.5.5.7.3.1"]);
    let key = facts.key.unwrap();
    assert_eq!((key.algorithm.as_str(), key.bits), ("RSA", Some(2048)));
    assert_eq!(facts.serial.as_deref(), Some("16ed2aa0495f259d4f5d99edada570d1"));
    assert!(!facts.is_ca);
    assert_eq!(facts.trusted, None);
    assert_eq!(facts.signature_check, None);
    assert_eq!(facts.chain.len(), 1);
    assert_eq!(Some(&facts.chain[0].sha256), facts.sha256.as_ref());
    assert_eq!(STANDARD.decode(&facts.chain[0].der).unwrap(), server_2008_r2());
}

#[test]
fn a_weak_key_and_a_comma_in_a_name() {
    let facts = certificate_facts(&[odd_certificate("rsa1024-sha1")]);
    assert_eq!(facts.subject.as_deref(), Some(r"CN=old.contoso.example, O=Contoso\, Ltd., C=DE"));
    assert_eq!(facts.key.unwrap().bits, Some(1024));
    assert_eq!(facts.signature_algorithm.as_deref(), Some("sha1WithRSAEncryption"));
    assert!(facts.is_ca);
}

#[test]
fn an_odd_extension_that_need_not_be_understood_spoils_nothing() {
    let good = server_2008_r2();
    // Extended key usage (RFC 5280 4.2.1.12): its OID, then its value, whose tag becomes another.
    let oid = [0x06, 0x03, 0x55, 0x1D, 0x25];
    let at = good.windows(oid.len()).position(|bytes| bytes == oid).unwrap() + oid.len();
    assert_eq!((good[at], good[at + 2]), (0x04, 0x30));
    let mut odd = good;
    odd[at + 2] = 0x04;
    let facts = certificate_facts(&[odd]);
    assert_eq!((facts.parse_error, facts.unread_extensions), (None, vec!["2.5.29.37".to_owned()]));
    assert!(facts.extended_key_usage.is_empty() && facts.key.is_some() && facts.not_after.is_some());
}

#[test]
fn names_addresses_and_usages() {
    let facts = certificate_facts(&[odd_certificate("ec-p521")]);
    assert_eq!(facts.names, ["ec.contoso.example", "192.0.2.7", "2001:db8::7", "*.contoso.example"]);
    assert_eq!(facts.extended_key_usage, ["1.3.6.1.5.5.7.3.1", "1.3.6.1.4.1.311.54.1.2"]);
    let key = facts.key.unwrap();
    assert_eq!(key.algorithm, "EC");
    assert_eq!((key.curve.as_deref(), key.bits), (Some("secp521r1"), Some(521)));
    assert_eq!(facts.signature_algorithm.as_deref(), Some("ecdsa-with-SHA512"));
    assert_eq!(facts.self_signed, Some(true));
}

#[test]
fn the_hash_of_pss_and_the_last_year() {
    let facts = certificate_facts(&[odd_certificate("rsa-pss-sha384")]);
    assert_eq!(facts.signature_algorithm.as_deref(), Some("rsassaPss-sha384"));
    let key = facts.key.unwrap();
    assert_eq!((key.algorithm.as_str(), key.bits), ("RSA", Some(2048)));
    let facts = certificate_facts(&[odd_certificate("ed448-year-9999")]);
    assert_eq!(facts.signature_algorithm.as_deref(), Some("Ed448"));
    assert_eq!(facts.key.unwrap().algorithm, "Ed448");
    assert!(facts.not_after.unwrap().date().starts_with("9999-"));
}

#[test]
fn an_issuer_of_the_same_name_is_not_yet_the_same_issuer() {
    let facts = certificate_facts(&[odd_certificate("issuer-of-the-same-name")]);
    assert_eq!(facts.subject, facts.issuer);
    assert_eq!(facts.self_signed, Some(false));
}

#[test]
fn every_link_of_the_chain_is_kept() {
    let facts = certificate_facts(&[server_2008_r2(), odd_certificate("ec-p521"), b"noise".to_vec()]);
    assert_eq!(facts.chain.len(), 3);
    assert_eq!(facts.chain[1].subject.as_deref(), Some("CN=ec.contoso.example"));
    assert!(facts.chain[1].not_after.is_some());
    assert_eq!(facts.chain[2].subject, None);
    assert_eq!(facts.parse_error, None);
}

#[test]
fn what_is_no_certificate_says_so_and_keeps_its_bytes() {
    let facts = certificate_facts(&[b"leaf".to_vec()]);
    assert!(facts.parse_error.is_some());
    assert!(facts.sha256.is_some());
    assert_eq!(facts.chain.len(), 1);
    assert!(certificate_facts(&[]).parse_error.is_some());
    let mut trailing = server_2008_r2();
    trailing.push(0);
    let facts = certificate_facts(&[trailing]);
    assert!(facts.subject.is_some() && facts.parse_error.is_some());
}

proptest! {
    #[test]
    fn garbled_certificates_do_no_harm(der in garbled(server_2008_r2())) {
        certificate_facts(&[der]);
    }

    #[test]
    fn garbled_names_do_no_harm(der in garbled(odd_certificate("ec-p521"))) {
        certificate_facts(&[der]);
    }

    #[test]
    fn noise_does_no_harm(der: Vec<u8>) {
        certificate_facts(&[der]);
    }
}
