//! The programs that the peers are made of, and the Debian packages they come from.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};

use super::bed::Bed;
use super::reaper::Trace;
use crate::apt::{self, Lists, SEARCH_PATH};

/// Each program (or, with a path, each file) that the harness uses, and the package that has it.
const PACKAGES: &[(&str, &str)] = &[
    ("ip", "iproute2"),
    ("nft", "nftables"),
    ("openssl", "openssl"),
    ("unshare", "util-linux"),
    ("nsenter", "util-linux"),
    ("xrdp", "xrdp"),
    ("Xvfb", "xvfb"),
    ("freerdp-shadow-cli", "freerdp2-shadow-x11"),
    ("freerdp-shadow-cli3", "freerdp3-shadow-x11"),
    ("winpr-hash", "winpr-utils"),
    ("winpr-makecert", "winpr-utils"),
    ("gcc", "gcc"),
    ("readelf", "binutils"),
    ("weston", "weston"),
    ("/usr/libexec/gnome-remote-desktop-daemon", "gnome-remote-desktop"),
    ("grdctl", "gnome-remote-desktop"),
    ("gsettings", "libglib2.0-bin"),
    ("mutter", "mutter"),
    ("pipewire", "pipewire"),
    ("wireplumber", "wireplumber"),
    ("dbus-run-session", "dbus-user-session"),
    ("haproxy", "haproxy"),
    ("nginx", "nginx-light"),
    ("/usr/lib/nginx/modules/ngx_stream_module.so", "libnginx-mod-stream"),
    ("sshd", "openssh-server"),
    ("krb5kdc", "krb5-kdc"),
    ("kdb5_util", "krb5-kdc"),
    ("kadmin.local", "krb5-admin-server"),
    ("tshark", "tshark"),
    ("nmap", "nmap"),
    ("sslscan", "sslscan"),
    ("xfreerdp", "freerdp2-x11"),
    ("xfreerdp3", "freerdp3-x11"),
    ("keytool", "default-jre-headless"),
    ("promtool", "prometheus"),
    ("prometheus", "prometheus"),
    ("curl", "curl"),
    ("chromium", "chromium"),
    ("dpkg-shlibdeps", "dpkg-dev"),
    ("systemd-analyze", "systemd"),
    ("/usr/lib/nagios/plugins/negate", "monitoring-plugins-basic"),
    ("/usr/lib/python3/dist-packages/junitparser", "python3-junitparser"),
    ("/usr/lib/python3/dist-packages/jsonschema", "python3-jsonschema"),
    ("/usr/lib/python3/dist-packages/markdown_it", "python3-markdown-it"),
];

/// Packages of which the stable release has no version that we want.
const FROM_BACKPORTS: &[&str] = &["freerdp3-shadow-x11", "freerdp3-x11"];

/// The programs among these that are not there.
pub(super) fn missing(programs: &BTreeSet<&'static str>) -> BTreeSet<&'static str> {
    programs.iter().copied().filter(|program| find(program).is_none()).collect()
}

pub(super) fn find(program: &str) -> Option<PathBuf> {
    if program.starts_with('/') {
        return Some(PathBuf::from(program)).filter(|path| path.exists());
    }
    SEARCH_PATH.split(':').map(|folder| Path::new(folder).join(program)).find(|path| path.is_file())
}

fn packages(programs: &BTreeSet<&'static str>) -> BTreeSet<&'static str> {
    let package_of =
        |program: &str| PACKAGES.iter().find(|(name, _)| *name == program).map(|(_, package)| *package);
    programs.iter().map(|program| package_of(program).unwrap_or(program)).collect()
}

/// The error for programs that are missing and may not be installed.
pub(super) fn complain(missing: &BTreeSet<&'static str>) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<_> = packages(missing).into_iter().collect();
    bail!(
        "{}\n`cargo xtask interop --install` installs them{}",
        wanted(missing),
        if packages.iter().any(|package| FROM_BACKPORTS.contains(package)) {
            " (some from backports)"
        } else {
            ""
        }
    )
}

/// Programs that are missing, and their packages, in words.
pub(super) fn wanted(missing: &BTreeSet<&'static str>) -> String {
    let programs: Vec<_> = missing.iter().copied().collect();
    let packages: Vec<_> = packages(missing).into_iter().collect();
    format!("not installed: {}\nthe packages are: {}", programs.join(", "), packages.join(" "))
}

/// Installs the packages of these programs, none of whose services is started.
pub(super) fn install(bed: &Bed, programs: &BTreeSet<&'static str>) -> Result<()> {
    ensure!(find("apt-get").is_some(), "--install needs Debian's apt-get");
    let (backports, stable): (Vec<_>, Vec<_>) =
        packages(programs).into_iter().partition(|package| FROM_BACKPORTS.contains(package));
    forbid_services(bed)?;
    if !stable.is_empty() {
        println!("installing {}", stable.join(" "));
        apt::apt_get(&["update"])?;
        apt::apt_get(&[&["install", "--yes", "--no-install-recommends"], stable.as_slice()].concat())?;
    }
    if !backports.is_empty() {
        println!("installing {} from backports", backports.join(" "));
        let release = apt::release()?;
        let backports_suite = format!("{release}-backports");
        let security = format!("{release}-security");
        let lists = Lists::new(bed.folder(), &[&release, &backports_suite, &security])?;
        lists.apt_get(bed.folder(), &["update"])?;
        let install = ["install", "--yes", "--no-install-recommends", "--target-release", &backports_suite];
        lists.apt_get(bed.folder(), &[&install, backports.as_slice()].concat())?;
    }
    complain(&missing(programs))
}

/// `policy-rc.d` that answers 101 keeps packages from starting what they bring. One that is there already is
/// left alone.
fn forbid_services(bed: &Bed) -> Result<()> {
    let policy = Path::new("/usr/sbin/policy-rc.d");
    if policy.exists() {
        return Ok(());
    }
    bed.record(&Trace::File(policy.to_path_buf()))?;
    fs::write(policy, "#!/bin/sh\nexit 101\n")?;
    fs::set_permissions(policy, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_package() {
        let wanted = BTreeSet::from(["sh", "freerdp-shadow-cli3", "/nowhere/rdp-backend.so"]);
        let missing = missing(&wanted);
        assert!(missing.contains("/nowhere/rdp-backend.so") && !missing.contains("sh"));
        let error = complain(&BTreeSet::from(["freerdp-shadow-cli3", "xrdp"])).unwrap_err().to_string();
        assert!(error.contains("freerdp3-shadow-x11 xrdp") && error.contains("backports"), "{error}");
    }
}
