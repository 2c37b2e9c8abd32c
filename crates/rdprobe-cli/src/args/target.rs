//! Targets: as arguments, from a file, from stdin.

use std::fmt::Write as _;
use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use rdprobe_report::Target;

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
pub(super) fn argument(text: &str) -> Result<Named, String> {
    match text {
        "-" => Ok(Named::Stdin),
        _ => parse(text).map(Named::Target),
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
            targets.push(parse(line).map_err(|error| format!("line {}: {line:?}: {error}", number + 1))?);
        }
    }
    Ok(targets)
}

/// `HOST`, `HOST:PORT`, `[V6]:PORT`, or a bare IPv6 address.
pub(super) fn parse(text: &str) -> Result<Target, String> {
    let input = text.trim();
    if let Some(hint) = mistaken(input) {
        return Err(hint);
    }
    let (host, port) = if input.parse::<Ipv6Addr>().is_ok() {
        (input, None)
    } else if let Some(rest) = input.strip_prefix('[') {
        let (host, rest) = rest
            .split_once(']')
            .ok_or("the bracket is not closed: [ADDRESS]:PORT")?;
        host.parse::<Ipv6Addr>()
            .map_err(|_| "only an IPv6 address goes between brackets: [2001:db8::7]:3389")?;
        match rest.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if rest.is_empty() => (host, None),
            None => return Err("only :PORT can follow the bracket".into()),
        }
    } else {
        match input.rsplit_once(':') {
            Some((host, _)) if host.contains(':') => {
                return Err("write an IPv6 address with a port as [ADDRESS]:PORT".into());
            }
            Some((host, port)) => (host, Some(port)),
            None => (input, None),
        }
    };
    if host.parse::<IpAddr>().is_err() {
        check_name(host)?;
    }
    let port = match port {
        None => Target::DEFAULT_PORT,
        Some(port) => match port.parse::<u16>() {
            Ok(port) if port > 0 => port,
            _ => return Err(format!("{port:?} is no port: 1 to 65535, or none for 3389")),
        },
    };
    Ok(Target {
        input: input.into(),
        host: host.into(),
        port,
    })
}

/// What people paste that is no host, and what to type instead.
fn mistaken(input: &str) -> Option<String> {
    if input.is_empty() {
        return Some("a host is missing here".into());
    }
    if let Some((scheme, rest)) = input.split_once("://") {
        let host = rest.split("full%20address=s:").last().unwrap_or(rest);
        let host = host.split(['/', '?', '&']).next().unwrap_or_default();
        return Some(if host.is_empty() {
            format!("leave {scheme}:// away and type HOST or HOST:PORT")
        } else {
            format!("leave {scheme}:// away: rdprobe {host}")
        });
    }
    if let Some(host) = input.strip_prefix("\\\\") {
        let host = host.split('\\').next().unwrap_or_default();
        return Some(format!("that is a share: rdprobe {host}"));
    }
    if let Some((_, host)) = input.split_once('@') {
        return Some(format!("a probe needs no user: rdprobe {host}"));
    }
    if input.to_ascii_lowercase().ends_with(".rdp") {
        return Some("type the host itself: the line `full address:s:HOST` of that file has it".into());
    }
    if input.contains('/') {
        return Some("one host at a time: no ranges and no paths; a list goes into a file, -f FILE".into());
    }
    if input.contains('%') {
        return Some(
            "addresses with a zone (%eth0) cannot be probed; use another address of the host".into(),
        );
    }
    None
}

/// Whether a resolver can be asked for this name.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("the host is missing before the port".into());
    }
    if !name.is_ascii() {
        return Err("write an internationalised name in its ASCII form, xn--…".into());
    }
    let mut odd = String::new();
    for c in name
        .chars()
        .filter(|c| !matches!(c, 'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '.' | '_'))
    {
        if !odd.contains(c) {
            let _ = write!(odd, "{c}");
        }
    }
    if !odd.is_empty() {
        return Err(format!(
            "{odd:?} cannot be part of a host's name; type HOST or HOST:PORT"
        ));
    }
    let labels: Vec<&str> = name.strip_suffix('.').unwrap_or(name).split('.').collect();
    if labels.iter().any(|label| label.is_empty() || label.len() > 63) || name.len() > 254 {
        return Err("each part of a name has 1 to 63 characters, the whole at most 253".into());
    }
    let numbers = labels
        .iter()
        .all(|label| label.bytes().all(|b| b.is_ascii_digit()));
    if numbers && name.parse::<Ipv4Addr>().is_err() {
        return Err("an IPv4 address has four numbers from 0 to 255".into());
    }
    Ok(())
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
            let units: Vec<u16> = bytes[2..]
                .chunks_exact(2)
                .map(|pair| unit([pair[0], pair[1]]))
                .collect();
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

    fn host_and_port(text: &str) -> (String, u16) {
        let target = parse(text).unwrap();
        (target.host, target.port)
    }

    #[test]
    fn hosts_are_read_with_and_without_a_port() {
        for (text, host, port) in [
            ("rds01", "rds01", 3389),
            ("rds01.corp.example:3390", "rds01.corp.example", 3390),
            ("192.0.2.7", "192.0.2.7", 3389),
            ("192.0.2.7:33890", "192.0.2.7", 33890),
            ("2001:db8::7", "2001:db8::7", 3389),
            ("[2001:db8::7]", "2001:db8::7", 3389),
            ("[2001:db8::7]:3390", "2001:db8::7", 3390),
            ("demo:3389", "demo", 3389),
        ] {
            assert_eq!(host_and_port(text), (host.into(), port), "{text}");
        }
    }

    #[test]
    fn what_is_no_host_is_answered_with_what_to_type() {
        for (text, hint) in [
            ("rdp://rds01:3390/", "rdprobe rds01:3390"),
            (
                "rdp://full%20address=s:rds01:3389&audiomode=i:2",
                "rdprobe rds01:3389",
            ),
            (r"\\rds01\share", "rdprobe rds01"),
            ("anna@rds01", "rdprobe rds01"),
            ("work.rdp", "full address"),
            ("10.0.0.0/24", "-f FILE"),
            ("rds01:rdp", "no port"),
            ("rds01:0", "no port"),
            ("rds01:70000", "no port"),
            ("300.1.1.1", "four numbers"),
            ("2001:db8::zz:3389", "[ADDRESS]:PORT"),
            ("[rds01]:3389", "between brackets"),
            ("rds 01", "cannot be part"),
            ("rechner.bücher.example", "xn--"),
            ("a..b", "each part"),
            (":3389", "missing"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(hint), "{text}: {error}");
        }
    }

    #[test]
    fn a_list_has_comments_blank_lines_and_numbered_errors() {
        let list = parse_list("# ours\nrds01\n\n  rds02:3390  # the second\r\n").unwrap();
        assert_eq!(
            list.iter().map(|target| target.port).collect::<Vec<_>>(),
            [3389, 3390]
        );
        assert!(
            parse_list("rds01\nrdp://x")
                .unwrap_err()
                .starts_with("line 2: \"rdp://x\"")
        );
    }
}
