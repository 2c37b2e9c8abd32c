//! The product for other platforms, asked the same as this one's.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::bed::{Launch, Running};
use super::matrix::Row;
use super::probe::Words;
use super::{BUILT, Interop, judge, probe, schedule};
use crate::docs::target_folder;

/// Findings that rest on ICMP errors, and what is found where none is delivered, as under Wine.
const WITHOUT_ICMP: &[(&str, &str)] = &[
    ("udp-rejected", "udp-no-answer"),
    ("udp-prohibited", "udp-no-answer"),
    ("udp-mtu", "udp-no-answer"),
    ("tcp-prohibited", "tcp-unreachable"),
];

/// Rows that may come to something else, and why.
const MAY_DIFFER: &[(&str, &str)] = &[
    ("tls-openssl-bans", "the server turns away who has asked before"),
    ("gnome-twice", "whether two connections meet at a server that serves one is a race"),
    ("sshd", "it resets, and what it said before may be lost there (bytes-before-reset)"),
    ("udp-mtu", "Wine knows no path MTU, and refuses to send what is larger (WSAEMSGSIZE)"),
];

/// `cargo xtask cross build`.
pub(super) fn build(_: &Interop<'_>) -> Result<()> {
    crate::cross::build()
}

/// The Windows program under Wine: the demo's hosts, and every server of the matrix, come to the same verdict and
/// findings as here.
pub(super) fn wine(interop: &Interop<'_>) -> Result<()> {
    let room = Room::open(interop, &crate::cross::wine()?)?;
    let program = crate::cross::program(crate::cross::WINDOWS, true)?;
    let demo = || {
        let arguments = ["demo", "--format", "json"].map(Into::into).into();
        room.run(interop, &program, Words { arguments, environment: BTreeMap::new() }, "demo")
    };
    // Its time limits are those of loopback: a busy computer may cut one host short, and gets a second look.
    let first = demo()?;
    let demo = if first.exit == Some(0) { first } else { demo()? };
    let hosts: Vec<Value> = serde_json::from_str(&demo.stdout).context("the demo shows no hosts")?;
    ensure!(demo.exit == Some(0), "the demo's hosts under Wine: exit {}", judge::exit_text(demo.exit));
    println!("      wine  {} hosts of the demo get their verdicts", hosts.len());

    let rows = interop.matrix.rows.iter().filter(|row| BUILT.contains(&row.group));
    let queue = schedule::Queue::new(rows.map(|row| (row, interop.locks(row))).collect());
    let compared = queue.work(2, |row| {
        let compared = compare(interop, &room, &program, row);
        match &compared {
            Ok(Compared::Same(seen)) => println!("      same  {:32} {seen}", row.name),
            Ok(Compared::NoIcmp(here, there)) => {
                println!("      icmp  {:32} {here}; Wine, which delivers no ICMP: {there}", row.name);
            }
            Ok(Compared::MayDiffer(here, there, why)) => {
                println!("      may   {:32} {here}; Wine: {there}: {why}", row.name);
            }
            Ok(Compared::Differ(here, there)) => {
                println!("      DIFF  {:32} {here}; Wine: {there}", row.name)
            }
            Err(error) => println!("      DIFF  {:32} {error:#}", row.name),
        }
        compared
    });
    let count = |wanted: fn(&Result<Compared>) -> bool| compared.iter().filter(|one| wanted(one)).count();
    let same = count(|one| matches!(one, Ok(Compared::Same(_))));
    let icmp = count(|one| matches!(one, Ok(Compared::NoIcmp(..))));
    let all = compared.len();
    let may = count(|one| matches!(one, Ok(Compared::MayDiffer(..))));
    println!("      wine  {same} of {all} rows the same, {icmp} but for ICMP errors, {may} differ and may");
    ensure!(same + icmp + may == all, "{} rows differ under Wine", all - same - icmp - may);
    Ok(())
}

/// What a report comes to.
#[derive(PartialEq)]
struct Seen {
    exit: Option<i32>,
    code: String,
    phase: Option<String>,
    findings: BTreeSet<String>,
}

