//! Where targets are listed: arguments, files, stdin.

use std::collections::HashSet;
use std::hash::BuildHasher as _;
use std::io::{BufRead as _, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

use futures_util::stream::{self, Stream, StreamExt as _};
use rdprobe_report::{ParseTargetError, Status, Target};
use tracing::warn;

use super::rdp_file::{self, RdpFile};

/// One argument in a host's place.
#[derive(Clone, Debug)]
pub(crate) enum Named {
    Target(Target),
    Stdin,
    /// A file that a client opens.
    RdpFile(PathBuf),
}

/// Where a list or a report is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    File(PathBuf),
    Stdin,
}

/// A file, or `-` for stdin.
pub(super) fn file(text: &str) -> Result<Source, String> {
    Ok(match text {
        "-" => Source::Stdin,
        path => Source::File(path.into()),
    })
}

/// A host, or `-` for stdin.
pub(super) fn argument(text: &str) -> Result<Named, ParseTargetError> {
    match text {
        "-" => Ok(Named::Stdin),
        _ if rdp_file::is_one(text) => Ok(Named::RdpFile(text.into())),
        _ => text.parse().map(Named::Target),
    }
}

/// Every target in the order given, each once. Files stay text, which is read line by line as targets are taken; stdin is
/// read as it is written.
#[derive(Debug)]
pub(crate) struct Targets {
    named: Vec<Entry>,
    notes: mpsc::Sender<Note>,
}

#[derive(Clone, Debug)]
enum Entry {
    Target(Target),
    List { name: String, text: Arc<str> },
    Stdin,
}

/// What of a list was not probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    /// A line that names no host, and why.
    Bad(String),
    /// A host that stands there twice.
    Duplicate(String),
}

/// What has been said of the lists so far: lines that name no host at once, those that stand there twice together at
/// the end.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    bad: bool,
    duplicates: Vec<String>,
}

impl Noted {
    /// Takes what there is to say by now.
    pub(crate) fn take(&mut self, notes: &mpsc::Receiver<Note>) {
        for note in notes.try_iter() {
            match note {
                Note::Bad(line) => {
                    warn!("{line}");
                    self.bad = true;
                }
                Note::Duplicate(host) => self.duplicates.push(host),
            }
        }
    }

    /// Says what remains to be said. Of a host whose line could not be read nothing is known, and that is its status.
    pub(crate) fn finish(self) -> Option<Status> {
        const SAID: usize = 5;
        if !self.duplicates.is_empty() {
            let some = self.duplicates.iter().take(SAID).map(String::as_str).collect::<Vec<_>>().join(", ");
            let more = if self.duplicates.len() > SAID { ", …" } else { "" };
            warn!("probed once, though they stand there more than once: {some}{more}");
        }
        self.bad.then_some(Status::Inconclusive)
    }
}

impl Targets {
    /// Reads every file. With it, what is said of the lists while they are taken.
    ///
    /// # Errors
    /// Where one cannot be read, or names no host.
    pub(crate) fn read(hosts: &[Named], files: &[Source]) -> Result<(Self, mpsc::Receiver<Note>), String> {
        let mut named = Vec::new();
        for host in hosts {
            named.push(match host {
                Named::Target(target) => Entry::Target(target.clone()),
                Named::Stdin => Entry::Stdin,
                Named::RdpFile(path) => Entry::Target(rdp_file(path)?.target),
            });
        }
        for file in files {
            named.push(match file {
                Source::Stdin => Entry::Stdin,
                Source::File(_) => Entry::List { name: file.to_string(), text: list(file)? },
            });
        }
        let (notes, receiver) = mpsc::channel();
        Ok((Self { named, notes }, receiver))
    }

    /// Whether they are a list, or several: one host that was named alone is neither.
    pub(crate) fn are_many(&self) -> bool {
        !matches!(self.named[..], [Entry::Target(_)])
    }

    /// The one host that was named, where it is no list.
    pub(crate) fn alone(mut self) -> Option<Target> {
        match (self.named.pop(), self.named.is_empty()) {
            (Some(Entry::Target(target)), true) => Some(target),
            _ => None,
        }
    }

    /// How many there are, as far as that is known before they are taken.
    pub(crate) fn count(&self) -> Option<usize> {
        let count = |entry: &Entry| match entry {
            Entry::Target(_) => Some(1),
            Entry::List { text, .. } => Some(lines(text).count()),
            Entry::Stdin => None,
        };
        self.named.iter().map(count).sum()
    }

    /// One after the other.
    pub(crate) fn each(self) -> impl Stream<Item = Target> + Send + 'static {
        let hasher = std::hash::RandomState::new();
        // Hashes alone: the names themselves would be the most of what a long list takes.
        let mut seen = HashSet::new();
        let notes = self.notes;
        let all = stream::iter(self.named).flat_map(|entry| match entry {
            Entry::Target(target) => stream::iter([Ok(target)]).boxed(),
            Entry::List { name, text } => stream::iter(Lines { name, text, at: 0, number: 0 }).boxed(),
            Entry::Stdin => stdin().boxed(),
        });
        all.filter_map(move |entry| {
            let taken = match entry {
                Ok(target) => {
                    let hash = hasher.hash_one((target.host.to_ascii_lowercase(), target.port));
                    if seen.insert(hash) { Ok(target) } else { Err(Note::Duplicate(target.input)) }
                }
                Err(line) => Err(Note::Bad(line)),
            };
            // Where nobody listens any more, nobody wants to know.
            std::future::ready(taken.map_err(|note| notes.send(note)).ok())
        })
    }
}

