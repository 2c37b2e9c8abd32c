//! From what a user has on the screen to the causes that are left.
//!
//! - [`recognise`]: words and numbers in, known symptoms, tags and the stage out.
//! - [`differential`]: a report and what was told in, every cause judged and weighed out.
//! - [`questions`]: what to ask the user next.

mod differential;
mod features;
mod likelihood;
mod number;
mod phrase;
mod questions;
mod recognise;
mod words;

use rdprobe_report::Stage;

pub use differential::{Ranked, differential, rank};
pub use features::Features;
pub use questions::{Answer, Question, questions};
pub use recognise::{Match, Recognised, nearest, recognise};
pub use words::{Tag, TagKind, tag, tags, tags_in};

/// A code or a sentence that a user can hold.
#[derive(Debug)]
pub struct Symptom {
    /// Stable id.
    pub id: &'static str,
    /// Whose words these are.
    pub kind: SymptomKind,
    /// In a line.
    pub title: &'static str,
    /// Numbers.
    pub codes: &'static [u32],
    /// Second numbers without which it is another symptom.
    pub extended: &'static [u32],
    /// Names of constants and events.
    pub names: &'static [&'static str],
    /// Sentences and log lines, matched loosely.
    pub phrases: &'static [&'static str],
    /// What it means.
    pub meaning: &'static str,
    /// What it is taken for and is not.
    pub is_not: Option<&'static str>,
    /// The families of symptoms to which it belongs.
    pub families: &'static [&'static str],
    /// How far the user got, where it says so.
    pub stage: Option<Stage>,
    /// Tags that it implies: the client or the server that prints it.
    pub implies: &'static [&'static str],
    /// The causes that it is known to have, likeliest first.
    pub causes: &'static [&'static str],
    /// Where this was read.
    pub source: &'static str,
}

/// Whose numbers and words a symptom is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SymptomKind {
    /// mstsc's disconnect reason.
    MstscDisconnect,
    /// mstsc's extended disconnect reason.
    MstscExtended,
    /// Set Error Info PDU.
    ErrorInfo,
    /// Status Info PDU.
    StatusInfo,
    /// Licensing error message.
    Licensing,
    /// RDP_NEG_FAILURE.
    Negotiation,
    /// NTSTATUS.
    Ntstatus,
    /// HRESULT of SSPI or of a client.
    Hresult,
    /// RD Gateway.
    Gateway,
    /// FreeRDP's last error.
    FreerdpError,
    /// Exit status of xfreerdp.
    FreerdpExit,
    /// Guacamole's status.
    Guacamole,
    /// Status of HTTP.
    Http,
    /// Windows event.
    WindowsEvent,
    /// Kerberos error.
    Kerberos,
    /// Line of a log or a terminal.
    Log,
    /// Sentence of a dialog.
    Dialog,
    /// What a person sees happen.
    Behaviour,
    /// Words of a scanner, a proxy or another tool.
    Tool,
}

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

include!(concat!(env!("OUT_DIR"), "/symptoms.rs"));

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
