//! Targets: what is typed as one, and what to type instead.

use std::fmt::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The host as the user named it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// As typed.
    pub input: String,
    /// Name or address, without port and brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl Target {
    /// The port of the RDP listener.
    pub const DEFAULT_PORT: u16 = 3389;

    /// The address, where the target is one.
    pub fn ip(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// A host and a port from `HOST`, `HOST:PORT`, `[V6]:PORT` or a bare IPv6 address.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn host_and_port(text: &str, default_port: u16) -> Result<(String, u16), ParseTargetError> {
        let (host, port) = split(text.trim(), default_port).map_err(ParseTargetError)?;
        Ok((host.into(), port))
    }

    /// Whether a resolver can be asked for this name.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check_name(name: &str) -> Result<(), ParseTargetError> {
        check_name(name).map_err(ParseTargetError)
    }
}

/// Why a text is no target, in words for the one who typed it: what to type instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseTargetError(String);

impl fmt::Display for ParseTargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ParseTargetError {}

/// `HOST`, `HOST:PORT`, `[V6]:PORT`, or a bare IPv6 address.
impl FromStr for Target {
    type Err = ParseTargetError;

    fn from_str(text: &str) -> Result<Self, ParseTargetError> {
        parse(text).map_err(ParseTargetError)
    }
}

fn parse(text: &str) -> Result<Target, String> {
    let input = text.trim();
    if let Some(hint) = mistaken(input) {
        return Err(hint);
    }
    let (host, port) = split(input, Target::DEFAULT_PORT)?;
    Ok(Target { input: input.into(), host: host.into(), port })
}

fn split(input: &str, default_port: u16) -> Result<(&str, u16), String> {
    let (host, port) = if input.parse::<Ipv6Addr>().is_ok() {
        (input, None)
    } else if let Some(rest) = input.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or("the bracket is not closed: [ADDRESS]:PORT")?;
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
        None => default_port,
        Some(port) => match port.parse::<u16>() {
            Ok(port) if port > 0 => port,
            _ => return Err(format!("{port:?} is no port: 1 to 65535, or none for {default_port}")),
        },
    };
    Ok((host, port))
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

fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("the host is missing before the port".into());
    }
    if !name.is_ascii() {
        return Err("write an internationalised name in its ASCII form, xn--…".into());
    }
    let mut odd = String::new();
    for c in name.chars().filter(|c| !matches!(c, 'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '.' | '_')) {
        if !odd.contains(c) {
            let _ = write!(odd, "{c}");
        }
    }
    if !odd.is_empty() {
        return Err(format!("{odd:?} cannot be part of a host's name; type HOST or HOST:PORT"));
    }
    let labels: Vec<&str> = name.strip_suffix('.').unwrap_or(name).split('.').collect();
    if labels.iter().any(|label| label.is_empty() || label.len() > 63) || name.len() > 254 {
        return Err("each part of a name has 1 to 63 characters, the whole at most 253".into());
    }
    let numbers = labels.iter().all(|label| label.bytes().all(|b| b.is_ascii_digit()));
    if numbers && name.parse::<Ipv4Addr>().is_err() {
        return Err("an IPv4 address has four numbers from 0 to 255".into());
    }
    Ok(())
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
            ("rdp://full%20address=s:rds01:3389&audiomode=i:2", "rdprobe rds01:3389"),
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
}
