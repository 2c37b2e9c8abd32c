//! The interop matrix as data: `fixtures/interop/*.toml`, one file per family of servers.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::IpAddr;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::certs::Certificate;
use super::judge::Expect;
use super::servers::Kind;

/// Everything that the files under `fixtures/interop` say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Matrix {
    /// Certificates that servers present.
    #[serde(default, rename = "certificate")]
    pub(super) certificates: Vec<Certificate>,
    /// Peers, each on an address of its own: tools key on port 3389.
    #[serde(default, rename = "server")]
    pub(super) servers: Vec<Server>,
    /// Probe runs and what must come of them.
    #[serde(default, rename = "row")]
    pub(super) rows: Vec<Row>,
    /// The whole hosts file that the probe sees: name to addresses. No other name resolves.
    #[serde(default)]
    pub(super) hosts: BTreeMap<String, Vec<IpAddr>>,
}

/// A peer that the harness starts when the first row that needs it comes up.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Server {
    pub(super) name: String,
    /// Where it listens. A namespace has several addresses and names none here.
    pub(super) address: Option<IpAddr>,
    /// 3389 unless said otherwise.
    #[serde(default = "default_port")]
    pub(super) port: u16,
    /// The certificate's name in the matrix.
    pub(super) certificate: Option<String>,
    /// The network namespace (a server of that kind) in which it runs.
    pub(super) namespace: Option<String>,
    /// Servers that must run before this one, beside those that its kind always needs.
    #[serde(default)]
    pub(super) needs: Vec<String>,
    pub(super) run: Kind,
}

/// One run of the probe.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    pub(super) name: String,
    #[serde(default)]
    pub(super) group: Group,
    /// What must run for it; nothing where the point is that nobody listens.
    pub(super) server: Option<String>,
    /// HOST or HOST:PORT as a user would type it.
    pub(super) target: String,
    /// Further arguments; `{certs}` and `{state}` stand for the run's folders.
    #[serde(default)]
    pub(super) args: Vec<String>,
    /// Environment of the probe; the same placeholders.
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    /// How many times in a row; each run must come to the same end.
    #[serde(default = "once")]
    pub(super) repeat: u32,
    /// Record the row's datagrams and have tshark decode every one.
    #[serde(default)]
    pub(super) decode_udp: bool,
    /// Compare versions, suites and groups with what sslscan and sslyze find.
    #[serde(default)]
    pub(super) compare_scanners: bool,
    /// Compare which clients get TLS with what becomes of the real ones.
    #[serde(default)]
    pub(super) compare_clients: bool,
    /// Compare the profiles of clients that run here with what they send.
    #[serde(default)]
    pub(super) check_hellos: bool,
    /// Compare names and build with what nmap's `rdp-ntlm-info` prints for the same server.
    #[serde(default)]
    pub(super) compare_nmap: bool,
    /// Compare the encryption that MCS shows with what nmap's `rdp-enum-encryption` prints for the same server.
    #[serde(default)]
    pub(super) compare_encryption: bool,
    /// The server has the same processes after it as before, and no fault in its log.
    #[serde(default)]
    pub(super) leaves_nothing: bool,
    /// Its server may fall by a fault of its own behind it, so it comes after all others.
    #[serde(default)]
    pub(super) last: bool,
    pub(super) expect: Expect,
}

/// Which part of the product a row asks about.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Group {
    /// DNS, TCP, X.224, TLS and certificate.
    #[default]
    Core,
    /// CredSSP with and without credentials.
    Credssp,
    /// The fast transport.
    Udp,
    /// Hosts that are far away.
    Distance,
    /// Servers that come from PyPI.
    Pypi,
}

fn default_port() -> u16 {
    3389
}

fn once() -> u32 {
    1
}

impl Matrix {
    /// Reads every TOML file of a folder, in the order of their names, as one matrix.
    pub(super) fn load(folder: &Path) -> Result<Matrix> {
        let mut paths: Vec<_> = fs::read_dir(folder)
            .with_context(|| format!("cannot read {}", folder.display()))?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
        paths.sort();
        let mut matrix = Matrix::default();
        for path in paths {
            let text = fs::read_to_string(&path)?;
            let part: Matrix = toml::from_str(&text).with_context(|| format!("{}", path.display()))?;
            matrix.certificates.extend(part.certificates);
            matrix.servers.extend(part.servers);
            matrix.rows.extend(part.rows);
            matrix.hosts.extend(part.hosts);
        }
        matrix.rows.sort_by_key(|row| row.last);
        matrix.check()?;
        Ok(matrix)
    }

