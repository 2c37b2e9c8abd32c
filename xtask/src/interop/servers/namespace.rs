//! Networks that misbehave: a network namespace behind a pair of virtual links, with a firewall in it, and
//! where asked a router of its own in between.
//!
//! Network N is 198.18.N.0/24: `.1` is this machine, and without a router `.2` (and every further address)
//! the far end. With one, `.2` is the router and 198.19.N.2 the far end. The range is that of benchmarks
//! (RFC 2544), routed nowhere.

use std::fmt::Write;
use std::fs;

use anyhow::Result;
use serde::Deserialize;

use super::{Site, Start};
use crate::interop::bed::Launch;
use crate::interop::reaper::Trace;

/// A namespace and the way to it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::interop) struct Namespace {
    /// N.
    network: u8,
    /// Last bytes of the far end's further addresses.
    #[serde(default)]
    further: Vec<u8>,
    /// Whether a router stands in between.
    #[serde(default)]
    router: bool,
    /// The MTU of the link behind the router, at both of its ends.
    mtu: Option<u16>,
    /// nft rules for what arrives at the far end.
    #[serde(default)]
    input: Vec<String>,
    /// nft rules for what the router passes on.
    #[serde(default)]
    forward: Vec<String>,
    /// nft rules for what the router itself sends.
    #[serde(default)]
    router_output: Vec<String>,
}

/// The namespace's name on the machine.
pub(in crate::interop) fn netns_name(server: &str) -> String {
    format!("rdprobe-{server}")
}

impl Start for Namespace {
    fn programs(&self) -> &'static [&'static str] {
        &["ip", "nft"]
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn start(&self, site: &Site<'_>) -> Result<()> {
        let far = netns_name(&site.server.name);
        let middle = format!("{far}-router");
        let n = self.network;
        let link = |end: char| format!("rdprobe{n}{end}");
        let (here, there, onward, beyond) = (link('a'), link('b'), link('c'), link('d'));
        let network = Network { site };

        network.add(&far)?;
        site.bed.record(&Trace::Link(here.clone()))?;
        network.ip(&format!("link add {here} type veth peer name {there}"))?;
        network.ip(&format!("addr add 198.18.{n}.1/24 dev {here}"))?;
        network.ip(&format!("link set {here} up"))?;
        if self.router {
            network.add(&middle)?;
            network.attach(&middle, &there, &[format!("198.18.{n}.2/24")])?;
            network
                .ip(&format!("link add {onward} netns {middle} type veth peer name {beyond} netns {far}"))?;
            network.configure(&middle, &onward, &[format!("198.19.{n}.1/24")], self.mtu)?;
            let mut addresses = vec![format!("198.19.{n}.2/24")];
            addresses.extend(self.further.iter().map(|last| format!("198.19.{n}.{last}/24")));
            network.configure(&far, &beyond, &addresses, self.mtu)?;
            network.ip(&format!("route add 198.19.{n}.0/24 via 198.18.{n}.2"))?;
            network.ip(&format!("-n {far} route add default via 198.19.{n}.1"))?;
            network.inside(&middle, &["sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"])?;
            network.firewall(&middle, &[("forward", &self.forward), ("output", &self.router_output)])?;
        } else {
            let mut addresses = vec![format!("198.18.{n}.2/24")];
            addresses.extend(self.further.iter().map(|last| format!("198.18.{n}.{last}/24")));
            network.attach(&far, &there, &addresses)?;
        }
        network.firewall(&far, &[("input", &self.input)])
    }
}

pub(super) struct Network<'s> {
    pub(super) site: &'s Site<'s>,
}

impl Network<'_> {
    pub(super) fn ip(&self, words: &str) -> Result<()> {
        self.site.bed.output(&Launch::new("ip").args(words.split_whitespace())).map(drop)
    }

    fn inside(&self, namespace: &str, words: &[&str]) -> Result<()> {
        let launch = Launch::new(words[0]).args(words[1..].iter().copied()).namespace(Some(namespace));
        self.site.bed.output(&launch).map(drop)
    }

    pub(super) fn add(&self, namespace: &str) -> Result<()> {
        self.site.bed.record(&Trace::Namespace(namespace.to_owned()))?;
        self.ip(&format!("netns add {namespace}"))?;
        self.ip(&format!("-n {namespace} link set lo up"))
    }

    fn attach(&self, namespace: &str, link: &str, addresses: &[String]) -> Result<()> {
        self.ip(&format!("link set {link} netns {namespace}"))?;
        self.configure(namespace, link, addresses, None)
    }

    fn configure(&self, namespace: &str, link: &str, addresses: &[String], mtu: Option<u16>) -> Result<()> {
        for address in addresses {
            self.ip(&format!("-n {namespace} addr add {address} dev {link}"))?;
        }
        if let Some(mtu) = mtu {
            self.ip(&format!("-n {namespace} link set {link} mtu {mtu}"))?;
        }
        self.ip(&format!("-n {namespace} link set {link} up"))
    }

    fn firewall(&self, namespace: &str, chains: &[(&str, &Vec<String>)]) -> Result<()> {
        let mut rules = "table inet interop {\n".to_owned();
        for (hook, lines) in chains {
            writeln!(rules, "chain {hook} {{ type filter hook {hook} priority 0;")?;
            for line in *lines {
                writeln!(rules, "{line}")?;
            }
            rules.push_str("}\n");
        }
        rules.push_str("}\n");
        let file = self.site.folder()?.join(format!("{namespace}.nft"));
        fs::write(&file, rules)?;
        let file = file.display().to_string();
        self.inside(namespace, &["nft", "-f", &file])
    }
}
