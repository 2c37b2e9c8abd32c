//! A scenario: hosts, names, what is asked, and the verdict that it must get. Written in TOML.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use rdprobe_report::{Lack, Options, Target, Timestamp};
use serde::Deserialize;

use crate::certificates::{CertificateSpec, Certificates};
use crate::script::{Host, LocalError};

/// One scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The file's name without its extension.
    #[serde(skip)]
    pub name: String,
    /// In a line, what is played.
    pub title: String,
    /// Why it is played, what it tempts to.
    #[serde(default)]
    pub about: String,
    /// The wall clock.
    #[serde(default = "default_now")]
    pub now: Timestamp,
    /// What is probed: `HOST`, `HOST:PORT`, `[V6]:PORT`.
    pub target: String,
    /// What is asked for.
    #[serde(default)]
    pub options: Options,
    /// What the client's system does not tell: the simulated one tells all that Linux does.
    #[serde(default)]
    pub lacks: Vec<Lack>,
    /// Trust the testkit's CA, as `--ca-file` does.
    #[serde(default)]
    pub trust_ca: bool,
    /// Pins, as `--pin` takes them.
    #[serde(default)]
    pub pins: Vec<String>,
    /// Address family to use alone, `v4` or `v6`.
    #[serde(default)]
    pub family: Option<String>,
    /// Time limit of the whole probe; 20 s where none is given.
    #[serde(default)]
    pub deadline_ms: Option<u64>,
    /// Up to so many milliseconds are added to each segment's way, always the same for the same `seed`.
    #[serde(default)]
    pub jitter_ms: f64,
    /// Chooses what `jitter_ms` adds.
    #[serde(default)]
    pub seed: u64,
    /// What the resolver says of names. A target that is missing here has the addresses of all hosts, in order.
    #[serde(default)]
    pub names: BTreeMap<String, Resolution>,
    /// The machines.
    #[serde(default)]
    pub hosts: Vec<Host>,
    /// Certificates by name, beside the built-in kinds.
    #[serde(default)]
    pub certificates: BTreeMap<String, CertificateSpec>,
    /// The verdict.
    #[serde(default)]
    pub expect: Expect,
    /// Where files of certificates are.
    #[serde(skip)]
    pub files: PathBuf,
    #[serde(skip)]
    made: OnceLock<Arc<Certificates>>,
}

fn default_now() -> Timestamp {
    "2026-11-21T09:30:00Z".parse().expect("a constant")
}

/// What the resolver says of a name.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Resolution {
    /// The addresses, in the order in which a client tries them.
    pub addresses: Vec<IpAddr>,
    /// `getaddrinfo`'s name for its error: `EAI_NONAME`, `EAI_AGAIN`, `EAI_FAIL`, `EAI_NODATA`.
    pub error: Option<String>,
    /// What fails of the client's own at the first questions, one by one, before any resolver is asked.
    pub local_first: Vec<LocalError>,
    /// No answer ever comes.
    pub hang: bool,
    /// How long the answer takes; 2 ms where nothing is given.
    pub delay_ms: Option<u64>,
}

/// The verdict that a scenario must get. What is not given is not compared.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// `verdict.status`.
    pub status: Option<String>,
    /// `verdict.code`.
    pub code: Option<String>,
    /// `verdict.phase`; `none` where it is null.
    pub phase: Option<String>,
    /// `verdict.confidence`.
    pub confidence: Option<String>,
    /// `verdict.client_outcome`.
    pub client_outcome: Option<String>,
    /// Codes that stand among the findings.
    pub findings: Vec<String>,
    /// Codes that do not.
    pub absent: Vec<String>,
    /// Values in the report by JSON pointer.
    pub facts: BTreeMap<String, toml::Value>,
    /// Pointers that lead nowhere in the report.
    pub missing: Vec<String>,
    /// Words of the verdict's summary, in any case.
    pub summary_has: Vec<String>,
    /// Connections at the most, over all hosts.
    pub connections_at_most: Option<usize>,
    /// `duration_ms` at the most.
    pub duration_ms_at_most: Option<f64>,
    /// Connections whose peer spoke TLS and stayed may end without close_notify, or by RST.
    pub impolite: bool,
}

impl Scenario {
    /// Reads a scenario. Files of certificates are looked for in `../certs` from it.
    pub fn load(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut scenario: Self = text.parse().map_err(|error| format!("{}: {error}", path.display()))?;
        scenario.name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        scenario.files = path.parent().unwrap_or(Path::new(".")).join("../certs");
        Ok(scenario)
    }

    /// Every scenario of a directory, by name.
    pub fn load_all(directory: &Path) -> Result<Vec<Self>, String> {
        let entries =
            std::fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
        let mut paths: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
            .collect();
        paths.sort();
        paths.iter().map(|path| Self::load(path)).collect()
    }

    /// The target, parsed.
    pub fn target(&self) -> Target {
        let input = self.target.clone();
        let (host, port) = match input.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':')),
            None => match input.rsplit_once(':') {
                Some((host, port)) if !host.contains(':') => (host, Some(port)),
                _ => (&input[..], None),
            },
        };
        Target {
            host: host.into(),
            port: port.and_then(|port| port.parse().ok()).unwrap_or(Target::DEFAULT_PORT),
            input: input.clone(),
        }
    }

    /// The certificates, bearing the target's name and every address of a host unless their spec says otherwise.
    ///
    /// They are made once for a scenario and its clones, so what they depend on is set before.
    pub fn certificates(&self) -> Arc<Certificates> {
        Arc::clone(self.made.get_or_init(|| self.certificates_for(&[])))
    }

    /// The same with further names.
    pub(crate) fn certificates_for(&self, further: &[String]) -> Arc<Certificates> {
        let mut names = vec![self.options.server_name.clone().unwrap_or_else(|| self.target().host)];
        let addresses = self.hosts.iter().flat_map(Host::all_addresses);
        names.extend(addresses.map(|address| address.to_string()));
        names.extend(further.iter().cloned());
        let mut seen = std::collections::BTreeSet::new();
        names.retain(|name| seen.insert(name.clone()));
        Arc::new(Certificates::new(self.now, names, self.certificates.clone(), &self.files))
    }

    /// What the resolver says of a name.
    pub fn resolution(&self, name: &str) -> Resolution {
        if let Some(resolution) = self.names.get(name) {
            return resolution.clone();
        }
        if name == self.target().host {
            return Resolution {
                addresses: self.hosts.iter().flat_map(Host::all_addresses).collect(),
                ..Resolution::default()
            };
        }
        Resolution { error: Some("EAI_NONAME".into()), ..Resolution::default() }
    }
}

impl FromStr for Scenario {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        toml::from_str(text).map_err(|error| error.to_string())
    }
}
