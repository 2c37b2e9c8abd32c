//! What goes with a probe.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Args, ValueEnum};
use rdprobe::{Family, Pin, Timeouts};
use rdprobe_report::{Options, TlsPolicy, UdpQuestion};

use super::source::{Named, Source, rdp_file};
use super::value;

#[derive(Debug, Args)]
pub(crate) struct ProbeArguments {
    /// Hosts to probe; - reads a list from stdin; or one .rdp file
    ///
    /// Names or addresses, each with a port where it is not 3389. A .rdp file is probed as its client would connect.
    #[arg(value_name = "HOST[:PORT]", value_parser = super::source::argument)]
    pub(crate) hosts: Vec<Named>,
    /// Read hosts from a file, one a line; # begins a comment
    #[arg(long, short, value_name = "FILE", value_parser = super::source::file)]
    pub(crate) file: Vec<Source>,

    /// Use IPv4 only
    #[arg(short = '4', long, help_heading = "Where to", conflicts_with = "ipv6")]
    pub(crate) ipv4: bool,
    /// Use IPv6 only
    #[arg(short = '6', long, help_heading = "Where to")]
    pub(crate) ipv6: bool,
    /// Connect to this address instead of resolving; the certificate's names are still checked against HOST
    #[arg(long, help_heading = "Where to", value_name = "ADDRESS", conflicts_with_all = ["ipv4", "ipv6"])]
    pub(crate) only_address: Option<IpAddr>,
    /// Send this name in TLS and look for it in the certificate, instead of HOST
    #[arg(long, help_heading = "Where to", value_name = "NAME", value_parser = value::server_name)]
    pub(crate) server_name: Option<String>,
    /// The text after `Cookie: ` in the Connection Request: mstshash=NAME
    #[arg(long, help_heading = "Where to", value_name = "TEXT", value_parser = value::cookie)]
    pub(crate) cookie: Option<String>,
    /// A load balancer's routing token in the Connection Request
    #[arg(long, help_heading = "Where to", value_name = "TOKEN", value_parser = value::routing_token,
          conflicts_with = "cookie")]
    pub(crate) routing_token: Option<String>,

    /// From a `.rdp` file.
    #[arg(skip)]
    pub(crate) gateway: Option<String>,

    /// The code or sentence on the screen
    ///
    /// Each of its causes is judged against the host.
    #[arg(long, help_heading = "What you know", value_name = "TEXT")]
    pub(crate) symptom: Option<String>,
    #[command(flatten)]
    pub(crate) told: super::told::ToldArguments,

    /// Whose verdict it is: an id, or the client in words ("mRemoteNG 1.76") [default: mstsc-win11-24h2]
    #[arg(long, help_heading = "What to ask", value_name = "CLIENT", value_parser = value::client)]
    pub(crate) client: Option<String>,
    /// The user's client uses no NLA
    #[arg(long, help_heading = "What to ask")]
    pub(crate) no_nla: bool,
    /// Ask about RDSTLS and Entra ID too
    #[arg(long, help_heading = "What to ask")]
    pub(crate) offers: bool,
    /// Enumerate what the host speaks of TLS, and which clients it lets in
    ///
    /// Versions, suites, groups and preferences; some fifty connections more, after all that decides the verdict.
    #[arg(long, help_heading = "What to ask")]
    pub(crate) tls: bool,
    /// Say what the host would have to change for Mozilla's guideline; with --tls
    #[arg(long, help_heading = "What to ask", value_name = "POLICY")]
    pub(crate) tls_policy: Option<Policy>,
    /// Go on to the MCS Connect Response where the host selects no NLA
    ///
    /// One round trip more; no channel is joined, so no session is made.
    #[arg(long, help_heading = "What to ask")]
    pub(crate) mcs: bool,
    /// Go on to the host's first licence message, where it selects no NLA; never part of --deep
    ///
    /// Four round trips more: channels are joined, and the client's settings sent with no user and no wish to log on. The
    /// message is read and never answered. A host that lets every client in (STATUS_VALID_CLIENT) goes on unasked until
    /// the connection is closed, and a Windows host may make a session there, which ends with it.
    #[arg(long, help_heading = "What to ask")]
    pub(crate) licensing: bool,
    /// Every question there is: --offers, --mcs, --tls and --udp
    #[arg(long, help_heading = "What to ask")]
    pub(crate) deep: bool,

    /// Trust the authorities in this PEM file instead of the system's
    #[arg(long, help_heading = "Certificate", value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Expect this certificate or key: its SHA-256 in hex or base64; can be given more than once
    #[arg(long, help_heading = "Certificate", value_name = "sha256:DIGEST", value_parser = value::pin,
          action = ArgAction::Append)]
    pub(crate) pin: Vec<Pin>,

    #[cfg(feature = "logon")]
    #[command(flatten)]
    pub(crate) logon: super::logon::LogonArguments,

    /// Ask over UDP properly; without it, one datagram is sent in passing
    #[arg(long, help_heading = "UDP", conflicts_with = "no_udp")]
    pub(crate) udp: bool,
    /// Send nothing over UDP
    #[arg(long, help_heading = "UDP", conflicts_with_all = ["udp_probes", "udp_port"])]
    pub(crate) no_udp: bool,
    /// Datagrams to send, 800 ms apart [default: 3]; from ten on, loss is judged
    #[arg(long, help_heading = "UDP", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) udp_probes: Option<u32>,
    /// Port of the UDP listener where it is not HOST's: a number, gateway (3391) or avd (3390)
    #[arg(long, help_heading = "UDP", value_name = "PORT", value_parser = value::udp_port)]
    pub(crate) udp_port: Option<u16>,

    #[command(flatten)]
    pub(crate) demands: super::demand::DemandArguments,

    /// Limit of each phase: 5s, 800ms or plain seconds [default: 5s, and 4s for TCP]
    #[arg(long, help_heading = "Limits", value_name = "TIME", value_parser = value::duration)]
    pub(crate) timeout: Option<Duration>,
    /// Limit of one host's whole probe [default: 20s, or four times --timeout], and of --tls after it [default: 60s]
    #[arg(long, help_heading = "Limits", value_name = "TIME", value_parser = value::duration)]
    pub(crate) deadline: Option<Duration>,
    /// Probe until the host is well, for so long at the most: 5m
    ///
    /// Every 5 s, until it is healthy or degraded; one line a round on stderr, the last report on stdout.
    #[arg(long, help_heading = "Again", value_name = "TIME", value_parser = value::long_duration, conflicts_with = "every")]
    pub(crate) wait: Option<Duration>,
    /// Probe again and again, so much time apart
    ///
    /// A line each (ndjson in a pipe), and at the end how often each code came and how the times spread.
    #[arg(long, help_heading = "Again", value_name = "TIME", value_parser = value::long_duration)]
    pub(crate) every: Option<Duration>,
    /// So many times [default: until Ctrl-C]
    #[arg(long, help_heading = "Again", value_name = "N", requires = "every",
          value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: Option<u32>,

    /// Connections to one host at once
    #[arg(long, help_heading = "Limits", value_name = "N", default_value_t = Options::PARALLEL,
          value_parser = clap::value_parser!(u32).range(1..=16))]
    pub(crate) parallel: u32,
    /// Hosts probed at once
    #[arg(long, short, help_heading = "Limits", value_name = "N", default_value_t = 16,
          value_parser = clap::value_parser!(u16).range(1..=512))]
    pub(crate) jobs: u16,
}

