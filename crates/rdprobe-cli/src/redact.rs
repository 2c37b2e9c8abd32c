//! A report that can be shown in public: names, addresses, subjects and the account replaced, each everywhere by the
//! same word. Names are replaced label by label, so that what matched still matches; what the report concludes is
//! concluded again from what is left.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use rdprobe_report::Report;
use serde_json::{Map, Value};

/// Labels that say nothing of anybody, and change what a name is.
const KEPT_LABELS: [&str; 4] = ["*", "local", "localhost", "localdomain"];
/// Names of hosts, domains and realms, or addresses in their place.
const NAMES: [&str; 12] = [
    "input",
    "host",
    "server_name",
    "gateway",
    "common_name",
    "names",
    "dns_computer",
    "dns_domain",
    "dns_forest",
    "netbios_computer",
    "netbios_domain",
    "target_name",
];
/// Distinguished names, RFC 4514.
const SUBJECTS: [&str; 2] = ["subject", "issuer"];
const ADDRESSES: [&str; 5] = ["address", "local_address", "addresses", "not_probed", "from"];
/// What identifies a certificate.
const DIGESTS: [&str; 3] = ["sha256", "sha1", "serial"];
/// Bytes and words of the host's own, which nothing is judged by.
const DROPPED: [&str; 3] = ["der", "raw", "banner"];
/// Of what was no TLS, as much as tells xrdp's farewell: hex digits.
const NOT_TLS_DIGITS: usize = 18;

/// The redacted report.
///
/// # Errors
/// Where what is left cannot be read as a report, which would be a fault of ours.
pub(crate) fn redact(report: &Report) -> Result<Report, String> {
    let mut value = serde_json::to_value(report).map_err(|error| error.to_string())?;
    let Some(fields) = value.as_object_mut() else {
        return Err("a report is an object".into());
    };
    let mut redaction = Redaction::default();
    // What identifies is learnt everywhere before sentences are searched for it.
    for recorded in ["target", "options", "resolution", "attempts"] {
        if let Some(part) = fields.get_mut(recorded) {
            redaction.identifiers(part);
        }
    }
    if let Some(Value::Object(certificates)) = fields.get_mut("certificates") {
        let renamed = std::mem::take(certificates).into_iter();
        *certificates = renamed
            .map(|(digest, _)| (redaction.digest(&digest), serde_json::json!({ "der": "" })))
            .collect();
    }
    if let Some(Value::Object(labels)) = fields.get_mut("labels") {
        labels.values_mut().for_each(|value| *value = "redacted".into());
    }
    for recorded in ["options", "resolution", "attempts"] {
        if let Some(part) = fields.get_mut(recorded) {
            redaction.sentences(part);
        }
    }
    let redacted: Report = serde_json::from_value(value).map_err(|error| error.to_string())?;
    Ok(rdprobe::replay(&redacted, None))
}

/// What stands for what.
#[derive(Default)]
struct Redaction {
    labels: HashMap<String, usize>,
    addresses: HashMap<IpAddr, IpAddr>,
    digests: HashMap<String, String>,
    /// Whole identifiers and what they became, to be found in sentences.
    known: Vec<(String, String)>,
}

impl Redaction {
    fn identifiers(&mut self, value: &mut Value) {
        match value {
            Value::Object(fields) => self.fields(fields),
            Value::Array(values) => values.iter_mut().for_each(|value| self.identifiers(value)),
            _ => {}
        }
    }

    fn fields(&mut self, fields: &mut Map<String, Value>) {
        fields.retain(|name, _| !DROPPED.contains(&name.as_str()) || name == "der");
        for (name, value) in fields.iter_mut() {
            let name = name.as_str();
            if NAMES.contains(&name) {
                self.each(value, Self::name);
            } else if SUBJECTS.contains(&name) {
                self.each(value, Self::subject);
            } else if ADDRESSES.contains(&name) {
                self.each(value, Self::address);
            } else if DIGESTS.contains(&name) {
                self.each(value, Self::digest);
            } else if name == "account" {
                self.each(value, Self::account);
            } else if name == "cookie" || name == "routing_token" {
                self.each(value, Self::cookie);
            } else if name == "der" {
                *value = "".into();
            } else if name == "not_tls" {
                self.each(value, |_, hex| hex.chars().take(NOT_TLS_DIGITS).collect());
            } else {
                self.identifiers(value);
            }
        }
    }

