//! The prose around the flags.

use std::sync::LazyLock;

pub(super) const LONG_ABOUT: &str = "\
Tell why Remote Desktop to a host fails, and prove it.

rdprobe walks the RDP handshake as a client does (DNS, TCP, X.224, TLS, certificate, CredSSP, and UDP beside \
it). Where a phase fails, it makes the next experiment that tells the possible causes apart, and says which \
one is left. Where nothing fails, it says what that rules out and where to look next.

By default no credentials are sent and no session is started on the host.";

pub(super) const AFTER: &str = "\
Exit codes: 0 healthy, 1 degraded, 2 broken, 3 inconclusive, bad usage or a fault of our own.

Examples: `rdprobe HOST`, `rdprobe explain tls-key-unusable`, `rdprobe demo`; every option with --help.";

pub(super) const AFTER_LONG: &str = "\
Examples:
  rdprobe rds01.corp.example           why does it fail, and what mends it?
  rdprobe 192.0.2.7:3390 [2001:db8::7] several hosts, ports, addresses
  rdprobe -f hosts.txt --format ndjson a list of hosts, one report a line
  rdprobe --only-address 10.0.0.5 HOST one host behind a name with many
  rdprobe --client mstsc-win7 HOST     would this older client connect?
  rdprobe --deep HOST                  every question there is
  rdprobe --user CORP\\alice HOST       does the logon work? asks for the password
  rdprobe explain 0x904/0x7            what a code on the screen means
  rdprobe HOST --symptom 0x904/0x7     which of its causes is left here?
  rdprobe doctor HOST                  asks what separates the causes best
  rdprobe --expect nla-required --expect tls>=1.2 HOST
                                       a gate for CI: exit 2 where it does not hold
  rdprobe --wait 10m HOST              until it is up, or the time is over
  rdprobe --every 30s HOST             what comes and goes: a line each round
  rdprobe replay report.json           judge a recorded report again
  rdprobe diff monday.json today.json  what changed, and which phase it was
  rdprobe demo                         watch it at work on hosts of its own

Exit codes, over many hosts the worst (2 over 1 over 3 over 0):
  0  healthy: nothing that can be seen before the logon stops a client
  1  degraded: clients connect, and something needs attention
     (0 with --fail-on broken)
  2  broken: the user's client fails, the certificate has expired, or a demand does not hold
  3  inconclusive, bad usage, or a fault of rdprobe itself
  130  interrupted before anything was known

A host whose name is that of a command is probed with its port: `rdprobe demo:3389`.";

pub(super) const NO_HOST: &str = "\
no host given.

Type the host whose Remote Desktop fails:  rdprobe HOST
or watch rdprobe at work on its own hosts: rdprobe demo";

/// What `--version` says beyond `-V`.
pub(super) fn long_version() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(version);
    &TEXT
}

/// What `-h` shows, so that it fits a screen; the rest is `--help`.
const IN_SHORT_HELP: [&str; 12] = [
    "hosts", "file", "symptom", "client", "tls", "deep", "expect", "user", "wait", "every", "format", "full",
];

/// Leaves out of `-h` what few need.
pub(super) fn shorten(command: clap::Command) -> clap::Command {
    command.mut_args(|argument| {
        let shown = IN_SHORT_HELP.contains(&argument.get_id().as_str());
        argument.hide_short_help(!shown)
    })
}

fn version() -> String {
    let mut text = env!("CARGO_PKG_VERSION").to_owned();
    if !env!("RDPROBE_COMMIT").is_empty() {
        text.push_str(concat!(" (", env!("RDPROBE_COMMIT"), ")"));
    }
    let features = [
        ("demo", cfg!(feature = "demo")),
        ("legacy-tls", cfg!(feature = "legacy-tls")),
        ("logon", cfg!(feature = "logon")),
        ("serve", cfg!(feature = "serve")),
    ];
    let features: Vec<&str> = features.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
    let rustls = concat!("rustls ", env!("RDPROBE_RUSTLS")).trim_end();
    text.push_str(&format!("\nTLS: {rustls} with ring\nfeatures: {}", features.join(", ")));
    // Who has hosts from a directory service, and wonders where they are, looks here.
    if cfg!(target_env = "musl") {
        text.push_str("\nnames: /etc/hosts and /etc/resolv.conf; a static program reads no nsswitch");
    }
    text.push_str(&format!("\nreport format: {}", rdprobe_report::SCHEMA_VERSION));
    text
}
