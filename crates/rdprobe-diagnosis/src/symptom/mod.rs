//! From what a user has on the screen to the causes that are left.
//!
//! - [`recognise`]: words and numbers in, known symptoms, tags and the stage out.
//! - [`differential`]: a report and what was told in, every cause judged and weighed out.
//! - [`client`]: which client is meant, and who stands for one that is not known by itself.
//! - [`questions`]: what to ask the user next.

pub mod client;
mod differential;
mod features;
mod fixes;
mod likelihood;
mod number;
mod phrase;
mod questions;
mod recognise;
pub mod regressions;
mod resemblance;
mod version;
mod words;

use crate::knowledge::tables::SYMPTOMS;

pub use crate::knowledge::{Symptom, SymptomKind, Tag, TagKind};
pub use differential::{Ranked, differential, rank};
pub use features::Features;
pub(crate) use fixes::fixes_of_code;
pub use fixes::{fixes, ordered};
pub use questions::{Answer, Question, questions};
pub use recognise::{Match, Recognised, nearest, recognise};
pub use words::{tag, tags, tags_in};

impl SymptomKind {
    /// In words.
    pub fn title(self) -> &'static str {
        match self {
            Self::MstscDisconnect => "mstsc, disconnect reason",
            Self::MstscExtended => "mstsc, extended reason",
            Self::ErrorInfo => "Set Error Info of the server",
            Self::StatusInfo => "Status Info of the server",
            Self::Licensing => "licensing message",
            Self::Negotiation => "negotiation failure of the server",
            Self::Ntstatus => "NTSTATUS",
            Self::Hresult => "HRESULT",
            Self::Gateway => "RD Gateway",
            Self::FreerdpError => "FreeRDP error",
            Self::FreerdpExit => "exit status of xfreerdp",
            Self::Guacamole => "Guacamole status",
            Self::Http => "HTTP status of a gateway",
            Self::WindowsEvent => "Windows event",
            Self::Kerberos => "Kerberos error",
            Self::Log => "line of a log",
            Self::Dialog => "sentence of a dialog",
            Self::Behaviour => "what happens",
            Self::Tool => "words of a tool",
        }
    }

    /// How likely a bare number is meant in this family.
    fn weight(self) -> f64 {
        match self {
            Self::MstscDisconnect | Self::Ntstatus | Self::Hresult | Self::FreerdpError => 1.0,
            Self::Gateway => 0.95,
            Self::ErrorInfo => 0.6,
            Self::MstscExtended => 0.55,
            Self::WindowsEvent | Self::Guacamole => 0.5,
            Self::Http | Self::FreerdpExit | Self::Licensing | Self::Kerberos => 0.4,
            Self::Negotiation => 0.35,
            Self::StatusInfo => 0.3,
            Self::Log | Self::Dialog | Self::Behaviour | Self::Tool => 0.5,
        }
    }
}

/// Every symptom.
pub fn symptoms() -> &'static [Symptom] {
    SYMPTOMS
}

/// The symptom with an id.
pub fn symptom(id: &str) -> Option<&'static Symptom> {
    SYMPTOMS.iter().find(|symptom| symptom.id == id)
}

#[cfg(test)]
mod tests;
