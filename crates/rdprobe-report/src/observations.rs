//! Observations: all that was seen of one target, and the question that was asked.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::facts::DnsFacts;
use crate::facts::is_default;
use crate::{
    Attempt, CertDays, Code, Expectation, Facts, Lack, Millis, Platform, Step, Target, TlsPolicy, Told,
};

/// What was asked for, as far as it decides the plan or the verdict. Recorded, so that a replay judges the same
/// question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Options {
    /// The reference client, by the id of its hello profile.
    pub client: String,
    /// Sent as SNI and checked in the certificate instead of the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// The text after `Cookie: ` in every Connection Request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookie: Option<String>,
    /// Routing token in every Connection Request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routing_token: Option<String>,
    /// The RD Gateway through which the user's client goes: the direct way to the host need not be open then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// The user's client uses no CredSSP.
    #[serde(skip_serializing_if = "is_default")]
    pub no_nla: bool,
    /// Ask about RDSTLS and Entra ID too.
    #[serde(skip_serializing_if = "is_default")]
    pub offers: bool,
    /// Go on to the MCS Connect Response where no CredSSP was selected.
    #[serde(skip_serializing_if = "is_default")]
    pub mcs: bool,
    /// Go on to the first licence message where no CredSSP was selected.
    #[serde(skip_serializing_if = "is_default")]
    pub licensing: bool,
    /// Enumerate what the host speaks of TLS.
    #[serde(skip_serializing_if = "is_default")]
    pub tls: bool,
    /// Say what the host would have to change for this policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_policy: Option<TlsPolicy>,
    /// Connections to the host at once.
    #[serde(skip_serializing_if = "is_usual")]
    pub parallel: u32,
    /// Ask the default questions one after the other where one may answer the next: for runs over many targets.
    #[serde(skip_serializing_if = "is_default")]
    pub in_turn: bool,
    /// The probe was built without TLS 1.0 to 1.2 with static RSA.
    #[serde(skip_serializing_if = "is_default")]
    pub without_legacy_tls: bool,
    /// Credentials were given: a logon is wanted.
    #[serde(skip_serializing_if = "is_default")]
    pub logon: bool,
    /// Allow the logon over a certificate that is neither trusted nor pinned.
    #[serde(skip_serializing_if = "is_default")]
    pub accept_untrusted_certificate: bool,
    /// What is asked over UDP.
    pub udp: UdpQuestion,
    /// Port of the UDP listener where it is not the TCP one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub udp_port: Option<u16>,
    /// SYN datagrams that a proper question sends.
    pub udp_probes: u32,
    /// What the user told.
    #[serde(skip_serializing_if = "is_default")]
    pub told: Told,
    /// What the user demands.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expect: Vec<Expectation>,
    /// When a certificate expires soon, where it is not 14 days before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert_days: Option<CertDays>,
    /// Codes that are known and accepted: they stay in the report and out of the status.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<Code>,
    /// Leave port 3389 alone where another one that was asked has no Remote Desktop.
    #[serde(skip_serializing_if = "is_default")]
    pub this_port_only: bool,
    /// Words of the user's own, which stand in the report under `labels`.
    #[serde(skip)]
    pub labels: BTreeMap<String, String>,
}

impl Options {
    /// Connections to one host at once unless told otherwise: xrdp's backlog is two.
    pub const PARALLEL: u32 = 4;
}

fn is_usual(parallel: &u32) -> bool {
    *parallel == Options::PARALLEL
}

impl Default for Options {
    fn default() -> Self {
        Self {
            client: crate::hello::DEFAULT_CLIENT.into(),
            server_name: None,
            cookie: None,
            routing_token: None,
            gateway: None,
            no_nla: false,
            offers: false,
            mcs: false,
            licensing: false,
            tls: false,
            tls_policy: None,
            parallel: Self::PARALLEL,
            in_turn: false,
            without_legacy_tls: false,
            logon: false,
            accept_untrusted_certificate: false,
            udp: UdpQuestion::default(),
            udp_port: None,
            udp_probes: 3,
            told: Told::default(),
            expect: Vec::new(),
            cert_days: None,
            ignore: Vec::new(),
            this_port_only: false,
            labels: BTreeMap::new(),
        }
    }
}

/// How much is asked over UDP, and how its silence is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UdpQuestion {
    /// Nothing is sent.
    Off,
    /// One SYN beside the TCP work.
    #[default]
    Aside,
    /// Asked properly; silence is a warning.
    Asked,
    /// Asked properly; silence is an error.
    Expected,
}

/// All that was seen of one target.
#[derive(Clone, Debug, PartialEq)]
pub struct Observations {
    /// The target.
    pub target: Target,
    /// Where it was seen from; none where no real network was asked.
    pub platform: Option<Platform>,
    /// What was asked for.
    pub options: Options,
    /// Name resolution; none while it runs.
    pub resolution: Option<Step>,
    /// The attempts in the order of issue, those in flight among them.
    pub attempts: Vec<Attempt>,
    /// How long it took until now.
    pub elapsed_ms: Millis,
    /// The probe's deadline ran out, or the user ended it, before the plan was done.
    pub cut_short: bool,
}

impl Observations {
    /// Nothing seen yet.
    pub fn new(target: Target, options: Options) -> Self {
        Self {
            target,
            platform: None,
            options,
            resolution: None,
            attempts: Vec::new(),
            elapsed_ms: Millis(0.0),
            cut_short: false,
        }
    }

    /// Whether this could not be seen from there, whatever the host.
    pub fn lacks(&self, what: Lack) -> bool {
        self.platform.as_ref().is_some_and(|platform| platform.lacks(what))
    }

    /// Facts of the resolution.
    pub fn dns(&self) -> Option<&DnsFacts> {
        match &self.resolution.as_ref()?.facts {
            Facts::Dns(facts) => Some(facts),
            _ => None,
        }
    }

    /// The addresses to probe, in the order in which a client tries them.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        let Some(dns) = self.dns() else { return Vec::new() };
        dns.addresses
            .iter()
            .filter(|address| !dns.not_probed.contains(address))
            .map(|&address| SocketAddr::new(address, self.target.port))
            .collect()
    }

    /// The name that clients send and check: `--server-name`, else the host.
    pub fn server_name(&self) -> &str {
        self.options.server_name.as_deref().unwrap_or(&self.target.host)
    }
}
