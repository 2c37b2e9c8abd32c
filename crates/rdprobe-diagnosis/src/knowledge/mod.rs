//! What is known: of each code, of what can be wrong, of what users hold.
//!
//! The texts live in `knowledge/`, where a support engineer edits them; `build.rs` checks them and prints them as the
//! `tables`, whose types stand once, in `rows`.

#[macro_use]
mod form;
mod rows;
mod sign;
pub(crate) mod tables;

use rdprobe_report::{ClientError, Fix};

pub use rows::{
    Cause, CertificateDemand, Claim, Client, ClientSource, Entry, KnownClientError, KnownFix, Layer, NlaUse,
    Regression, Remedy, Scope, Signs, Symptom, SymptomKind, Tag, TagKind,
};
pub use sign::Sign;
use tables::{ENTRIES, LAYERS, NOT_VISIBLE};

/// What is known of a code.
pub fn entry(code: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.id == code)
}

/// Where the cause lies when the host is healthy, likeliest first.
pub fn layers() -> &'static [Layer] {
    LAYERS
}

/// What cannot be seen from outside.
pub fn not_visible() -> &'static [&'static str] {
    NOT_VISIBLE
}

impl KnownClientError {
    /// As a report has it.
    pub fn to_report(&self) -> ClientError {
        ClientError {
            client: self.client.into(),
            code: self.code.into(),
            extended_code: self.extended_code.map(Into::into),
            name: self.name.into(),
        }
    }
}

impl KnownFix {
    /// As a report has it.
    pub fn to_report(&self) -> Fix {
        Fix {
            title: self.title.into(),
            r#where: self.place,
            effect: self.effect,
            steps: self.steps.iter().map(|&step| step.into()).collect(),
            shell: self.shell.into(),
            commands: self.commands.iter().map(|&command| command.into()).collect(),
            source: self.source.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::REGISTRY;

    #[test]
    fn every_code_is_explained_and_nothing_else_is() {
        for row in REGISTRY {
            assert!(
                entry(row.code).is_some(),
                "{} is not explained in knowledge/{}.toml",
                row.code,
                row.group
            );
        }
        for known in ENTRIES {
            assert!(REGISTRY.iter().any(|row| row.code == known.id), "{} is explained and no code", known.id);
        }
    }

    #[test]
    fn an_expired_certificate_bears_no_0x904() {
        assert!(entry("cert-expired").unwrap().client_errors.iter().all(|error| error.code != "0x904"));
    }
}
