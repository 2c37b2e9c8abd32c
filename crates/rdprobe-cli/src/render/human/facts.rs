//! The main facts of each phase in a few words. All of them are in the JSON.

use rdprobe_report::facts::{
    CertificateFacts, CredsspFacts, DnsFacts, Icmp, LicensingFacts, McsFacts, Nla, Package, TcpFacts,
    TlsFacts, UdpFacts, X224Facts,
};
use rdprobe_report::{PhaseOutcome, Protocol};

use crate::render::style::time;

/// Addresses that are written out.
const ADDRESSES_TOLD: usize = 3;

pub(super) fn dns(facts: &DnsFacts) -> Vec<String> {
    if facts.literal {
        return vec!["an address was given".into()];
    }
    let mut said: Vec<String> =
        facts.addresses.iter().take(ADDRESSES_TOLD).map(ToString::to_string).collect();
    if facts.addresses.len() > ADDRESSES_TOLD {
        said.push(format!("and {} more", facts.addresses.len() - ADDRESSES_TOLD));
    }
    if !facts.not_probed.is_empty() {
        said.push(format!("{} of them not probed", facts.not_probed.len()));
    }
    said.extend(facts.resolver_error.clone());
    said
}

pub(super) fn tcp(facts: &TcpFacts) -> Vec<String> {
    let mut said: Vec<String> = facts.address.iter().map(ToString::to_string).collect();
    // The failure has the meaning already.
    said.extend(facts.icmp.as_ref().and_then(|icmp| icmp.from).map(|from| format!("said by {from}")));
    said.extend(facts.rtt_ms.map(|rtt| format!("round trip {}", time(rtt.0))));
    if facts.is_this_computer {
        said.push("this very computer".into());
    }
    if let Some(count @ 1..) = facts.retransmits {
        said.push(format!("{count} sent again"));
    }
    said
}

pub(super) fn x224(facts: &X224Facts) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(code) = facts.failure_code {
        let name = facts.failure_name.as_deref().unwrap_or("unknown");
        said.push(format!("failure {code} ({name})"));
    }
    if let Some(service) = facts.service {
        said.push(format!("{service} answers"));
        said.extend(facts.banner.as_ref().map(|banner| format!("{banner:?}")));
    }
    said.extend(facts.selected.map(|selected| match selected {
        Protocol::RDP => "standard RDP security".into(),
        Protocol::SSL => "TLS".into(),
        Protocol::HYBRID | Protocol::HYBRID_EX => format!("CredSSP ({selected})"),
        other => other.to_string(),
    }));
    let nla = facts.nla.and_then(|nla| match nla {
        Nla::Required => Some("NLA required"),
        Nla::Optional => Some("NLA optional"),
        Nla::Unsupported => Some("no NLA"),
        Nla::Unknown => None,
    });
    said.extend(nla.map(Into::into));
    said.extend(facts.implementation.as_ref().map(|who| format!("looks like {who}")));
    said
}

pub(super) fn tls(facts: &TlsFacts) -> Vec<String> {
    let mut said = Vec::new();
    said.extend(facts.alert.map(|alert| format!("alert {} ({})", alert.code, alert.name)));
    said.extend(facts.version.map(|version| version.to_string()));
    said.extend(facts.suite.map(|suite| suite.to_string()));
    said.extend(facts.group.map(|group| group.to_string()));
    let own = facts.probe.as_ref();
    if own.is_some_and(|own| own.outcome == PhaseOutcome::Failed) && facts.version.is_some() {
        said.push("rdprobe's own TLS fails here".into());
    }
    said
}

