//! One row: the probe run as a user would run it, and its report judged.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::judge::{self, Run};
use super::matrix::Row;
use super::reaper::Trace;
use super::{Interop, procfs};

/// A run's bound. The probe's own deadline is 20 s.
const BOUND: Duration = Duration::from_secs(40);

/// In a mount namespace of its own, names resolve from our hosts file and nothing else: no row can ask a
/// name server, and every name leads where the matrix says.
const WITH_OUR_NAMES: &str = r#"mount --bind "$1" /etc/hosts && mount --bind "$2" /etc/nsswitch.conf || exit 120
shift 2; exec "$@""#;

/// Programs that a row's extra checks need.
pub(super) fn programs(row: &Row) -> Vec<&'static str> {
    let mut programs = vec!["unshare"];
    if row.decode_udp {
        programs.push("tshark");
    }
    if row.compare_nmap || row.compare_encryption {
        programs.push("nmap");
    }
    if row.compare_scanners {
        programs.push("sslscan");
    }
    if row.compare_clients || row.check_hellos {
        programs.extend(crate::capture::CLIENTS.iter().map(|client| client.program));
        programs.push("Xvfb");
    }
    programs
}

/// Writes the files that every run of the probe sees.
pub(super) fn prepare(interop: &Interop<'_>) -> Result<()> {
    let mut hosts = "127.0.0.1 localhost\n".to_owned();
    for (name, addresses) in &interop.matrix.hosts {
        for address in addresses {
            hosts.push_str(&format!("{address} {name}\n"));
        }
    }
    let folder = interop.bed.folder();
    fs::write(folder.join("hosts"), hosts)?;
    fs::write(folder.join("nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files\n")?;
    Ok(())
}

/// Runs the row and returns everything that is not as it must be.
pub(super) fn ask(interop: &Interop<'_>, row: &Row) -> Result<Vec<String>> {
    let capture = row.decode_udp.then(|| super::oracle::Capture::start(interop, row)).transpose()?;
    let sessions = row.leaves_nothing.then(|| super::sessions::Sessions::count(interop, row)).transpose()?;
    let mut complaints = Vec::new();
    for round in 1..=row.repeat {
        let run = run_probe(interop, row)?;
        let wrong = judge::complaints(&row.expect, &run);
        if !wrong.is_empty() {
            if row.repeat > 1 {
                complaints.push(format!("in run {round} of {}", row.repeat));
            }
            complaints.extend(wrong);
            break;
        }
    }
    if let Some(capture) = capture {
        complaints.extend(capture.complaints()?);
    }
    if let Some(sessions) = sessions {
        complaints.extend(sessions.complaints(interop)?);
    }
    if row.compare_encryption {
        complaints.extend(super::oracle::encryption_complaints(interop, row)?);
    }
    if row.compare_scanners {
        complaints.extend(super::scanners::complaints(interop, row)?);
    }
    if row.compare_clients {
        complaints.extend(super::clients::complaints(interop, row)?);
    }
    if row.check_hellos {
        complaints.extend(super::clients::unlike_profiles()?);
    }
    if row.compare_nmap {
        complaints.extend(super::oracle::nmap_complaints(interop, row)?);
    }
    Ok(complaints)
}

/// Where the row's last report lies.
pub(super) fn report_path(interop: &Interop<'_>, row: &Row) -> std::path::PathBuf {
    interop.bed.folder().join("reports").join(format!("{}.json", row.name))
}

/// Runs the probe for the row, once.
pub(super) fn run_probe(interop: &Interop<'_>, row: &Row) -> Result<Run> {
    let folder = interop.bed.folder();
    let words = words(interop, row)?;
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-c", WITH_OUR_NAMES, "sh"])
        .arg(folder.join("hosts"))
        .arg(folder.join("nsswitch.conf"))
        .arg(&interop.probe)
        .args(words.arguments)
        .env("KRB5_CONFIG", folder.join("krb5.conf"))
        .envs(words.environment);
    run_to_end(interop, &mut command, &report_path(interop, row))
}

/// What a probe is told.
pub(super) struct Words {
    pub(super) arguments: Vec<OsString>,
    pub(super) environment: BTreeMap<String, String>,
}

/// The row's; the certificates that they name are made.
pub(super) fn words(interop: &Interop<'_>, row: &Row) -> Result<Words> {
    let folder = interop.bed.folder();
    for path in certificates_named(row) {
        interop.certs.get(&path)?;
    }
    let mut arguments: Vec<OsString> = vec!["--format".into(), "json".into()];
    arguments.extend(row.args.iter().map(|arg| filled(arg, folder).into()));
    arguments.push(row.target.clone().into());
    let environment = row.env.iter().map(|(name, value)| (name.clone(), filled(value, folder))).collect();
    Ok(Words { arguments, environment })
}

/// Runs a probe until it ends by itself or its time is over, its output in this file.
pub(super) fn run_to_end(interop: &Interop<'_>, command: &mut Command, report: &Path) -> Result<Run> {
    let errors = report.with_extension("stderr");
    let child = command
        .stdin(Stdio::null())
        .stdout(File::create(report)?)
        .stderr(File::create(&errors)?)
        .process_group(0)
        .spawn()
        .context("cannot run the probe")?;
    let pid = i32::try_from(child.id())?;
    let since = procfs::Process::read(pid).map_or(0, |process| process.started);
    interop.bed.record(&Trace::Group { id: pid, since })?;

    let exit = wait(child)?;
    let stdout = fs::read_to_string(report)?;
    if stdout.trim().is_empty() {
        let said = fs::read_to_string(&errors).unwrap_or_default();
        bail!("no report (exit {}): {}", judge::exit_text(exit), said.trim().replace('\n', " / "));
    }
    Ok(Run { exit, stdout })
}

fn wait(mut child: Child) -> Result<Option<i32>> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.code());
        }
        if began.elapsed() > BOUND {
            child.kill()?;
            child.wait()?;
            bail!("the probe still ran after {} s", BOUND.as_secs());
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn filled(text: &str, folder: &Path) -> String {
    text.replace("{certs}", &folder.join("certs").display().to_string())
        .replace("{state}", &folder.display().to_string())
}

/// Certificates that the row's arguments name as `{certs}/NAME.crt`: no server need bear them.
fn certificates_named(row: &Row) -> Vec<String> {
    row.args
        .iter()
        .filter_map(|arg| arg.strip_prefix("{certs}/")?.strip_suffix(".crt"))
        .map(str::to_owned)
        .collect()
}