/// Mozilla's configurations for TLS servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Policy {
    /// TLS 1.3 alone
    Modern,
    /// TLS 1.2 with forward secrecy, and 1.3
    Intermediate,
    /// Old clients too
    Old,
}

impl From<Policy> for TlsPolicy {
    fn from(policy: Policy) -> Self {
        match policy {
            Policy::Modern => Self::Modern,
            Policy::Intermediate => Self::Intermediate,
            Policy::Old => Self::Old,
        }
    }
}

/// How hosts are probed more than once.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Again {
    /// Until every host is healthy or degraded, or so much time is over.
    Wait(Duration),
    /// So often apart, and so many times.
    Every(Duration, Option<u32>),
}

impl ProbeArguments {
    /// As where nothing was typed.
    #[cfg(feature = "serve")]
    pub(super) fn nothing_typed() -> Self {
        let matches = Self::augment_args(clap::Command::new("probe")).get_matches_from(["probe"]);
        clap::FromArgMatches::from_arg_matches(&matches).expect("nothing is required")
    }

    /// The options of a run over one target, or many.
    pub(crate) fn options(&self, many: bool) -> Options {
        let default = Options::default();
        self.demands.add_to(Options {
            #[cfg(feature = "logon")]
            accept_untrusted_certificate: self.logon.accept_untrusted_certificate,
            client: self.client.as_deref().and_then(super::told::profile).map_or(default.client, Into::into),
            told: self.told.told(self.symptom.as_deref(), self.client.as_deref()),
            server_name: self.server_name.clone(),
            cookie: self.cookie.clone(),
            routing_token: self.routing_token.clone(),
            no_nla: self.no_nla,
            gateway: self.gateway.clone(),
            offers: self.offers || self.deep,
            mcs: self.mcs || self.deep || self.licensing,
            licensing: self.licensing,
            tls: self.tls || self.deep || self.tls_policy.is_some(),
            tls_policy: self.tls_policy.map(Into::into),
            parallel: self.parallel,
            in_turn: many,
            udp: self.udp_question(),
            udp_port: self.udp_port,
            udp_probes: self.udp_probes.unwrap_or(default.udp_probes),
            ..default
        })
    }

