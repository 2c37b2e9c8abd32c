//! The symptom that the user has, and what it comes to on this host: each cause judged, claims and remedies weighed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::facts::is_default;
use crate::{Confidence, Effect, Fix};

/// What the user knows beside the host, as evidence. Recorded, so that a replay weighs the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Told {
    /// The code or the sentence on the screen, or a line of a log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symptom: Option<String>,
    /// When it happens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<Stage>,
    /// What changed before it broke.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Change>,
    /// Whether others, or other devices, connect to the same host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub others_connect: Option<bool>,
    /// The client in the user's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Where host and client stand, in the user's own words: `Azure VM`, `xrdp`, `VPN`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<String>,
}

impl Told {
    /// Nothing was told.
    pub fn is_empty(&self) -> bool {
        is_default(self)
    }
}

/// How far the user gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Before a password is asked for.
    BeforePassword,
    /// Once the password was entered, before a picture.
    AfterPassword,
    /// Once a picture of the host was seen.
    AfterPicture,
    /// After some time of work.
    Later,
}

/// What changed before it broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Client or host was updated, upgraded or reinstalled.
    Update,
    /// A certificate was renewed or replaced.
    Certificate,
    /// Policies, ciphers or a firewall were hardened.
    Hardening,
    /// Host, account or domain was renamed, joined or moved.
    Rename,
    /// Another port was chosen.
    NewPort,
    /// Nothing that the user knows of.
    Nothing,
}

/// The symptom against this host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SymptomReport {
    /// As the user gave it.
    pub input: String,
    /// Id of what it was recognised as; null where it is unknown.
    pub code: Option<String>,
    /// What it means, in a sentence.
    pub meaning: String,
    /// What it is often taken for and is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_not: Option<String>,
    /// The client for whom this is weighed, where the user named one: its nearest relative in the registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Every cause that it can have, sorted by what is left.
    pub causes: Vec<JudgedCause>,
    /// Faults of known versions that fit: hints.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regressions: Vec<KnownRegression>,
    /// What is said of it in public, judged.
    pub claims: Vec<JudgedClaim>,
    /// What is recommended against it in public, weighed.
    pub remedies: Vec<WeighedRemedy>,
    /// The question whose answer would separate the causes best.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
}

/// A cause, judged against what was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JudgedCause {
    /// Its id in the knowledge.
    pub id: String,
    /// In a line.
    pub title: String,
    /// What the observations make of it.
    pub status: CauseStatus,
    /// Share of the likelihood over all causes that are left, 0 to 1.
    pub likelihood: f64,
    /// JSON pointers into the report.
    pub evidence: Vec<String>,
    /// Why this status.
    pub reason: String,
    /// How to find out.
    pub check: String,
    /// What mends it, what fits this host and client first; none where it is ruled out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fixes: Vec<Fix>,
}

/// A fault of a version that another version mends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KnownRegression {
    /// Its id in the knowledge.
    pub id: String,
    /// What is seen since which version.
    pub title: String,
    /// What mends it.
    pub mends: String,
    /// How sure it is that it is this one. A hint, never the verdict.
    pub confidence: Confidence,
    /// Where this was read.
    pub source: String,
}

/// What the observations make of a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CauseStatus {
    /// Proved on the wire.
    Confirmed,
    /// It can be.
    Possible,
    /// It leaves no trace that this probe could see.
    NotObservable,
    /// What was seen excludes it.
    RuledOut,
}

impl std::fmt::Display for CauseStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Confirmed => "confirmed",
            Self::Possible => "possible",
            Self::NotObservable => "not observable",
            Self::RuledOut => "ruled out",
        })
    }
}

/// A public statement, judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JudgedClaim {
    /// Its id in the knowledge.
    pub id: String,
    /// What is said.
    pub text: String,
    /// Whether it holds.
    pub judgement: ClaimJudgement,
    /// Why.
    pub why: String,
}

/// Whether a public statement holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClaimJudgement {
    /// It holds.
    True,
    /// It holds in part, or not in these words.
    Imprecise,
    /// It leads astray.
    Misleading,
    /// It is wrong.
    False,
}

impl std::fmt::Display for ClaimJudgement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::True => "true",
            Self::Imprecise => "imprecise",
            Self::Misleading => "misleading",
            Self::False => "false",
        })
    }
}

/// A remedy that is recommended in public, weighed against this host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WeighedRemedy {
    /// Its id in the knowledge.
    pub id: String,
    /// In a line.
    pub title: String,
    /// What else it does.
    pub effect: Effect,
    /// When it helps.
    pub when: String,
    /// Why, and what is better.
    pub why: String,
}
