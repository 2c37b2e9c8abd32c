//! The matrix's servers for tasks that measure instead of judging.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};

use super::bed::Bed;
use super::certs::Store;
use super::matrix::Matrix;
use super::servers::{self, namespace};
use super::{Interop, build_probe, install, take_turns};
use crate::docs::target_folder;

/// Servers that run until this is dropped, and the probe to ask them with.
pub(crate) struct Stage<'i> {
    interop: &'i Interop<'i>,
    /// The probe's program.
    pub(crate) probe: PathBuf,
}

/// Starts these servers of the matrix and does `work` with them. One whose programs are missing is left out, and said
/// to be.
pub(crate) fn with_servers(
    names: &[&str],
    probe: Option<&Path>,
    work: impl FnOnce(&Stage<'_>) -> Result<()>,
) -> Result<bool> {
    ensure!(rustix::process::geteuid().is_root(), "namespaces, mounts and the servers need root");
    let root = crate::docs::workspace_root();
    let matrix = Matrix::load(&root.join("fixtures/interop"))?;
    let _lock = take_turns()?;
    let probe = match probe {
        Some(probe) => fs::canonicalize(probe).with_context(|| format!("no probe at {}", probe.display()))?,
        None => build_probe(super::Build::Release)?,
    };
    let bed = Bed::new(&target_folder().join("cost"))?;
    let certs = Store::new(bed.folder().join("certs"), &matrix);
    let started: BTreeMap<_, _> =
        matrix.servers.iter().map(|server| (server.name.as_str(), OnceLock::new())).collect();
    let interop = Interop { matrix: &matrix, bed: &bed, certs: &certs, probe: probe.clone(), started };
    for name in names {
        let missing = install::missing(&servers::programs(&matrix.closure(name)));
        if missing.is_empty() {
            interop.ensure_started(name)?;
        } else {
            println!("{name} is left out: {}", install::wanted(&missing));
        }
    }
    let outcome = work(&Stage { interop: &interop, probe });
    drop(interop);
    drop(certs);
    bed.close()?;
    outcome.map(|()| true)
}

impl Stage<'_> {
    /// Where a server listens; none where it was left out.
    pub(crate) fn address(&self, name: &str) -> Option<SocketAddr> {
        let server = self.interop.matrix.server(name)?;
        let runs = self.interop.started.get(name)?.get().is_some();
        Some(SocketAddr::new(server.address?, server.port)).filter(|_| runs)
    }

    /// The name of the network namespace in which a server runs.
    pub(crate) fn namespace(&self, name: &str) -> Option<String> {
        let server = self.interop.matrix.server(name)?;
        server.namespace.as_deref().map(namespace::netns_name)
    }

    /// The X display that the servers use, where one runs.
    pub(crate) fn display(&self) -> Option<String> {
        let folder = self.interop.bed.server_folder("xvfb").ok()?;
        let number = fs::read_to_string(folder.join("display")).ok()?;
        Some(format!(":{}", number.trim()))
    }
}

/// The program, where it is installed.
pub(crate) fn installed(program: &str) -> Option<PathBuf> {
    install::find(program)
}