pub(super) fn certificate(facts: &CertificateFacts) -> Vec<String> {
    let mut said = Vec::new();
    let name = facts.common_name.as_ref().or(facts.names.first()).or(facts.subject.as_ref());
    said.extend(name.cloned());
    said.extend(facts.not_after.map(|not_after| format!("until {}", not_after.date())));
    said.extend(match (facts.self_signed, facts.trusted) {
        (Some(true), _) => Some("self-signed".into()),
        (_, Some(true)) => Some("trusted".into()),
        (_, Some(false)) => Some("not trusted here".to_owned()),
        _ => None,
    });
    if let Some(key) = &facts.key {
        let size = key.curve.clone().or(key.bits.map(|bits| bits.to_string()));
        said.push(format!("{} {}", key.algorithm, size.unwrap_or_default()).trim().into());
    }
    said.extend(facts.pinned.map(|pinned| if pinned { "as pinned" } else { "not the pinned one" }.into()));
    said.extend(facts.parse_error.clone());
    said
}

pub(super) fn credssp(facts: &CredsspFacts) -> Vec<String> {
    let mut said = Vec::new();
    said.extend(facts.version.map(|version| format!("version {version}")));
    said.extend(facts.dns_computer.as_ref().or(facts.netbios_computer.as_ref()).cloned());
    said.extend(facts.windows.first().cloned());
    if facts.windows.is_empty() {
        said.extend(facts.build.map(|build| format!("claims build {build}")));
    }
    said.extend(facts.skew_ms.filter(|skew| skew.0.abs() >= 1e3).map(|skew| {
        let direction = if skew.0 > 0.0 { "ahead" } else { "behind" };
        format!("clock {:.0} s {direction}", skew.0.abs() / 1e3)
    }));
    let how = facts.package.map(|package| match package {
        Package::Kerberos => "Kerberos",
        _ => "NTLM",
    });
    if let (true, Some(account), Some(how)) = (facts.accepted, &facts.account, how) {
        said.push(format!("accepts {account} by {how}"));
    }
    said.extend(facts.ntstatus_name.clone().or_else(|| facts.ntstatus.map(|status| status.to_string())));
    said.extend(facts.kerberos_error.as_ref().and_then(|error| error.name.clone()));
    said
}

pub(super) fn mcs(facts: &McsFacts) -> Vec<String> {
    let mut said = Vec::new();
    said.extend(facts.result_name.clone().filter(|_| facts.result != Some(0)));
    said.extend(facts.version.as_ref().map(|version| format!("version {version}")));
    said.extend(facts.encryption_method_name.as_ref().map(|method| format!("encryption {method}")));
    said.extend(facts.encryption_level_name.as_ref().map(|level| format!("level {level}")));
    said.extend(facts.key_bits.map(|bits| format!("RSA {bits}")));
    said
}

pub(super) fn licensing(facts: &LicensingFacts) -> Vec<String> {
    let mut said: Vec<String> = facts.message.iter().cloned().collect();
    said.extend(facts.error_name.clone());
    said.extend(
        facts.state_transition_name.clone().filter(|_| facts.error_code.is_some_and(|code| code != 7)),
    );
    said.extend(facts.error_info_name.clone());
    said.extend(facts.refused.clone());
    said.extend(facts.company.as_ref().map(|company| format!("of {company}")));
    said.extend(facts.implementation.as_ref().map(|who| format!("looks like {who}")));
    said
}

pub(super) fn udp(facts: &UdpFacts) -> Vec<String> {
    let mut said = Vec::new();
    if facts.sent > 0 && facts.received == 0 && facts.icmp.is_empty() {
        let datagrams = if facts.sent == 1 { "datagram" } else { "datagrams" };
        said.push(format!("no answer to {} {datagrams}", facts.sent));
    }
    said.extend(facts.version.map(|version| format!("version {version}")));
    said.extend(facts.rtt_ms.map(|rtt| format!("round trip {}", time(rtt.0))));
    if facts.sent > 1 && facts.received > 0 {
        said.push(format!("{} of {} answered", facts.received, facts.sent));
    }
    said.extend(facts.icmp.first().map(icmp));
    // What is as wide as an Ethernet is nothing to tell.
    said.extend(facts.path_mtu.filter(|mtu| *mtu < 1500).map(|mtu| format!("path MTU {mtu}")));
    said
}

fn icmp(icmp: &Icmp) -> String {
    match icmp.from {
        Some(from) => format!("{from} says {}", icmp.meaning()),
        None => icmp.meaning().into(),
    }
}
