//! What the user knows beside the host: words, the stage, what changed, whether others connect.

use clap::{Args, ValueEnum};
use rdprobe_diagnosis::symptom::client;
use rdprobe_report::{Change, HelloProfile, Stage, Told};

/// The answers, beside a host and beside a symptom.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "What you know")]
pub(crate) struct ToldArguments {
    /// When it fails
    #[arg(long, value_name = "STAGE")]
    pub(crate) when: Option<When>,
    /// What changed before it broke
    #[arg(long, value_name = "CHANGE")]
    pub(crate) since: Option<Since>,
    /// Whether somebody else, or another device, connects
    #[arg(long, value_name = "YES|NO")]
    pub(crate) others_connect: Option<YesNo>,
    /// Where host and client stand, in your words: "Azure VM", xrdp, VPN, "RD Gateway"; can be given more than once
    #[arg(long, value_name = "WORDS")]
    pub(crate) environment: Vec<String>,
}

impl ToldArguments {
    /// With a symptom and a client in the user's words.
    pub(crate) fn told(&self, symptom: Option<&str>, client: Option<&str>) -> Told {
        Told {
            symptom: symptom.map(Into::into),
            when: self.when.map(Into::into),
            since: self.since.map(Into::into),
            others_connect: self.others_connect.map(|answer| answer == YesNo::Yes),
            client: client.map(Into::into),
            environment: self.environment.clone(),
        }
    }
}

/// How far the user gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    BeforePassword,
    AfterPassword,
    AfterPicture,
    Later,
}

impl From<When> for Stage {
    fn from(when: When) -> Self {
        match when {
            When::BeforePassword => Self::BeforePassword,
            When::AfterPassword => Self::AfterPassword,
            When::AfterPicture => Self::AfterPicture,
            When::Later => Self::Later,
        }
    }
}

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Since {
    Update,
    Certificate,
    Hardening,
    Rename,
    NewPort,
    Nothing,
}

impl From<Since> for Change {
    fn from(since: Since) -> Self {
        match since {
            Since::Update => Self::Update,
            Since::Certificate => Self::Certificate,
            Since::Hardening => Self::Hardening,
            Since::Rename => Self::Rename,
            Since::NewPort => Self::NewPort,
            Since::Nothing => Self::Nothing,
        }
    }
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum YesNo {
    Yes,
    No,
}

/// The hello profile that stands for a client: its own id, or that of the nearest relative of what is named in words.
pub(crate) fn profile(client: &str) -> Option<&'static str> {
    let words = client::judged_as(client).map(|judged| judged.profile);
    HelloProfile::client(words.as_deref().unwrap_or(client)).map(|profile| profile.id.as_str())
}
