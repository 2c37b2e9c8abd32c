//! The peers: one file per family. Each knows its programs and how it is started.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::bed::{Bed, Launch, Running};
use super::certs::{Pair, Store};
use super::matrix::Server;
use super::procfs;

mod distance;
mod freerdp;
mod gnome;
mod haproxy;
mod kerberos;
pub(super) mod namespace;
pub(in crate::interop) mod nginx;
mod openssl;
mod rdpeudp;
mod sshd;
mod tlslite;
mod weston;
mod xrdp;

/// What a server is; in the matrix `run.xrdp = { … }`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    Xrdp(xrdp::Xrdp),
    Xvfb(freerdp::Xvfb),
    Sam(freerdp::Sam),
    Shadow(freerdp::Shadow),
    GnomeRemoteDesktop(gnome::GnomeRemoteDesktop),
    Weston(weston::Weston),
    Haproxy(haproxy::Haproxy),
    Nginx(nginx::Nginx),
    Sshd(sshd::Sshd),
    Openssl(openssl::Openssl),
    Namespace(namespace::Namespace),
    Distance(distance::Distance),
    Kdc(kerberos::Kdc),
    Rdpeudp(rdpeudp::Rdpeudp),
    Tlslite(tlslite::Tlslite),
}

/// What the harness asks of each kind.
pub(super) trait Start {
    /// Programs (found on the path) and files (with their path) that must be installed.
    fn programs(&self) -> &'static [&'static str];

    /// Servers of the matrix that this kind cannot do without.
    fn needs(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether rows that need it may run side by side: it bears any number of them.
    fn is_shared(&self) -> bool {
        false
    }

    /// Whether it takes datagrams, beside whoever listens on the same port of TCP.
    fn is_udp(&self) -> bool {
        false
    }

    /// Starts it and returns once it is ready.
    fn start(&self, site: &Site<'_>) -> Result<()>;
}

impl Kind {
    pub(super) fn server(&self) -> &dyn Start {
        match self {
            Kind::Xrdp(server) => server,
            Kind::Xvfb(server) => server,
            Kind::Sam(server) => server,
            Kind::Shadow(server) => server,
            Kind::GnomeRemoteDesktop(server) => server,
            Kind::Weston(server) => server,
            Kind::Haproxy(server) => server,
            Kind::Nginx(server) => server,
            Kind::Sshd(server) => server,
            Kind::Openssl(server) => server,
            Kind::Namespace(server) => server,
            Kind::Distance(server) => server,
            Kind::Kdc(server) => server,
            Kind::Rdpeudp(server) => server,
            Kind::Tlslite(server) => server,
        }
    }
}

/// Everything a server finds around it when it is started.
pub(super) struct Site<'r> {
    pub(super) bed: &'r Bed,
    pub(super) certs: &'r Store,
    pub(super) server: &'r Server,
}

impl Site<'_> {
    pub(super) fn folder(&self) -> Result<PathBuf> {
        self.bed.server_folder(&self.server.name)
    }

    /// Where it is to listen.
    pub(super) fn address(&self) -> Result<SocketAddr> {
        let address =
            self.server.address.with_context(|| format!("server {} names no address", self.server.name))?;
        Ok(SocketAddr::new(address, self.server.port))
    }

    pub(super) fn certificate(&self) -> Result<Pair> {
        let name = self.server.certificate.as_ref();
        self.certs.get(name.with_context(|| format!("server {} names no certificate", self.server.name))?)
    }

    /// Refuses to take an address that somebody else holds: the row would ask a stranger.
    pub(super) fn require_free(&self, address: SocketAddr) -> Result<()> {
        let is_ours = self.server.namespace.is_none();
        ensure!(
            !is_ours || !procfs::is_listening("self", address),
            "somebody else listens on {address} already"
        );
        Ok(())
    }

    /// Starts the program in the server's namespace and waits until it listens on the server's address.
    pub(super) fn serve(&self, launch: Launch) -> Result<Running> {
        let address = self.address()?;
        self.require_free(address)?;
        let running = self.spawn(launch)?;
        running.wait_listening(address)?;
        Ok(running)
    }

    /// Starts the program in the server's namespace.
    pub(super) fn spawn(&self, launch: Launch) -> Result<Running> {
        self.bed.spawn(&self.server.name, &self.at_home(launch))
    }

    fn at_home(&self, launch: Launch) -> Launch {
        let namespace = self.server.namespace.as_deref().map(namespace::netns_name);
        launch.namespace(namespace.as_deref())
    }
}

/// All programs that these servers need.
pub(super) fn programs(servers: &[&Server]) -> BTreeSet<&'static str> {
    servers.iter().flat_map(|server| server.run.server().programs()).copied().collect()
}