    /// Whether the hosts are probed more than once.
    pub(crate) fn again(&self) -> Option<Again> {
        let every = || self.every.map(|interval| Again::Every(interval, self.count));
        self.wait.map(Again::Wait).or_else(every)
    }

    pub(crate) fn family(&self) -> Family {
        match (self.ipv4, self.ipv6) {
            (true, _) => Family::V4,
            (_, true) => Family::V6,
            _ => Family::Any,
        }
    }

    /// `--timeout` holds for TCP too; a deadline that was not given leaves room for four phases.
    pub(crate) fn timeouts(&self) -> Timeouts {
        let default = Timeouts::default();
        let deadline = default.deadline.max(self.timeout.unwrap_or_default() * 4);
        Timeouts {
            tcp: self.timeout.unwrap_or(default.tcp),
            phase: self.timeout.unwrap_or(default.phase),
            deadline: self.deadline.unwrap_or(deadline),
            enumeration: self.deadline.unwrap_or(default.enumeration),
        }
    }

    fn udp_question(&self) -> UdpQuestion {
        if self.no_udp {
            UdpQuestion::Off
        } else if self.demands.udp() {
            UdpQuestion::Expected
        } else if self.udp || self.deep || self.udp_probes.is_some() {
            UdpQuestion::Asked
        } else {
            UdpQuestion::Aside
        }
    }

    /// Takes from a `.rdp` file what its client would use; what was typed goes before it.
    ///
    /// # Errors
    /// Where the file cannot be read, or is not the only host: what it says would hold for all of them.
    pub(crate) fn read_rdp_file(&mut self) -> Result<(), String> {
        let Some(path) = self.hosts.iter().find_map(|host| match host {
            Named::RdpFile(path) => Some(path.clone()),
            _ => None,
        }) else {
            return Ok(());
        };
        if self.hosts.len() > 1 || !self.file.is_empty() {
            return Err(format!("{} says how its client connects: probe it alone", path.display()));
        }
        let file = rdp_file(&path)?;
        self.hosts = vec![Named::Target(file.target)];
        self.no_nla |= file.no_nla;
        if self.cookie.is_none() && self.routing_token.is_none() {
            (self.cookie, self.routing_token) = (file.cookie, file.routing_token);
        }
        self.gateway = file.gateway;
        Ok(())
    }

    /// What clap has no word for.
    pub(super) fn check(&self) -> Result<(), (ErrorKind, String)> {
        if let (Some(timeout), Some(deadline)) = (self.timeout, self.deadline)
            && deadline < timeout
        {
            let hint = format!(
                "--deadline {deadline:?} is for the whole probe and cannot be shorter than --timeout {timeout:?}, which \
                 is for each phase"
            );
            return Err((ErrorKind::ValueValidation, hint));
        }
        #[cfg(feature = "logon")]
        if self.logon.user.is_some() && self.again().is_some() {
            let hint = "--wait and --every try often, and a password is tried once: leave --user away";
            return Err((ErrorKind::ArgumentConflict, hint.into()));
        }
        if self.no_udp && self.demands.udp() {
            let hint = "UDP cannot be demanded where nothing is sent over it: leave --no-udp away";
            return Err((ErrorKind::ArgumentConflict, hint.into()));
        }
        Ok(())
    }
}

/// The first argument of a probe that was typed, as it is typed.
pub(super) fn given(matches: &ArgMatches) -> Option<String> {
    let all = ProbeArguments::augment_args(clap::Command::new("probe"));
    all.get_arguments()
        .find(|argument| matches.value_source(argument.get_id().as_str()) == Some(ValueSource::CommandLine))
        .map(|argument| match (argument.get_long(), argument.get_short()) {
            (Some(long), _) => format!("--{long}"),
            (None, Some(short)) => format!("-{short}"),
            (None, None) => "a host".into(),
        })
}
