//! Where targets are listed: arguments, files, stdin.

use std::collections::HashSet;
use std::hash::BuildHasher as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rdprobe_report::{ParseTargetError, Target};

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

/// Every target in the order given, each once. Lists stay text, which is read line by line as targets are taken.
#[derive(Debug)]
pub(crate) struct Targets {
    named: Vec<Entry>,
    count: usize,
}

#[derive(Clone, Debug)]
enum Entry {
    Target(Target),
    List(Arc<str>),
}

impl Targets {
    /// Reads every list.
    ///
    /// # Errors
    /// Where one cannot be read, names no host, or has a line that is none.
    pub(crate) fn read(hosts: &[Named], files: &[Source]) -> Result<Self, String> {
        let mut named = Vec::new();
        for host in hosts {
            named.push(match host {
                Named::Target(target) => Entry::Target(target.clone()),
                Named::Stdin => Entry::List(list(&Source::Stdin)?),
                Named::RdpFile(path) => Entry::Target(rdp_file(path)?.target),
            });
        }
        for file in files {
            named.push(Entry::List(list(file)?));
        }
        let count = each_once(named.clone()).count();
        Ok(Self { named, count })
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// One after the other.
    pub(crate) fn each(self) -> impl Iterator<Item = Target> + Send + 'static {
        each_once(self.named)
    }
}

fn each_once(named: Vec<Entry>) -> impl Iterator<Item = Target> + Send + 'static {
    let hasher = std::hash::RandomState::new();
    // Hashes alone: the names themselves would be the most of what a long list takes.
    let mut seen = HashSet::new();
    let all = named.into_iter().flat_map(|entry| match entry {
        Entry::Target(target) => Remaining::One(Some(target)),
        Entry::List(text) => Remaining::Lines { text, at: 0 },
    });
    all.filter(move |target| seen.insert(hasher.hash_one((target.host.to_ascii_lowercase(), target.port))))
}

enum Remaining {
    One(Option<Target>),
    Lines { text: Arc<str>, at: usize },
}

impl Iterator for Remaining {
    type Item = Target;

    fn next(&mut self) -> Option<Target> {
        match self {
            Self::One(target) => target.take(),
            Self::Lines { text, at } => loop {
                let line = text[*at..].split_inclusive('\n').next()?;
                *at += line.len();
                if let Ok(target) = host_of(line).parse() {
                    return Some(target);
                }
            },
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
    match check(&text).map_err(|error| format!("{source}, {error}"))? {
        0 => Err(format!("{source} names no host; it should have one on each line")),
        _ => Ok(text.into()),
    }
}

/// The number of targets, one a line; `#` begins a comment.
fn check(text: &str) -> Result<usize, String> {
    let mut count = 0;
    for (number, line) in text.lines().enumerate() {
        let host = host_of(line);
        if !host.is_empty() {
            count += 1;
            let parsed = host.parse::<Target>();
            parsed.map_err(|error| format!("line {}: {host:?}: {error}", number + 1))?;
        }
    }
    Ok(count)
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
        let utf16 = |unit: fn([u8; 2]) -> u16| {
            let units: Vec<u16> = bytes[2..].chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
            String::from_utf16(&units).map_err(|_| format!("{self} is not text"))
        };
        match bytes.get(..3) {
            Some([0xff, 0xfe, _]) => utf16(u16::from_le_bytes),
            Some([0xfe, 0xff, _]) => utf16(u16::from_be_bytes),
            Some([0xef, 0xbb, 0xbf]) => {
                String::from_utf8(bytes.split_off(3)).map_err(|_| format!("{self} is not text"))
            }
            _ => String::from_utf8(bytes).map_err(|_| format!("{self} is not text")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_comments_blank_lines_and_numbered_errors() {
        let text = "# ours\nrds01\n\n  rds02:3390  # the second\r\nRDS01:3389";
        assert_eq!(check(text), Ok(3));
        let list = each_once(vec![Entry::List(text.into())]);
        assert_eq!(list.map(|target| target.port).collect::<Vec<_>>(), [3389, 3390]);
        assert!(check("rds01\nrdp://x").unwrap_err().starts_with("line 2: \"rdp://x\""));
    }
}
