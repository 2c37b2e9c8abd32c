//! What is to be seen working beside the rows.

use anyhow::Result;

use super::exporter::{nginx, package, page, prometheus};
use super::{Interop, Options, platforms, scripted};

/// One thing to be seen working.
pub(super) struct Check {
    /// What `--only` calls it.
    pub(super) name: &'static str,
    /// Programs that it needs.
    pub(super) programs: &'static [&'static str],
    /// Slow, or more than a probe needs: only with `--all`, or by name.
    rare: bool,
    pub(super) run: fn(&Interop<'_>) -> Result<()>,
}

const CHECKS: [Check; 7] = [
    Check {
        name: "serve-prometheus",
        programs: &["prometheus", "promtool", "curl"],
        rare: false,
        run: prometheus::run,
    },
    Check { name: "serve-nginx", programs: &["nginx", "curl"], rare: false, run: nginx::run },
    Check {
        name: "serve-package",
        programs: &["dpkg", "dpkg-shlibdeps", "systemd-analyze"],
        rare: true,
        run: package::run,
    },
    Check {
        name: "client-follows-script",
        programs: &scripted::PROGRAMS,
        rare: false,
        run: scripted::client_follows_the_script,
    },
    Check { name: "serve-page", programs: &["chromium", "curl"], rare: true, run: page::run },
    Check { name: "cross-build", programs: &["gcc", "readelf"], rare: true, run: platforms::build },
    Check { name: "cross-wine", programs: &["gcc", "nsenter", "unshare"], rare: true, run: platforms::wine },
];

/// Those that the options choose.
pub(super) fn chosen(options: &Options) -> Vec<&'static Check> {
    let named = |check: &&Check| match options.only.is_empty() {
        true => options.group.is_empty() && (options.all || !check.rare),
        false => options.only.iter().any(|name| check.name.starts_with(name.as_str())),
    };
    CHECKS.iter().filter(named).collect()
}

/// Whether this names checks, and not rows.
pub(super) fn is_named(name: &str) -> bool {
    CHECKS.iter().any(|check| check.name.starts_with(name))
}
