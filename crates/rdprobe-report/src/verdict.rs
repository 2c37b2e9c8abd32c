//! The verdict over all findings.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ClientError, Code, Confidence, Next, Phase};

/// The state of the host, and with it the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nothing above info.
    Healthy,
    /// At least a warning.
    Degraded,
    /// At least an error.
    Broken,
    /// What was asked could not be answered.
    Inconclusive,
}

impl Status {
    /// 0 healthy, 1 degraded, 2 broken, 3 inconclusive: the convention of Nagios plug-ins.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Healthy => 0,
            Self::Degraded => 1,
            Self::Broken => 2,
            Self::Inconclusive => 3,
        }
    }

    /// Whether the client gets its session: healthy or degraded.
    pub fn is_up(self) -> bool {
        matches!(self, Self::Healthy | Self::Degraded)
    }

    /// The worst of several, 2 over 1 over 3 over 0.
    pub fn worst(states: impl IntoIterator<Item = Self>) -> Option<Self> {
        states.into_iter().max_by_key(|state| match state {
            Self::Healthy => 0,
            Self::Inconclusive => 1,
            Self::Degraded => 2,
            Self::Broken => 3,
        })
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Broken => "broken",
            Self::Inconclusive => "inconclusive",
        })
    }
}

/// What the reference client would do, as far as was looked: never a word on the logon without credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientOutcome {
    /// It connects.
    Connects,
    /// It connects after the user has dismissed a warning about the host's identity.
    ConnectsWithWarning,
    /// It fails.
    Fails,
    /// Not known.
    Unknown,
}

impl ClientOutcome {
    /// The word in a report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connects => "connects",
            Self::ConnectsWithWarning => "connects_with_warning",
            Self::Fails => "fails",
            Self::Unknown => "unknown",
        }
    }
}

/// One thing that this run shows to be fine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuledOut {
    /// The phase in which it was seen; null where no phase was.
    pub phase: Option<Phase>,
    /// In a line.
    pub text: String,
    /// JSON pointer to what shows it; null where nothing does.
    pub evidence: Option<String>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// The state of the host.
    pub status: Status,
    /// Phase of the primary finding; null where there is none.
    pub phase: Option<Phase>,
    /// Code of the primary finding; `healthy` where there is none.
    pub code: Code,
    /// How sure the primary finding is.
    pub confidence: Confidence,
    /// What the reference client would do.
    pub client_outcome: ClientOutcome,
    /// One or two sentences for a person.
    pub summary: String,
    /// What the user's client shows.
    pub client_errors: Vec<ClientError>,
    /// What this run shows to be fine. Never empty.
    pub ruled_out: Vec<RuledOut>,
    /// What to do or look at next. Never empty.
    pub next: Vec<Next>,
}