/// A target, or what is wrong with the line.
type Line = Result<Target, String>;

fn target(name: &str, number: usize, host: &str) -> Line {
    host.parse().map_err(|error| format!("{name}, line {number}: {host:?}: {error}"))
}

/// The lines of stdin, each as soon as it is there.
fn stdin() -> impl Stream<Item = Line> + Send + 'static {
    /// Lines that wait to be taken.
    const AHEAD: usize = 16;
    let (lines, taken) = tokio::sync::mpsc::channel(AHEAD);
    // A read of stdin cannot be given up: the thread ends with it, or with the process.
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut number = 0;
        let mut line = Vec::new();
        while let Ok(1..) = input.read_until(b'\n', &mut line) {
            if number == 0 && (line.starts_with(&[0xff, 0xfe]) || line.starts_with(&[0xfe, 0xff])) {
                // UTF-16 has no lines that can be told by a byte: as PowerShell writes it, all at once.
                let _ = input.read_to_end(&mut line);
                let text = text(&line, &Source::Stdin);
                let entries: Vec<Line> = match text {
                    Ok(text) => Lines { name: "stdin".into(), text: text.into(), at: 0, number: 0 }.collect(),
                    Err(error) => vec![Err(error)],
                };
                let _ = entries.into_iter().try_for_each(|entry| lines.blocking_send(entry));
                return;
            }
            number += 1;
            let text = String::from_utf8_lossy(&line);
            let host = host_of(text.trim_start_matches('\u{feff}')).to_owned();
            line.clear();
            if !host.is_empty() && lines.blocking_send(target("stdin", number, &host)).is_err() {
                return;
            }
        }
    });
    stream::unfold(taken, |mut taken| async { Some((taken.recv().await?, taken)) })
}

/// The lines of a text that name something.
struct Lines {
    name: String,
    text: Arc<str>,
    at: usize,
    number: usize,
}

impl Iterator for Lines {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        loop {
            let line = self.text[self.at..].split_inclusive('\n').next()?;
            self.at += line.len();
            self.number += 1;
            let host = host_of(line);
            if !host.is_empty() {
                return Some(target(&self.name, self.number, host));
            }
        }
    }
}

/// What a `.rdp` file says.
///
/// # Errors
/// Where it cannot be read, or names no host.
pub(super) fn rdp_file(path: &Path) -> Result<RdpFile, String> {
    let text = Source::File(path.to_owned()).read()?;
    RdpFile::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
}

fn list(source: &Source) -> Result<Arc<str>, String> {
    let text = source.read()?;
    if lines(&text).next().is_none() {
        return Err(format!("{source} names no host; it should have one on each line"));
    }
    Ok(text.into())
}

/// What stands on the lines, one target each; `#` begins a comment.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(host_of).filter(|host| !host.is_empty())
}

fn host_of(line: &str) -> &str {
    line.split('#').next().unwrap_or_default().trim()
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Stdin => f.write_str("stdin"),
        }
    }
}

impl Source {
    /// All of it as text: UTF-8, or UTF-16 with a byte order mark as PowerShell's `>` writes it.
    pub(crate) fn read(&self) -> Result<String, String> {
        let mut bytes = Vec::new();
        match self {
            Self::File(path) => std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)),
            Self::Stdin => std::io::stdin().lock().read_to_end(&mut bytes),
        }
        .map_err(|error| format!("cannot read {self}: {error}"))?;
        text(&bytes, self)
    }
}

/// The text in these bytes.
fn text(bytes: &[u8], source: &Source) -> Result<String, String> {
    let no_text = || format!("{source} is not text");
    let utf16 = |unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes[2..].chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        String::from_utf16(&units).map_err(|_| no_text())
    };
    match bytes {
        [0xff, 0xfe, ..] => utf16(u16::from_le_bytes),
        [0xfe, 0xff, ..] => utf16(u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8(rest.to_vec()).map_err(|_| no_text()),
        _ => String::from_utf8(bytes.to_vec()).map_err(|_| no_text()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_list_has_comments_blank_lines_and_numbered_errors() {
        let text = "# ours\nrds01\n\n  rds02:3390  # the second\r\nrdp://x\nRDS01:3389";
        let (notes, said) = mpsc::channel();
        let list = Entry::List { name: "hosts".into(), text: text.into() };
        let targets = Targets { named: vec![list], notes };
        assert_eq!((targets.count(), targets.are_many()), (Some(4), true));
        let ports: Vec<u16> = targets.each().map(|target| target.port).collect().await;
        assert_eq!(ports, [3389, 3390]);
        let said: Vec<Note> = said.try_iter().collect();
        assert!(matches!(&said[0], Note::Bad(line) if line.starts_with("hosts, line 5: \"rdp://x\"")));
        assert_eq!(said[1], Note::Duplicate("RDS01:3389".into()));
    }

    #[test]
    fn one_host_that_is_named_alone_is_no_list() {
        let one = [Named::Target("rds01".parse().unwrap())];
        assert!(!Targets::read(&one, &[]).unwrap().0.are_many());
        assert!(Targets::read(&one, &[Source::Stdin]).unwrap().0.are_many());
    }
}