enum Compared {
    Same(Seen),
    NoIcmp(Seen, Seen),
    MayDiffer(Seen, Seen, &'static str),
    Differ(Seen, Seen),
}

fn compare(interop: &Interop<'_>, room: &Room, program: &Path, row: &Row) -> Result<Compared> {
    if let Some(name) = &row.server {
        interop.ensure_started(name)?;
    }
    let here = Seen::in_report(&probe::run_probe(interop, row)?)?;
    let there = Seen::in_report(&room.run(interop, program, probe::words(interop, row)?, &row.name)?)?;
    Ok(if here == there {
        Compared::Same(here)
    } else if here.without_icmp() == there {
        Compared::NoIcmp(here, there)
    } else if let Some((_, why)) = MAY_DIFFER.iter().find(|(name, _)| *name == row.name) {
        Compared::MayDiffer(here, there, why)
    } else {
        Compared::Differ(here, there)
    })
}

impl Seen {
    /// What it would have been without ICMP errors.
    fn without_icmp(&self) -> Seen {
        let code = |code: &String| {
            let other = WITHOUT_ICMP.iter().find(|(with, _)| with == code);
            other.map_or_else(|| code.clone(), |(_, without)| (*without).to_owned())
        };
        Seen {
            exit: self.exit,
            code: code(&self.code),
            phase: self.phase.clone(),
            findings: self.findings.iter().map(code).collect(),
        }
    }

    fn in_report(run: &judge::Run) -> Result<Seen> {
        let report: Value = serde_json::from_str(&run.stdout)
            .with_context(|| format!("no report (exit {})", judge::exit_text(run.exit)))?;
        let text = |pointer: &str| report.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let findings = report.get("findings").and_then(Value::as_array).into_iter().flatten();
        Ok(Seen {
            exit: run.exit,
            code: text("/verdict/code").unwrap_or_default(),
            phase: text("/verdict/phase"),
            findings: findings
                .filter_map(|finding| Some(finding.get("code")?.as_str()?.to_owned()))
                .collect(),
        })
    }
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let others: Vec<&str> =
            self.findings.iter().map(String::as_str).filter(|code| *code != self.code).collect();
        write!(f, "{} (exit {}", self.code, judge::exit_text(self.exit))?;
        if others.is_empty() { f.write_str(")") } else { write!(f, "; {})", others.join(" ")) }
    }
}

/// A file system with Wine in it, and a process in namespaces of its own that holds it: when that ends, so does all that
/// Wine started.
struct Room {
    folder: PathBuf,
    holder: i32,
    _running: Running,
}

impl Room {
    fn open(interop: &Interop<'_>, folder: &Path) -> Result<Room> {
        const HOLD: &str = r#"set -e
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mkdir -p "$1$2" "$1/prefix"
mount --bind "$2" "$1$2"
echo ready
exec sleep infinity"#;
        let ours = interop.bed.folder();
        fs::copy(ours.join("hosts"), folder.join("etc/hosts"))?;
        fs::copy(ours.join("nsswitch.conf"), folder.join("etc/nsswitch.conf"))?;
        // A name has all of its addresses.
        fs::write(folder.join("etc/host.conf"), "multi on\n")?;
        let target = target_folder();
        let launch = Launch::new("unshare")
            .args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", HOLD, "sh"])
            .args([folder.display().to_string(), target.display().to_string()]);
        let running = interop.bed.spawn("wine", &launch)?;
        running.wait_said("ready")?;
        let pid = running.pid();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
        let holder = children.split_whitespace().next().context("nobody holds the room")?.parse()?;
        let room = Room { folder: folder.to_path_buf(), holder, _running: running };
        let boot =
            room.command(Path::new("wineboot"), &["--init".into()]).output().context("cannot run nsenter")?;
        ensure!(boot.status.success(), "wineboot: {}", String::from_utf8_lossy(&boot.stderr));
        Ok(room)
    }

    /// Its own root and nothing of the system's; drive Z: is that root, and the current one.
    fn command(&self, program: &Path, arguments: &[OsString]) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--target", &self.holder.to_string(), "--mount", "--pid", "chroot"])
            .arg(&self.folder)
            .arg("/usr/lib/wine/wine64")
            .arg(program)
            .args(arguments)
            .env_clear()
            .env("PATH", crate::apt::SEARCH_PATH)
            .env("HOME", "/root")
            .env("WINEPREFIX", "/prefix")
            // The script of that name wants a shell.
            .env("WINESERVER", "/usr/lib/wine/wineserver64")
            // Debian's Wine takes zlib1.dll from mingw.
            .env("WINEPATH", "Z:\\usr\\x86_64-w64-mingw32\\lib")
            .env("WINEDEBUG", "-all");
        command
    }

    fn run(&self, interop: &Interop<'_>, program: &Path, words: Words, name: &str) -> Result<judge::Run> {
        let mut command = self.command(program, &words.arguments);
        command.envs(words.environment);
        let report = interop.bed.folder().join("reports").join(format!("{name}-wine.json"));
        probe::run_to_end(interop, &mut command, &report)
    }
}
