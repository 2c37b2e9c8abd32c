//! The private folder of a run, and the processes it starts.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::procfs;
use super::reaper::{Reaper, Trace};

/// How long a server may take until it listens. Cold caches on two busy cores are slow.
const START: Duration = Duration::from_secs(30);

/// What a run owns: its state folder, its processes, its namespaces.
pub(super) struct Bed {
    folder: PathBuf,
    reaper: Reaper,
    /// Kept unreaped, so that no id of ours can pass to somebody else's process while the run lasts.
    children: Mutex<Vec<Child>>,
}

/// A program about to be started.
#[derive(Default)]
pub(super) struct Launch {
    program: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
    namespace: Option<String>,
    private_run: Option<Vec<String>>,
}

/// A program that was started.
pub(super) struct Running {
    pid: i32,
    name: String,
    log: PathBuf,
}

impl Bed {
    /// Makes the state folder anew, for nobody else to read: it holds private keys and passwords.
    pub(super) fn new(folder: &Path) -> Result<Bed> {
        if folder.exists() {
            fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
        }
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        for part in ["certs", "log", "reports", "servers"] {
            fs::create_dir(folder.join(part))?;
        }
        // Debian's krb5.conf names somebody's real realm: no program of ours may see it.
        fs::write(
            folder.join("krb5.conf"),
            "[libdefaults]\n dns_lookup_kdc = false\n dns_lookup_realm = false\n",
        )?;
        Ok(Bed { folder: folder.to_path_buf(), reaper: Reaper::start()?, children: Mutex::default() })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A folder for one server's own files.
    pub(super) fn server_folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.join("servers").join(name);
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Has the trace undone when the run ends. To be called before it is made.
    pub(super) fn record(&self, trace: &Trace) -> Result<()> {
        self.reaper.record(trace)
    }

    /// Starts a program in a process group of its own, its output in `log/NAME.log`.
    pub(super) fn spawn(&self, name: &str, launch: &Launch) -> Result<Running> {
        let log = self.folder.join("log").join(format!("{name}.log"));
        let output = File::create(&log)?;
        let child = launch
            .command(&self.folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", launch.program))?;
        let pid = i32::try_from(child.id())?;
        let since = procfs::Process::read(pid).map_or(0, |process| process.started);
        self.children.lock().unwrap_or_else(PoisonError::into_inner).push(child);
        self.record(&Trace::Group { id: pid, since })?;
        Ok(Running { pid, name: name.to_owned(), log })
    }

    /// Runs a short program to its end; its output is the error's text where it fails.
    pub(super) fn output(&self, launch: &Launch) -> Result<String> {
        let output = launch
            .command(&self.folder)
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot run {}", launch.program))?;
        ensure!(
            output.status.success(),
            "{} {}: {}{}",
            launch.program,
            launch.args.join(" "),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Takes everything down.
    pub(super) fn close(self) -> Result<()> {
        self.reaper.finish()
    }
}

impl Launch {
    pub(super) fn new(program: impl Into<String>) -> Launch {
        Launch { program: program.into(), ..Launch::default() }
    }

    pub(super) fn arg(mut self, arg: impl Into<String>) -> Launch {
        self.args.push(arg.into());
        self
    }

    pub(super) fn args<T: Into<String>>(mut self, args: impl IntoIterator<Item = T>) -> Launch {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    pub(super) fn env(mut self, name: &str, value: impl Into<String>) -> Launch {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// Inside this network namespace.
    pub(super) fn namespace(mut self, name: Option<&str>) -> Launch {
        self.namespace = name.map(str::to_owned);
        self
    }

    /// With an empty `/run` of its own that has these folders (mode 700 each) and nothing else.
    pub(super) fn private_run<T: Into<String>>(mut self, folders: impl IntoIterator<Item = T>) -> Launch {
        self.private_run = Some(folders.into_iter().map(Into::into).collect());
        self
    }

    /// Every wrapper executes the next, so the process that is started becomes the program itself.
    fn command(&self, folder: &Path) -> Command {
        const PRIVATE_RUN: &str = r#"mount -t tmpfs -o mode=755 tmpfs /run || exit 1
n=$1; shift
while [ "$n" -gt 0 ]; do mkdir -p "$1" && chmod 700 "$1" || exit 1; shift; n=$((n - 1)); done
exec "$@""#;
        let mut words: Vec<String> = Vec::new();
        if let Some(namespace) = &self.namespace {
            words.extend(["ip", "netns", "exec", namespace].map(str::to_owned));
        }
        if let Some(folders) = &self.private_run {
            words.extend(["unshare", "--mount", "sh", "-c", PRIVATE_RUN, "sh"].map(str::to_owned));
            words.push(folders.len().to_string());
            words.extend(folders.iter().cloned());
        }
        words.push(self.program.clone());
        words.extend(self.args.iter().cloned());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command.env("KRB5_CONFIG", folder.join("krb5.conf"));
        command.env("PATH", crate::apt::SEARCH_PATH);
        command.env_remove("DISPLAY");
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Running {
    /// Waits until it listens there.
    pub(super) fn wait_listening(&self, address: SocketAddr) -> Result<()> {
        let pid = self.pid.to_string();
        self.wait_until(&format!("listens on {address}"), || procfs::is_listening(&pid, address))
    }

    /// Waits until its output holds this text.
    pub(super) fn wait_said(&self, text: &str) -> Result<()> {
        self.wait_until(&format!("says {text:?}"), || self.said().contains(text))
    }

    pub(super) fn pid(&self) -> i32 {
        self.pid
    }

    /// What it has written so far.
    pub(super) fn said(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// Asks it to end, and waits a little.
    pub(super) fn end(&self) {
        if let Some(pid) = rustix::process::Pid::from_raw(self.pid) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        for _ in 0..100 {
            if !procfs::Process::read(self.pid).is_some_and(|process| process.is_alive()) {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub(super) fn wait_until(&self, what: &str, ready: impl Fn() -> bool) -> Result<()> {
        let started = Instant::now();
        loop {
            if ready() {
                return Ok(());
            }
            if !procfs::Process::read(self.pid).is_some_and(|process| process.is_alive()) {
                bail!("{} ended before it {what}: {}", self.name, self.last_words());
            }
            if started.elapsed() > START {
                bail!("{} runs, but not so that it {what}: {}", self.name, self.last_words());
            }
            thread::sleep(Duration::from_millis(30));
        }
    }

    fn last_words(&self) -> String {
        const TAIL: u64 = 600;
        let tail = File::open(&self.log).and_then(|mut log| {
            let length = log.metadata()?.len();
            log.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
            let mut bytes = Vec::new();
            log.read_to_end(&mut bytes)?;
            Ok(bytes)
        });
        let text = String::from_utf8_lossy(&tail.unwrap_or_default()).trim().replace('\n', " / ");
        if text.is_empty() { format!("no output in {}", self.log.display()) } else { text }
    }
}
