//! Where targets are listed: arguments, files, stdin.

use std::io::Read as _;
use std::path::PathBuf;

use rdprobe_report::{ParseTargetError, Target};

/// One argument in a host's place.
#[derive(Clone, Debug)]
pub(crate) enum Named {
    Target(Target),
    Stdin,
}

/// Where a list or a report is read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    File(PathBuf),
    Stdin,
}

/// A host, or `-` for stdin.
pub(super) fn argument(text: &str) -> Result<Named, ParseTargetError> {
    match text {
        "-" => Ok(Named::Stdin),
        _ => text.parse().map(Named::Target),
    }
}

/// Every target in the order given, each once.
pub(crate) fn all(hosts: &[Named], files: &[Source]) -> Result<Vec<Target>, String> {
    let mut targets: Vec<Target> = Vec::new();
    for host in hosts {
        match host {
            Named::Target(target) => targets.push(target.clone()),
            Named::Stdin => targets.extend(list(&Source::Stdin)?),
        }
    }
    for file in files {
        targets.extend(list(file)?);
    }
    let mut seen = std::collections::HashSet::new();
    targets.retain(|target| seen.insert((target.host.to_ascii_lowercase(), target.port)));
    Ok(targets)
}

fn list(source: &Source) -> Result<Vec<Target>, String> {
    let targets = parse_list(&source.read()?).map_err(|error| format!("{source}, {error}"))?;
    if targets.is_empty() {
        return Err(format!("{source} names no host; it should have one on each line"));
    }
    Ok(targets)
}

/// One target a line; `#` begins a comment.
fn parse_list(text: &str) -> Result<Vec<Target>, String> {
    let mut targets = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if !line.is_empty() {
            targets.push(line.parse().map_err(|error| format!("line {}: {line:?}: {error}", number + 1))?);
        }
    }
    Ok(targets)
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
        let list = parse_list("# ours\nrds01\n\n  rds02:3390  # the second\r\n").unwrap();
        assert_eq!(list.iter().map(|target| target.port).collect::<Vec<_>>(), [3389, 3390]);
        assert!(parse_list("rds01\nrdp://x").unwrap_err().starts_with("line 2: \"rdp://x\""));
    }
}
