//! What goes with `rdprobe serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::value;
use crate::serve::allow::Rule;

#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// Where to listen; beyond this computer only together with --allow
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9339")]
    pub(crate) listen: SocketAddr,
    /// Modules, and what may be probed, from a TOML file; it is read again on SIGHUP and POST /-/reload
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Say whether a file is good for --config, and end
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    pub(crate) check: Option<PathBuf>,
    /// What may be probed: 10.0.0.0/8, 192.0.2.7:3389, rds01.corp.example; can be given more than once
    ///
    /// A network or address counts once a name is resolved, a name for whatever it resolves to; without a port, every
    /// port. A target outside is answered with 403 and gets no packet.
    #[arg(long, value_name = "CIDR|NAME[:PORT]")]
    pub(crate) allow: Vec<Rule>,
    /// Accounts that modules name, from a TOML file which nobody else may read
    #[cfg(feature = "logon")]
    #[arg(long, value_name = "FILE")]
    pub(crate) credentials: Option<PathBuf>,
    /// Probes at once; a request beyond them is answered with 503
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(crate) max_probes: u16,
    /// How much before the scrape's own time-out its probe is ended
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = value::duration)]
    pub(crate) timeout_offset: Duration,
    /// How long probes under way may go on once SIGTERM came
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = value::duration)]
    pub(crate) grace: Duration,
    /// Probes whose reports can be read on the page, and as many failed ones beside them
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(crate) history: u16,
}
