//! What may be probed: networks, addresses and names, each with a port or any.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use ipnet::IpNet;
use rdprobe_report::Target;

/// `CIDR[:PORT]`, `ADDRESS[:PORT]` or `NAME[:PORT]`; IPv6 with a port as `[NETWORK]:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    whom: Whom,
    /// None for every port.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Whom {
    /// Any name that leads there, too.
    Network(IpNet),
    /// Whatever it resolves to; in lower case and without the root's dot.
    Name(String),
}

/// What may be probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// Every target: for somebody who listens to this very computer.
    Everything,
    /// What one of these rules admits.
    Listed(Vec<Rule>),
}

impl Allowed {
    /// Whether an address to which a target resolved may be probed.
    ///
    /// # Errors
    /// Why not, for the one who asked.
    pub(crate) fn admit(&self, target: &Target, address: SocketAddr) -> Result<(), String> {
        match self {
            Self::Everything => Ok(()),
            Self::Listed(rules) if rules.iter().any(|rule| rule.admits(target, address)) => Ok(()),
            Self::Listed(_) => Err("it is not on the list of what may be probed".into()),
        }
    }
}

impl Rule {
    fn admits(&self, target: &Target, address: SocketAddr) -> bool {
        // An IPv4 address in IPv6's clothes is the IPv4 address.
        let ip = address.ip().to_canonical();
        let is_him = match &self.whom {
            Whom::Network(network) => network.contains(&ip),
            Whom::Name(name) => *name == plain(&target.host),
        };
        is_him && self.port.is_none_or(|port| port == address.port())
    }
}

fn plain(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (whom, port) = split(text)?;
        let port = port.map(|port| match port.parse() {
            Ok(0) | Err(_) => Err(format!("{port:?} is no port: 1 to 65535, or none for every port")),
            Ok(port) => Ok(port),
        });
        Ok(Self { whom: whom.parse()?, port: port.transpose()? })
    }
}

/// The whom and the port of a rule.
fn split(text: &str) -> Result<(&str, Option<&str>), String> {
    if let Some(rest) = text.strip_prefix('[') {
        let (whom, rest) = rest.split_once(']').ok_or("the bracket is not closed: [NETWORK]:PORT")?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((whom, Some(port))),
            None if rest.is_empty() => Ok((whom, None)),
            None => Err("only :PORT can follow the bracket".into()),
        };
    }
    match text.rsplit_once(':') {
        // The last colon of an IPv6 address is its own.
        Some((whom, port)) if !whom.contains(':') => Ok((whom, Some(port))),
        _ => Ok((text, None)),
    }
}

impl FromStr for Whom {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Network(address.to_canonical().into()));
        }
        if text.contains('/') {
            let network: IpNet = text
                .parse()
                .map_err(|_| format!("{text:?} is no network: write 10.0.0.0/8 or 2001:db8::/32"))?;
            if network.trunc() != network {
                return Err(format!("{network} has bits beyond its prefix: write {}", network.trunc()));
            }
            return Ok(Self::Network(network));
        }
        Target::check_name(text).map_err(|error| error.to_string())?;
        Ok(Self::Name(plain(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(rules: &[&str], target: &str, address: &str) -> bool {
        let rules = rules.iter().map(|rule| rule.parse().unwrap()).collect();
        Allowed::Listed(rules).admit(&target.parse().unwrap(), address.parse().unwrap()).is_ok()
    }

    #[test]
    fn networks_are_asked_for_the_address_and_names_for_what_was_typed() {
        assert!(admits(&["10.0.0.0/8"], "rds01", "10.1.2.3:3389"));
        assert!(!admits(&["10.0.0.0/8"], "rds01", "127.0.0.1:3389"));
        assert!(admits(&["192.0.2.7"], "192.0.2.7:3390", "192.0.2.7:3390"));
        assert!(admits(&["rds01.corp.example"], "RDS01.corp.example", "192.0.2.9:3389"));
        assert!(admits(&["rds01.corp.example."], "rds01.corp.example", "192.0.2.9:3389"));
        assert!(!admits(&["corp.example"], "rds01.corp.example", "192.0.2.9:3389"));
        assert!(!admits(&[], "rds01", "10.1.2.3:3389"));
    }

    #[test]
    fn a_port_holds_for_its_rule() {
        assert!(!admits(&["10.0.0.0/8:3389"], "10.0.0.1:22", "10.0.0.1:22"));
        assert!(admits(&["10.0.0.0/8:3389", "10.0.0.1:22"], "10.0.0.1:22", "10.0.0.1:22"));
        assert!(!admits(&["rds01:3390"], "rds01", "10.0.0.1:3389"));
        assert!(admits(&["[2001:db8::/32]:3389"], "rds01", "[2001:db8::7]:3389"));
        assert!(!admits(&["[2001:db8::/32]:3389"], "rds01", "[2001:db8::7]:3390"));
        assert!(admits(&["2001:db8::/32"], "rds01", "[2001:db8::7]:3390"));
    }

    #[test]
    fn an_ipv4_address_in_ipv6_is_that_address() {
        assert!(admits(&["10.0.0.0/8"], "rds01", "[::ffff:10.0.0.1]:3389"));
        assert!(!admits(&["::/0"], "rds01", "[::ffff:10.0.0.1]:3389"));
    }

    #[test]
    fn what_is_no_rule_says_what_to_write() {
        for (rule, word) in [
            ("10.0.0.1/8", "10.0.0.0/8"),
            ("10.0.0.0/33", "no network"),
            ("rds01:0", "no port"),
            ("rds01:x", "no port"),
            ("[2001:db8::/32", "bracket"),
            ("", "missing"),
            ("a b", ""),
        ] {
            let error = rule.parse::<Rule>().unwrap_err();
            assert!(error.contains(word), "{rule}: {error}");
        }
    }
}
