//! The dependency edges that keep the pure crates pure.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// Crates that know neither sockets nor a TLS stack nor a runtime.
const PURE: &[&str] = &["rdprobe-report", "rdprobe-protocol", "rdprobe-diagnosis"];

/// What they must not reach, however far down.
const FORBIDDEN: &[&str] = &["tokio", "rustls", "socket2", "mio"];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
struct DependencyKind {
    kind: Option<String>,
}

pub(crate) fn run() -> Result<bool> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--all-features"])
        .output()
        .context("cannot run cargo metadata")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Metadata = serde_json::from_slice(&output.stdout)?;

    let names: BTreeMap<&str, &str> =
        metadata.packages.iter().map(|package| (package.id.as_str(), package.name.as_str())).collect();
    let mut clean = true;
    for pure in PURE {
        let id = names.iter().find(|(_, name)| *name == pure).map(|(id, _)| *id);
        let id = id.with_context(|| format!("the workspace has no crate {pure}"))?;
        for path in forbidden_paths(id, &metadata.resolve, &names) {
            clean = false;
            eprintln!("{pure} must not depend on {}: {}", path.last().unwrap_or(&""), path.join(" → "));
        }
    }
    if clean {
        println!("{} reach none of {}", PURE.join(", "), FORBIDDEN.join(", "));
    }
    Ok(clean)
}

/// One shortest path to each forbidden crate that `start` reaches in a normal build (dev-dependencies are
/// no part of what users link).
fn forbidden_paths<'a>(
    start: &'a str,
    resolve: &'a Resolve,
    names: &BTreeMap<&str, &'a str>,
) -> Vec<Vec<&'a str>> {
    let nodes: BTreeMap<&str, &Node> = resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let name = |id: &str| names.get(id).copied().unwrap_or("?");
    let mut found = Vec::new();
    let mut seen = BTreeSet::from([start]);
    let mut queue = std::collections::VecDeque::from([(start, vec![name(start)])]);
    while let Some((id, path)) = queue.pop_front() {
        let Some(node) = nodes.get(id) else { continue };
        for dependency in &node.deps {
            let is_normal = dependency.dep_kinds.iter().any(|kind| kind.kind.as_deref() != Some("dev"));
            if !is_normal || !seen.insert(&dependency.pkg) {
                continue;
            }
            let mut path = path.clone();
            path.push(name(&dependency.pkg));
            if FORBIDDEN.contains(&name(&dependency.pkg)) {
                found.push(path);
            } else {
                queue.push_back((&dependency.pkg, path));
            }
        }
    }
    found
}
