//! A module of `rdprobe serve`: in TOML, and read as the command line reads it.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum as _;
use rdprobe::Pin;
use rdprobe_report::{CertDays, Code, Expectation};
use schemars::JsonSchema;
use serde::de::Deserializer;
use serde::{Deserialize, Serialize};

use super::demand::{self, DemandArguments};
#[cfg(feature = "logon")]
use super::logon::LogonArguments;
use super::probe::{Policy, ProbeArguments};
use super::value;

/// What is asked of a host, and what is demanded of it. Everything may be left out.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct Module {
    /// Whose verdict it is: the id of a client, `mstsc-win11-24h2` where none is named.
    #[serde(deserialize_with = "read::client")]
    #[schemars(with = "Option<String>")]
    client: Option<String>,
    /// One address family alone.
    family: Option<Family>,
    /// Sent in TLS and looked for in the certificate, instead of the target's name.
    #[serde(deserialize_with = "read::server_name")]
    #[schemars(with = "Option<String>")]
    server_name: Option<String>,
    /// The text after `Cookie: ` in the Connection Request.
    #[serde(deserialize_with = "read::cookie")]
    #[schemars(with = "Option<String>")]
    cookie: Option<String>,
    /// A load balancer's routing token in the Connection Request.
    #[serde(deserialize_with = "read::routing_token")]
    #[schemars(with = "Option<String>")]
    routing_token: Option<String>,
    /// The user's client uses no NLA.
    no_nla: bool,
    /// Ask about RDSTLS and Entra ID too.
    offers: bool,
    /// Go on to the MCS Connect Response where the host selects no NLA: one round trip more.
    mcs: bool,
    /// Go on to the first licence message where the host selects no NLA: four round trips more, and a Windows host may
    /// make a session.
    licensing: bool,
    /// Enumerate what the host speaks of TLS: some fifty connections more, for a scrape an hour.
    tls: bool,
    /// What of Mozilla's guideline is looked for: `modern`, `intermediate` or `old`; with `tls`.
    #[serde(deserialize_with = "read::policy")]
    #[schemars(with = "Option<String>")]
    tls_policy: Option<Policy>,
    /// Ask over UDP properly (`true`) or send nothing over it (`false`); else one datagram in passing.
    udp: Option<bool>,
    /// Datagrams to send, 1 to 1000.
    #[schemars(range(min = 1, max = 1000))]
    udp_probes: Option<u32>,
    /// Port of the UDP listener where it is not the target's.
    udp_port: Option<u16>,
    /// A PEM file of authorities to trust instead of the system's.
    ca_file: Option<PathBuf>,
    /// Certificates or keys to trust: `sha256:` and the digest.
    #[serde(deserialize_with = "read::pins")]
    #[schemars(with = "Vec<String>")]
    pin: Vec<Pin>,
    /// What must hold, as `--expect` has it: `nla-required`, `tls>=1.2`, `cert-days>=14`.
    #[serde(deserialize_with = "demand::expectations")]
    #[schemars(with = "Vec<String>")]
    expect: Vec<Expectation>,
    /// Findings that are accepted, as `--ignore` has it.
    #[serde(deserialize_with = "demand::all_ignorable")]
    #[schemars(with = "Vec<String>")]
    ignore: Vec<Code>,
    /// From how many days before its end a certificate is a warning, and from how many an error.
    #[serde(deserialize_with = "demand::two_days")]
    #[schemars(with = "Option<[f64; 2]>")]
    cert_days: Option<CertDays>,
    /// Limit of each phase: `5s`, `800ms`.
    #[serde(deserialize_with = "read::duration")]
    #[schemars(with = "Option<String>")]
    timeout: Option<Duration>,
    /// Limit of the whole probe.
    #[serde(deserialize_with = "read::duration")]
    #[schemars(with = "Option<String>")]
    deadline: Option<Duration>,
    /// The account to log on with, by its name in the file of `--credentials`; only with an `allow` list.
    #[cfg(feature = "logon")]
    pub(crate) credentials: Option<String>,
    /// Log on although the certificate is neither trusted nor pinned.
    #[cfg(feature = "logon")]
    accept_untrusted_certificate: bool,
}

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Family {
    Ipv4,
    Ipv6,
}

