//! The report, version 1: one JSON object per target.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::facts::{
    CertificateFacts, CredsspFacts, DnsFacts, LicensingFacts, McsFacts, TcpFacts, TlsFacts, UdpFacts,
    X224Facts, is_default,
};
use crate::{
    Attempt, ClientReport, ExpectationReport, Failure, Finding, JudgedAs, Millis, Observations, Options,
    PhaseOutcome, Platform, Step, SymptomReport, Target, Timestamp, Verdict,
};

/// Version of the report's format. Fields may be added under the same version; none changes its meaning.
pub const SCHEMA_VERSION: u32 = 1;

/// One target's report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// `1`.
    pub schema_version: u32,
    /// Who wrote it.
    pub tool: Tool,
    /// The host as the user named it.
    pub target: Target,
    /// The reference client for whom the verdict speaks.
    pub client: String,
    /// How the client that the user named came to be judged as that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged_as: Option<JudgedAs>,
    /// When the probe began.
    pub started_at: Timestamp,
    /// How long it took until the verdict stood.
    pub duration_ms: Millis,
    /// The answer.
    pub verdict: Verdict,
    /// Everything found, the primary finding first.
    pub findings: Vec<Finding>,
    /// Phase by phase, on the address that decided.
    pub phases: Phases,
    /// Which clients the host lets in, as far as TLS decides it; without `--tls` what follows from hellos that were
    /// answered anyway.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<ClientReport>,
    /// What was asked for.
    #[serde(default)]
    pub options: Options,
    /// Name resolution as it happened.
    #[serde(default)]
    pub resolution: Option<Step>,
    /// Every attempt, in the order of issue.
    #[serde(default)]
    pub attempts: Vec<Attempt>,
    /// Every certificate that was seen, by the SHA-256 of its DER in lower-case hex.
    #[serde(default)]
    pub certificates: BTreeMap<String, Certificate>,
    /// What the user's symptom comes to on this host; absent where the user told nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symptom: Option<SymptomReport>,
    /// What the user demanded, one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expectations: Vec<ExpectationReport>,
    /// Words of the user's own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The deadline or the user ended the probe before its plan was done.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cut_short: bool,
    /// What of this report this version of rdprobe does not know, and so did not judge: `attempts/3/steps/2: phase
    /// "gateway"`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_judged: Vec<String>,
    /// Questions that could still have told something and were not asked, since the plan's ceiling or the deadline was
    /// reached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_asked: Vec<String>,
    /// Blocks of a later version, as they came.
    #[serde(flatten)]
    pub other: serde_json::Map<String, serde_json::Value>,
}

impl Report {
    /// The observations as recorded, to judge them again.
    pub fn observations(&self) -> Observations {
        let mut attempts = self.attempts.clone();
        for link in attempts.iter_mut().flat_map(Attempt::chain_mut) {
            if let Some(known) = self.certificates.get(&link.sha256).filter(|_| link.der.is_empty()) {
                link.der.clone_from(&known.der);
            }
        }
        Observations {
            target: self.target.clone(),
            platform: self.tool.platform.clone(),
            options: Options { labels: self.labels.clone(), ..self.options.clone() },
            resolution: self.resolution.clone(),
            attempts,
            elapsed_ms: self.duration_ms,
            cut_short: self.cut_short,
        }
    }
}

/// A certificate as it was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Certificate {
    /// DER, base64.
    pub der: String,
}

/// The program that wrote a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// `rdprobe`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it ran; absent where no real network was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
}

impl Tool {
    /// This version of rdprobe, and where the host was seen from.
    pub fn current(platform: Option<Platform>) -> Self {
        Self { name: "rdprobe".into(), version: env!("CARGO_PKG_VERSION").into(), platform }
    }
}

/// Every phase, on the address that decided.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Phases {
    /// Name resolution.
    pub dns: PhaseReport<DnsFacts>,
    /// TCP.
    pub tcp: PhaseReport<TcpFacts>,
    /// X.224.
    pub x224: PhaseReport<X224Facts>,
    /// TLS: the reference client's outcome, rustls's own under `probe`.
    pub tls: PhaseReport<TlsFacts>,
    /// The certificate.
    pub certificate: PhaseReport<CertificateFacts>,
    /// CredSSP.
    pub credssp: PhaseReport<CredsspFacts>,
    /// MCS.
    pub mcs: PhaseReport<McsFacts>,
    /// Licensing.
    pub licensing: PhaseReport<LicensingFacts>,
    /// UDP.
    pub udp: PhaseReport<UdpFacts>,
    /// Phases of a later version, as they came.
    #[serde(flatten)]
    pub other: serde_json::Map<String, serde_json::Value>,
}

/// One phase.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PhaseReport<F> {
    /// How it ended.
    pub outcome: PhaseOutcome,
    /// How long it took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<Millis>,
    /// How it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// What was learnt.
    #[serde(flatten)]
    pub facts: F,
}

/// Facts of a phase that is not built yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NoFacts {}
