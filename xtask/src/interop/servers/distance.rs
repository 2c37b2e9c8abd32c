//! A network that is far away: a namespace behind a link whose packets take their time.
//!
//! Network N is 198.18.N.0/24: `.1` is this machine, `.2` the far end.

use anyhow::Result;
use serde::Deserialize;

use super::namespace::{Network, netns_name};
use super::{Site, Start};
use crate::interop::bed::Launch;

/// A namespace and the way to it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::interop) struct Distance {
    /// N.
    network: u8,
    /// Last bytes of the far end's further addresses.
    #[serde(default)]
    further: Vec<u8>,
    /// How far it is.
    round_trip_ms: f64,
}

impl Start for Distance {
    fn programs(&self) -> &'static [&'static str] {
        &["ip", "/dev/net/tun"]
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn start(&self, site: &Site<'_>) -> Result<()> {
        let far = netns_name(&site.server.name);
        let n = self.network;
        let (here, there) = (format!("rdprobe{n}a"), format!("rdprobe{n}b"));
        let network = Network { site };
        network.add(&far)?;
        let launch = Launch::new(std::env::current_exe()?.display().to_string())
            .args(["interop-distance", "--here", &here, "--there", &there, "--round-trip-ms"])
            .arg(self.round_trip_ms.to_string());
        site.spawn(launch)?.wait_said("ready")?;
        network.ip(&format!("link set {there} netns {far}"))?;
        network.ip(&format!("addr add 198.18.{n}.1 peer 198.18.{n}.2 dev {here}"))?;
        network.ip(&format!("link set {here} up"))?;
        for last in &self.further {
            network.ip(&format!("route add 198.18.{n}.{last} dev {here}"))?;
            network.ip(&format!("-n {far} addr add 198.18.{n}.{last} dev {there}"))?;
        }
        network.ip(&format!("-n {far} addr add 198.18.{n}.2 peer 198.18.{n}.1 dev {there}"))?;
        network.ip(&format!("-n {far} link set {there} up"))
    }
}
