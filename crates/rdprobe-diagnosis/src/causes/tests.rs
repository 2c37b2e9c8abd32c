use std::collections::BTreeSet;

use super::*;
use crate::registry::lookup;

/// Codes of the design that no rule gives yet.

#[test]
fn every_finding_that_a_cause_names_is_a_code() {
    for cause in all() {
        let lists = [
            cause.judge.confirmed_by,
            cause.judge.ruled_out_by,
            cause.judge.hinted_by,
            cause.judge.fits_with,
        ];
        for sign in lists.iter().flat_map(|lists| lists.iter()).flat_map(|list| list.iter()) {
            if let Sign::Finding(code) = sign {
                let known = lookup(code).is_some();
                assert!(known, "{}: there is no code {code}", cause.id);
            }
        }
    }
}

#[test]
fn what_help_articles_name_is_here_under_its_id() {
    const CAUSES: [&str; 26] = [
        "cert-expired",
        "cert-corrupt",
        "cert-key-acl",
        "cert-wrong-eku-hostname",
        "listener-down",
        "outstanding",
        "busy",
        "fw-inbound",
        "av-suite",
        "app-layer-fw",
        "latency-bandwidth",
        "vpn-transport",
        "udp-mtu-loss",
        "udp-corruption",
        "dns-hostname",
        "network-profile",
        "nla-mismatch",
        "protocol-mismatch",
        "cipher-mismatch",
        "credssp-oracle",
        "time-skew",
        "lic-missing-server",
        "wmi-invalid-class",
        "cached-creds",
        "power-sleep",
        "proxy-or-other-service",
    ];
    for id in CAUSES {
        assert!(cause(id).is_some(), "{id}");
    }
    assert_eq!((claims().len(), remedies().len()), (7, 10));
}

#[test]
fn a_cause_that_is_never_seen_says_why() {
    for cause in all() {
        if cause.judge.confirmed_by.is_empty()
            && cause.judge.ruled_out_by.is_empty()
            && cause.judge.hinted_by.is_empty()
        {
            assert!(cause.judge.hidden.is_some(), "{}", cause.id);
        }
    }
}

#[test]
fn commands_are_whole_lines() {
    for cause in all() {
        for line in cause.fixes.iter().flat_map(|fix| fix.commands) {
            assert_eq!(*line, line.trim(), "{}", cause.id);
            assert!(
                !line.contains(['\n', '`', '“', '”', '’']) || line.contains("`n"),
                "{}: {line}",
                cause.id
            );
        }
    }
    let ids: BTreeSet<&str> = all().iter().map(|cause| cause.id).collect();
    assert_eq!(ids.len(), all().len());
}
