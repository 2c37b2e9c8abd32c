//! The vocabulary of rdprobe: attempts, observations, findings, verdicts and the report.
//!
//! Types and their JSON form, nothing else: no I/O, no clock, no judgement. Everything that one crate of the
//! workspace says to another is said in these words, and a recorded [`Report`] holds enough of them to be judged
//! again without the host.

mod attempt;
mod clients;
mod comparison;
mod expectation;
pub mod facts;
mod failure;
mod finding;
pub mod hello;
mod name;
mod observations;
mod phase;
mod platform;
mod protocol;
mod report;
mod symptom;
mod target;
mod text;
mod time;
mod tls;
mod verdict;

pub use attempt::{Ask, Attempt, Beside, Depth, Offer, Purpose, RUSTLS, Recipe, Step, Waiting};
pub use clients::{ClientReport, ClientVerdict, JudgedAs, Kinship, TlsPolicy};
pub use comparison::{Compared, Comparison, ReportChange};
pub use expectation::{CertDays, Expectation, ExpectationOutcome, ExpectationReport};
pub use facts::Facts;
pub use failure::{Failure, FailureEvidence, FailureKind, Limit, LocalFault};
pub use finding::{ClientError, Code, Confidence, Effect, Finding, Fix, Next, Severity, Where};
pub use hello::HelloProfile;
pub use name::Name;
pub use observations::{Observations, Options, UdpQuestion};
pub use phase::{Phase, PhaseOutcome, StepOutcome};
pub use platform::{Lack, Platform};
pub use protocol::{Protocol, Protocols};
pub use report::{Certificate, NoFacts, PhaseReport, Phases, Report, SCHEMA_VERSION, Tool};
pub use symptom::{
    CauseStatus, Change, ClaimJudgement, JudgedCause, JudgedClaim, KnownRegression, Stage, SymptomReport,
    Told, WeighedRemedy,
};
pub use target::{ParseTargetError, Target};
pub use time::{Millis, Timestamp};
pub use tls::{
    AlertDescription, Authentication, Cipher, CipherSuite, KeyExchange, Mac, NamedGroup, SignatureScheme,
    TlsVersion, Weakness,
};
pub use verdict::{ClientOutcome, RuledOut, Status, Verdict};
