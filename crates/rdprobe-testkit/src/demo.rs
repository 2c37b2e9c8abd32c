//! The hosts of `rdprobe demo`, on loopback.

use std::io;

use rustls::pki_types::CertificateDer;
use serde::Deserialize;

use crate::Scenario;
use crate::loopback::Loopback;

/// One host of the demo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoHost {
    /// In a line, what is wrong with it.
    pub title: String,
    /// What it shows.
    pub about: String,
    /// `127.0.0.1:PORT`.
    pub target: String,
    /// The `verdict.status` that it must get.
    pub status: String,
    /// The `verdict.code` that it must get.
    pub code: String,
}

/// The running hosts. They stop when this is dropped.
#[derive(Debug)]
pub struct Demo {
    /// The hosts, in the order in which they are shown.
    pub hosts: Vec<DemoHost>,
    /// The CA to trust, as `--ca-file` does.
    pub ca: CertificateDer<'static>,
    loopback: Loopback,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hosts {
    host: Vec<Scenario>,
}

impl Demo {
    /// Starts the hosts on free ports of 127.0.0.1.
    ///
    /// # Errors
    /// Where a socket cannot be had.
    pub fn start() -> io::Result<Self> {
        let scenarios = scenarios();
        let loopback = Loopback::start(&scenarios)?;
        let hosts = scenarios
            .iter()
            .zip(loopback.addresses())
            .map(|(scenario, (_, bound))| DemoHost {
                title: scenario.title.clone(),
                about: scenario.about.clone(),
                target: bound.to_string(),
                status: scenario.expect.status.clone().unwrap_or_default(),
                code: scenario.expect.code.clone().unwrap_or_default(),
            })
            .collect();
        Ok(Self { hosts, ca: loopback.ca(), loopback })
    }

    /// What the hosts saw of each connection.
    pub fn journals(&self) -> Vec<crate::script::Journal> {
        self.loopback.journals()
    }
}

/// The demo's hosts as scenarios, each with one host.
pub fn scenarios() -> Vec<Scenario> {
    let hosts: Hosts =
        toml::from_str(include_str!("demo.toml")).expect("the embedded hosts are read by a test");
    hosts.host
}