    pub(super) fn server(&self, name: &str) -> Option<&Server> {
        self.servers.iter().find(|server| server.name == name)
    }

    /// The servers that must run before `name` and itself, each after what it needs.
    pub(super) fn closure(&self, name: &str) -> Vec<&Server> {
        fn visit<'m>(matrix: &'m Matrix, name: &str, found: &mut Vec<&'m Server>, depth: usize) {
            let Some(server) = matrix.server(name) else { return };
            if depth > matrix.servers.len() || found.iter().any(|known| known.name == name) {
                return;
            }
            for need in server.all_needs() {
                visit(matrix, &need, found, depth + 1);
            }
            found.push(server);
        }
        let mut found = Vec::new();
        visit(self, name, &mut found, 0);
        found
    }

    fn check(&self) -> Result<()> {
        unique("certificate", self.certificates.iter().map(|certificate| &certificate.name))?;
        unique("server", self.servers.iter().map(|server| &server.name))?;
        unique("row", self.rows.iter().map(|row| &row.name))?;
        let mut endpoints = BTreeSet::new();
        for server in &self.servers {
            if let Some(address) = server.address {
                let endpoint = (address, server.port, server.run.server().is_udp());
                ensure!(endpoints.insert(endpoint), "two servers listen on {address}:{}", server.port);
            }
            for need in server.all_needs() {
                ensure!(
                    self.server(&need).is_some(),
                    "server {} needs {need}, which is not there",
                    server.name
                );
            }
            if let Some(name) = &server.certificate {
                let known = self.certificates.iter().any(|certificate| certificate.name == *name);
                ensure!(known, "server {} bears {name}, which is not there", server.name);
            }
        }
        for row in &self.rows {
            if let Some(name) = &row.server {
                ensure!(self.server(name).is_some(), "row {} asks {name}, which is not there", row.name);
            }
        }
        Ok(())
    }
}

impl Server {
    /// What must run first: named in the matrix, its namespace, and what its kind always needs.
    pub(super) fn all_needs(&self) -> Vec<String> {
        let mut needs = self.needs.clone();
        needs.extend(self.namespace.clone());
        needs.extend(self.run.server().needs().iter().map(|need| (*need).to_owned()));
        needs
    }
}

fn unique<'a>(what: &str, names: impl Iterator<Item = &'a String>) -> Result<()> {
    let mut seen = BTreeSet::new();
    for name in names {
        ensure!(seen.insert(name), "two of the matrix's {what}s are named {name}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn committed() -> Matrix {
        Matrix::load(&crate::docs::workspace_root().join("fixtures/interop")).unwrap()
    }

    #[test]
    fn the_committed_matrix_is_consistent() {
        let matrix = committed();
        for group in [Group::Core, Group::Credssp, Group::Udp, Group::Distance, Group::Pypi] {
            assert!(matrix.rows.iter().any(|row| row.group == group), "{group:?} has no row");
        }
        assert!(matrix.rows.is_sorted_by_key(|row| row.last));
    }

    #[test]
    fn every_server_but_the_helpers_is_asked() {
        let matrix = committed();
        let asked: BTreeSet<_> = matrix
            .rows
            .iter()
            .filter_map(|row| row.server.as_ref())
            .flat_map(|name| matrix.closure(name))
            .map(|server| &server.name)
            .collect();
        for server in &matrix.servers {
            assert!(asked.contains(&server.name), "no row asks {}", server.name);
        }
    }

    #[test]
    fn only_loopback_and_the_benchmark_range_are_reached() {
        let matrix = committed();
        let ours = |address: &IpAddr| match address {
            IpAddr::V4(v4) => v4.is_loopback() || (v4.octets()[0] == 198 && v4.octets()[1] & 0xfe == 18),
            IpAddr::V6(v6) => v6.is_loopback(),
        };
        for row in &matrix.rows {
            let host = row.target.rsplit_once(':').map_or(row.target.as_str(), |(host, _)| host);
            let host = host.trim_matches(['[', ']']);
            match host.parse::<IpAddr>() {
                Ok(address) => assert!(ours(&address), "row {} reaches {address}", row.name),
                Err(_) => {
                    for address in matrix.hosts.get(host).into_iter().flatten() {
                        assert!(ours(address), "row {} reaches {address}", row.name);
                    }
                }
            }
        }
    }
}
