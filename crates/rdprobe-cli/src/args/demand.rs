//! What is demanded of a host beyond Remote Desktop working, and what is accepted.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{ArgAction, Args};
use rdprobe_diagnosis::registry;
use rdprobe_report::{CertDays, Code, Expectation, HelloProfile, Options};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::toml_value;

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Demands")]
pub(crate) struct DemandArguments {
    /// Fail unless this holds: nla, tls>=1.2, cert-days>=14, …
    ///
    /// nla, nla-required, tls>=1.2, cert-days>=14, trusted, no-weak-ciphers, udp, rtt<=200ms, server~=REGEX, client:ID;
    /// can be given more than once. What a client does with the host stays another question.
    #[arg(long, value_name = "WHAT", value_parser = expectation, action = ArgAction::Append)]
    pub(crate) expect: Vec<Expectation>,
    /// Demands from a TOML file: expect = ["nla"], ignore = ["cert-self-signed"], cert-days = [30, 7]
    #[arg(long, value_name = "FILE", value_parser = policy)]
    policy: Option<Demands>,
    /// From how many days before its end a certificate is a warning, and from how many an error [default: 14,0]
    #[arg(long, value_name = "WARN,ERROR", value_parser = cert_days)]
    cert_days: Option<CertDays>,
    /// Accept this finding: it stays in the report and out of the status; can be given more than once
    #[arg(long, value_name = "CODE", value_parser = ignorable, action = ArgAction::Append)]
    ignore: Vec<Code>,
    /// A word of your own for the report's `labels`; can be given more than once
    #[arg(long, value_name = "KEY=VALUE", value_parser = label, action = ArgAction::Append)]
    label: Vec<(String, String)>,
}

/// What a policy file may say, understood.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Demands {
    #[serde(deserialize_with = "expectations")]
    expect: Vec<Expectation>,
    #[serde(deserialize_with = "all_ignorable")]
    ignore: Vec<Code>,
    #[serde(deserialize_with = "two_days")]
    cert_days: Option<CertDays>,
}

impl DemandArguments {
    /// Demands that stand elsewhere than on the command line.
    #[cfg(feature = "serve")]
    pub(super) fn of(expect: Vec<Expectation>, ignore: Vec<Code>, cert_days: Option<CertDays>) -> Self {
        Self { expect, policy: None, cert_days, ignore, label: Vec::new() }
    }

    /// The demands of the policy file first; what was typed goes before it where there can be but one.
    pub(super) fn add_to(&self, options: Options) -> Options {
        let policy = self.policy.clone().unwrap_or_default();
        let mut expect = policy.expect;
        expect
            .extend(self.expect.iter().filter(|typed| !expect.contains(typed)).cloned().collect::<Vec<_>>());
        let mut ignore = policy.ignore;
        ignore.extend(self.ignore.iter().cloned());
        Options {
            expect,
            ignore,
            cert_days: self.cert_days.or(policy.cert_days),
            labels: self.label.iter().cloned().collect::<BTreeMap<_, _>>(),
            ..options
        }
    }

    /// Whether UDP must work.
    pub(super) fn udp(&self) -> bool {
        let policy = self.policy.iter().flat_map(|policy| &policy.expect);
        self.expect.iter().chain(policy).any(|demand| *demand == Expectation::Udp)
    }
}

fn expectation(text: &str) -> Result<Expectation, String> {
    let expectation: Expectation = text.parse()?;
    match &expectation {
        Expectation::Server(pattern) => {
            rdprobe_diagnosis::server_pattern(pattern)
                .map_err(|error| format!("the pattern cannot be read: {error}"))?;
        }
        Expectation::Client(id) if HelloProfile::client(id).is_none() => {
            let known: Vec<&str> = HelloProfile::clients().map(|client| client.id.as_str()).collect();
            return Err(format!("no client is called {id:?}; known are {}", known.join(", ")));
        }
        _ => {}
    }
    Ok(expectation)
}

fn ignorable(text: &str) -> Result<Code, String> {
    let Some(row) = registry::lookup(text) else {
        return Err(format!("{text:?} is no code; `rdprobe codes` lists them"));
    };
    match rdprobe_diagnosis::may_be_ignored(row.code) {
        true => Ok(Code::new(row.code)),
        false => Err(format!(
            "{text} stops a client, and cannot be accepted away: only warnings, cert-* and udp-* can"
        )),
    }
}

fn cert_days(text: &str) -> Result<CertDays, String> {
    let hint = "write the days of the warning and of the error, 30,7";
    let (warning, error) = text.split_once(',').ok_or(hint)?;
    let number = |text: &str| text.trim().parse::<f64>().map_err(|_| hint.to_owned());
    days([number(warning)?, number(error)?])
}

fn days([warning, error]: [f64; 2]) -> Result<CertDays, String> {
    if !(error >= 0.0 && warning >= error && warning <= 10_000.0) {
        return Err("the warning comes before the error: write 30,7".into());
    }
    Ok(CertDays { warning, error })
}

fn label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    let word = |key: &str| key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if key.is_empty() || !word(key) || key.as_bytes()[0].is_ascii_digit() {
        return Err("a key has letters, digits and _, and begins with a letter".into());
    }
    Ok((key.into(), value.into()))
}

fn policy(path: &str) -> Result<Demands, String> {
    let text = super::source::Source::File(PathBuf::from(path)).read()?;
    toml::from_str(&text).map_err(|error| format!("{path}: {error}"))
}

pub(super) fn expectations<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Expectation>, D::Error> {
    toml_value::texts(deserializer, expectation)
}

pub(super) fn all_ignorable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Code>, D::Error> {
    toml_value::texts(deserializer, ignorable)
}

pub(super) fn two_days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<CertDays>, D::Error> {
    days(<[f64; 2]>::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_demanded_or_accepted_says_why() {
        assert!(expectation("server~=(").unwrap_err().contains("pattern"));
        assert!(expectation("client:nobody").unwrap_err().contains("mstsc-win11-24h2"));
        assert!(ignorable("tls-reset").unwrap_err().contains("stops a client"));
        assert!(ignorable("no-such").unwrap_err().contains("rdprobe codes"));
        assert!(ignorable("cert-expired").is_ok() && ignorable("udp-no-answer").is_ok());
        assert!(cert_days("7,30").unwrap_err().contains("before the error"));
        assert!(cert_days("7").unwrap_err().contains("30,7"));
        assert!(label("a-b=1").is_err() && label("site=Berlin").is_ok());
    }

    #[test]
    fn a_policy_file_names_what_it_does_not_know() {
        let file = std::env::temp_dir().join(format!("rdprobe-policy-{}", std::process::id()));
        let read = |text: &str| {
            std::fs::write(&file, text).unwrap();
            policy(file.to_str().unwrap())
        };
        let good = read("expect = ['nla', 'tls>=1.2']\nignore = ['cert-self-signed']\ncert-days = [30, 7]");
        let good = good.unwrap();
        assert_eq!((good.expect.len(), good.ignore.len()), (2, 1));
        assert_eq!(good.cert_days, Some(CertDays { warning: 30.0, error: 7.0 }));
        assert!(read("expects = []").unwrap_err().contains("expects"));
        assert!(read("expect = ['nla!']").unwrap_err().contains("nla!"));
        std::fs::remove_file(&file).unwrap();
    }
}
