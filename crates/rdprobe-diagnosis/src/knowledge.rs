//! What is known of each code: the text of `explain`, causes, fixes and what clients show.
//!
//! The texts live in `knowledge/*.toml`, where a support engineer edits them; `build.rs` checks them and turns them
//! into the tables included here.

use rdprobe_report::{ClientError, Effect, Fix, Where};

/// What is known of one code.
#[derive(Debug)]
pub struct Entry {
    /// The code.
    pub id: &'static str,
    /// In a line.
    pub title: &'static str,
    /// Paragraphs, separated by blank lines.
    pub explain: &'static str,
    /// Likeliest first.
    pub causes: &'static [&'static str],
    /// Specifications and articles.
    pub sources: &'static [&'static str],
    /// What clients show.
    pub client_errors: &'static [KnownClientError],
    /// Remedies, the safe ones first.
    pub fixes: &'static [KnownFix],
}

/// What a client shows for a code.
#[derive(Debug)]
pub struct KnownClientError {
    /// `mstsc`.
    pub client: &'static str,
    /// `0x904`.
    pub code: &'static str,
    /// `0x7`.
    pub extended_code: Option<&'static str>,
    /// What the code stands for.
    pub name: &'static str,
}

/// A remedy for a code.
#[derive(Debug)]
pub struct KnownFix {
    /// In a line.
    pub title: &'static str,
    /// Where it is done.
    pub r#where: Where,
    /// What else it does.
    pub effect: Effect,
    /// Step by step.
    pub steps: &'static [&'static str],
    /// Where it is documented.
    pub source: &'static str,
}

/// Where the cause lay for people whose host was healthy from outside.
#[derive(Debug)]
pub struct Layer {
    /// Stable id.
    pub id: &'static str,
    /// Share of the cases, 0 to 1.
    pub share: f64,
    /// In a line.
    pub title: &'static str,
    /// Why to look there.
    pub why: &'static str,
    /// The question that decides.
    pub question: &'static str,
    /// What to do.
    pub check: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/knowledge.rs"));

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
    pub(crate) fn to_report(&self) -> ClientError {
        ClientError {
            client: self.client.into(),
            code: self.code.into(),
            extended_code: self.extended_code.map(Into::into),
            name: self.name.into(),
        }
    }
}

impl KnownFix {
    pub(crate) fn to_report(&self) -> Fix {
        Fix {
            title: self.title.into(),
            r#where: self.r#where,
            effect: self.effect,
            steps: self.steps.iter().map(|&step| step.into()).collect(),
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