    /// Replaces a text, or each text of a list.
    fn each(&mut self, value: &mut Value, replace: fn(&mut Self, &str) -> String) {
        match value {
            Value::String(text) => {
                let replaced = replace(self, text);
                if text.len() > 2 && *text != replaced {
                    self.known.push((text.clone(), replaced.clone()));
                }
                *text = replaced;
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.each(value, replace)),
            other => self.identifiers(other),
        }
    }

    /// `n1` for the first label that was met, and so on; in capitals where it was.
    fn label(&mut self, label: &str) -> String {
        let key = label.to_lowercase();
        if label.is_empty() || KEPT_LABELS.contains(&key.as_str()) {
            return label.into();
        }
        let next = self.labels.len() + 1;
        let number = *self.labels.entry(key).or_insert(next);
        let capitals = label.chars().any(char::is_uppercase) && !label.chars().any(char::is_lowercase);
        if capitals { format!("N{number}") } else { format!("n{number}") }
    }

    /// A host, with its port where it has one.
    fn name(&mut self, name: &str) -> String {
        if let Ok(address) = name.parse::<SocketAddr>() {
            return SocketAddr::new(self.ip(address.ip()), address.port()).to_string();
        }
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse::<IpAddr>() {
            return name.replace(bare, &self.ip(address).to_string());
        }
        let (host, port) = match name.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (host, Some(port)),
            _ => (name, None),
        };
        let labels: Vec<String> = host.split('.').map(|label| self.label(label)).collect();
        match port {
            Some(port) => format!("{}:{port}", labels.join(".")),
            None => labels.join("."),
        }
    }

    fn ip(&mut self, address: IpAddr) -> IpAddr {
        if address.is_loopback() || address.is_unspecified() {
            return address;
        }
        let number = self.addresses.len() as u32 + 1;
        *self.addresses.entry(address).or_insert_with(|| match address {
            // The networks of RFC 5737, and then those that never leave a site.
            IpAddr::V4(_) => {
                let [_, _, high, low] = number.to_be_bytes();
                let network = [[192, 0, 2], [198, 51, 100], [203, 0, 113]].get(usize::from(high));
                let [a, b, c] = network.copied().unwrap_or([10, 0, high]);
                Ipv4Addr::new(a, b, c, low).into()
            }
            IpAddr::V6(_) => {
                let [high, low] = [(number >> 16) as u16, number as u16];
                Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, high, low).into()
            }
        })
    }

    /// An address, with its port where it has one.
    fn address(&mut self, text: &str) -> String {
        match (text.parse::<SocketAddr>(), text.parse::<IpAddr>()) {
            (Ok(address), _) => SocketAddr::new(self.ip(address.ip()), address.port()).to_string(),
            (_, Ok(address)) => self.ip(address).to_string(),
            _ => self.name(text),
        }
    }

    /// `CN=rds01.corp.example, O=Corp`: the values, and never the attributes.
    fn subject(&mut self, subject: &str) -> String {
        let part = |redaction: &mut Self, part: &str| match part.split_once('=') {
            Some((attribute, value)) => {
                let words: Vec<String> = value.split(' ').map(|word| redaction.name(word)).collect();
                format!("{attribute}={}", words.join(" "))
            }
            None => redaction.name(part),
        };
        let parts: Vec<String> = subject.split(", ").map(|text| part(self, text)).collect();
        parts.join(", ")
    }

    /// `DOMAIN\name` or `name@realm`.
    fn account(&mut self, account: &str) -> String {
        if let Some((domain, name)) = account.split_once('\\') {
            return format!("{}\\{}", self.name(domain), self.label(name));
        }
        match account.split_once('@') {
            Some((name, realm)) => format!("{}@{}", self.label(name), self.name(realm)),
            None => self.label(account),
        }
    }

    /// `mstshash=NAME`.
    fn cookie(&mut self, cookie: &str) -> String {
        match cookie.split_once('=') {
            Some((key, value)) => format!("{key}={}", self.name(value)),
            None => self.label(cookie),
        }
    }

    /// As many hex digits, counted.
    fn digest(&mut self, digest: &str) -> String {
        let number = self.digests.len() + 1;
        let length = digest.len();
        self.digests.entry(digest.into()).or_insert_with(|| format!("{number:0length$x}")).clone()
    }

    /// Replaces in every text what was met as an identifier, the longest first.
    fn sentences(&mut self, value: &mut Value) {
        self.known.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
        self.known.dedup();
        self.search(value);
    }

    fn search(&self, value: &mut Value) {
        const SENTENCES: [&str; 8] = [
            "detail",
            "trust_error",
            "parse_error",
            "local_error",
            "package_reason",
            "not_tried",
            "text",
            "symptom",
        ];
        match value {
            Value::Object(fields) => {
                for (name, value) in fields.iter_mut() {
                    match value {
                        Value::String(text) if SENTENCES.contains(&name.as_str()) => *text = self.found(text),
                        Value::Array(demands) if name == "expect" => self.demands(demands),
                        other => self.search(other),
                    }
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.search(value)),
            _ => {}
        }
    }

    /// A demand may name the host in its pattern.
    fn demands(&self, demands: &mut [Value]) {
        for demand in demands {
            let Some(pattern) = demand.as_str().and_then(|demand| demand.strip_prefix("server~=")) else {
                continue;
            };
            let is_word = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
            let mut redacted = String::from("server~=");
            let mut rest = pattern;
            while !rest.is_empty() {
                let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                let (word, further) = rest.split_at(word);
                match self.labels.get(&word.to_lowercase()) {
                    Some(number) => redacted.push_str(&format!("n{number}")),
                    None => redacted.push_str(word),
                }
                let between = further.find(is_word).unwrap_or(further.len());
                redacted.push_str(&further[..between]);
                rest = &further[between..];
            }
            *demand = redacted.into();
        }
    }

    fn found(&self, text: &str) -> String {
        self.known.iter().fold(text.to_owned(), |text, (word, by)| text.replace(word, by))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    #[test]
    fn what_matched_still_matches() {
        let mut redaction = Redaction::default();
        assert_eq!(redaction.name("rds01.corp.example"), "n1.n2.n3");
        assert_eq!(redaction.name("*.corp.example"), "*.n2.n3");
        assert_eq!(redaction.name("RDS01"), "N1");
        assert_eq!(redaction.name("rds01.corp.example:3390"), "n1.n2.n3:3390");
        assert_eq!(redaction.subject("CN=rds01.corp.example, O=Corp Ltd"), "CN=n1.n2.n3, O=n2 n4");
        assert_eq!(redaction.account(r"CORP\alice"), r"N2\n5");
        assert_eq!(redaction.account("alice@corp.example"), "n5@n2.n3");
        assert_eq!(redaction.cookie("mstshash=alice"), "mstshash=n5");
    }

    #[test]
    fn addresses_become_those_of_documentation() {
        let mut redaction = Redaction::default();
        assert_eq!(redaction.address("10.1.2.3:3389"), "192.0.2.1:3389");
        assert_eq!(redaction.address("10.1.2.3"), "192.0.2.1");
        assert_eq!(redaction.name("[2a02::7]:3390"), "[2001:db8::2]:3390");
        assert_eq!(redaction.name("2a02::7"), "2001:db8::2");
        assert_eq!(redaction.address("127.0.0.1:3389"), "127.0.0.1:3389");
    }

    #[test]
    fn nothing_of_a_host_is_left_and_the_verdict_is_the_same() {
        for report in samples::all() {
            let redacted = redact(&report).unwrap();
            assert_eq!(redacted.verdict.code, report.verdict.code);
            assert_eq!(redacted.verdict.client_outcome, report.verdict.client_outcome);
            let text = serde_json::to_string(&redacted).unwrap().to_lowercase();
            for word in ["rds01", "rds02", "rds03", "corp.example", "192.0.2.7"] {
                assert!(!text.contains(word), "{word} in {text}");
            }
            assert_eq!(redact(&redacted).unwrap().verdict.code, report.verdict.code, "once more");
        }
    }
}
