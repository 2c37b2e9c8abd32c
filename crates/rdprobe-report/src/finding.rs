//! Findings: what the observations mean.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Phase;
use crate::facts::is_default;

/// A stable diagnostic code, `tls-key-unusable`. The registry of rdprobe-diagnosis has them all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Code(pub Cow<'static, str>);

impl Code {
    /// A code of the registry.
    pub const fn new(code: &'static str) -> Self {
        Self(Cow::Borrowed(code))
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Degrades.
    Warning,
    /// Breaks.
    Error,
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// One explanation among several.
    Possible,
    /// The others were tried and excluded, or the documentation says so.
    Likely,
    /// Seen on the wire.
    Certain,
}

/// One thing that the observations mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Its code.
    pub code: Code,
    /// The phase concerned.
    pub phase: Phase,
    /// How much it matters.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// One or two sentences for a person.
    pub summary: String,
    /// JSON pointers into the report.
    pub evidence: Vec<String>,
    /// What brings it about, likeliest first.
    pub causes: Vec<Text>,
    /// What mends it.
    pub fixes: Vec<Fix>,
    /// What a user's client shows.
    pub client_errors: Vec<ClientError>,
    /// The user knows and accepts it: it does not count in the status.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ignored: bool,
}

/// A text that the knowledge holds, or a recorded report.
type Text = Cow<'static, str>;

/// A remedy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fix {
    /// In a line.
    pub title: Text,
    /// Where it is done.
    pub r#where: Where,
    /// What else it does.
    pub effect: Effect,
    /// What to do, step by step.
    pub steps: Vec<Text>,
    /// What the commands are typed into.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub shell: Text,
    /// Whole command lines, the host's own values filled in, ready to copy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<Text>,
    /// Where this is documented.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub source: Text,
}

fn is_empty(text: &Text) -> bool {
    text.is_empty()
}

/// Where a remedy is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Where {
    /// On the host.
    Server,
    /// On the user's machine.
    Client,
    /// On the way between them.
    Network,
    /// On the user's account.
    Account,
}

/// What a remedy does besides mending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Nothing that a user would notice.
    Safe,
    /// Ends the sessions of users.
    DropsSessions,
    /// Makes the host easier to attack.
    WeakensSecurity,
    /// Destroys something that cannot be had back without a backup.
    Destructive,
    /// Mends nothing; it tells causes apart.
    DiagnosticOnly,
}

/// The error that a user's client shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClientError {
    /// Which client, `mstsc`.
    pub client: Text,
    /// Its error code, `0x904`.
    pub code: Text,
    /// Its extended error code, `0x7`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended_code: Option<Text>,
    /// What the code stands for.
    pub name: Text,
}

/// What to do or look at next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Next {
    /// In a line.
    pub title: String,
    /// Why this.
    pub why: String,
    /// How, step by step.
    #[serde(default)]
    pub steps: Vec<String>,
    /// Whole command lines, the host's own values filled in, ready to copy.
    #[serde(default)]
    pub commands: Vec<String>,
}

impl Next {
    /// A step without a procedure of its own.
    pub fn new(title: impl Into<String>, why: impl Into<String>) -> Self {
        Self { title: title.into(), why: why.into(), steps: Vec::new(), commands: Vec::new() }
    }
}