impl Module {
    /// The same, as if it had been typed.
    ///
    /// # Errors
    /// Where two settings exclude each other.
    pub(crate) fn typed(&self) -> Result<ProbeArguments, String> {
        let module = self.clone();
        let nothing = ProbeArguments::nothing_typed();
        let typed = ProbeArguments {
            ipv4: module.family == Some(Family::Ipv4),
            ipv6: module.family == Some(Family::Ipv6),
            server_name: module.server_name,
            cookie: module.cookie,
            routing_token: module.routing_token,
            client: module.client,
            no_nla: module.no_nla,
            offers: module.offers,
            mcs: module.mcs,
            licensing: module.licensing,
            tls: module.tls,
            tls_policy: module.tls_policy,
            udp: module.udp == Some(true),
            no_udp: module.udp == Some(false),
            udp_probes: module.udp_probes,
            udp_port: module.udp_port,
            ca_file: module.ca_file,
            pin: module.pin,
            demands: DemandArguments::of(module.expect, module.ignore, module.cert_days),
            timeout: module.timeout,
            deadline: module.deadline,
            #[cfg(feature = "logon")]
            logon: LogonArguments {
                accept_untrusted_certificate: module.accept_untrusted_certificate,
                ..nothing.logon
            },
            ..nothing
        };
        #[cfg(feature = "logon")]
        if module.no_nla && module.credentials.is_some() {
            return Err("without NLA there is no logon to try: leave credentials or no-nla away".into());
        }
        if typed.cookie.is_some() && typed.routing_token.is_some() {
            return Err("a Connection Request has room for cookie or routing-token, not for both".into());
        }
        if typed.no_udp && (typed.udp_probes.is_some() || typed.udp_port.is_some()) {
            return Err("udp = false sends nothing: leave udp-probes and udp-port away".into());
        }
        if typed.udp_probes.is_some_and(|count| !(1..=1000).contains(&count)) {
            return Err("udp-probes lies between 1 and 1000".into());
        }
        if typed.udp_port == Some(0) {
            return Err("udp-port is 1 to 65535".into());
        }
        typed.check().map_err(|(_, why)| why)?;
        Ok(typed)
    }
}

/// What reads each value.
mod read {
    use super::super::toml_value::{text, texts};
    use super::*;

    macro_rules! read {
        ($($name:ident: $type:ty = $how:ident, $parse:expr;)*) => {
            $(pub(super) fn $name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                $how(deserializer, $parse)
            })*
        };
    }

    read! {
        client: Option<String> = text, value::client;
        server_name: Option<String> = text, value::server_name;
        cookie: Option<String> = text, value::cookie;
        routing_token: Option<String> = text, value::routing_token;
        policy: Option<Policy> = text, |text: &str| Policy::from_str(text, false);
        duration: Option<Duration> = text, value::duration;
        pins: Vec<Pin> = texts, value::pin;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(text: &str) -> Result<ProbeArguments, String> {
        toml::from_str::<Module>(text).map_err(|error| error.to_string())?.typed()
    }

    #[test]
    fn a_module_is_what_could_have_been_typed() {
        let typed = module(
            "client = 'mstsc-win7'\nfamily = 'ipv6'\nexpect = ['tls>=1.2']\ntimeout = '2s'\nmcs = true",
        )
        .unwrap();
        let options = typed.options(true);
        assert!(options.mcs);
        assert_eq!(options.client, "mstsc-win7");
        assert_eq!(options.expect.len(), 1);
        assert_eq!(typed.family(), rdprobe::Family::V6);
        assert_eq!(typed.timeouts().phase, Duration::from_secs(2));
        assert_eq!(module("").unwrap().options(false), rdprobe_report::Options::default());
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, line, word) in [
            ("\nclients = 'x'", "line 2", "clients"),
            ("client = 'nobody'", "line 1", "mstsc-win11-24h2"),
            ("no-nla = true\nexpect = ['nla!']", "line 2", "nla!"),
            ("tls-policy = 'strict'", "line 1", "strict"),
            ("timeout = 'soon'", "line 1", "5s"),
            ("udp-port = 70000", "line 1", "70000"),
        ] {
            let error = module(text).unwrap_err();
            assert!(error.contains(line) && error.contains(word), "{error}");
        }
        assert!(module("cookie = 'mstshash=a'\nrouting-token = 'b'").unwrap_err().contains("not for both"));
        assert!(module("udp = false\nexpect = ['udp']").is_err());
        assert!(module("timeout = '5s'\ndeadline = '1s'").is_err());
    }
}
