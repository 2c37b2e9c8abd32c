//! `knowledge/symptoms/*.toml`: every code and sentence that a user can hold.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;

use crate::causes::camel;
use crate::read_all;
use crate::words::Words;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SymptomFile {
    /// Of all rows that name none of their own.
    #[serde(default)]
    source: String,
    symptom: Vec<Symptom>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Symptom {
    id: String,
    kind: String,
    title: String,
    #[serde(default)]
    codes: Vec<u32>,
    #[serde(default)]
    extended: Vec<u32>,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    phrases: Vec<String>,
    meaning: String,
    #[serde(default)]
    is_not: Option<String>,
    #[serde(default)]
    families: Vec<String>,
    #[serde(default)]
    stage: Option<String>,
    #[serde(default)]
    implies: Vec<String>,
    #[serde(default)]
    causes: Vec<String>,
    #[serde(default)]
    source: String,
}

pub(crate) fn write(output: &mut String, knowledge: &Path, causes: &BTreeSet<String>, words: &Words) {
    let mut ids = BTreeSet::new();
    writeln!(output, "pub(crate) static SYMPTOMS: &[Symptom] = &[").unwrap();
    for file in read_all::<SymptomFile>(&knowledge.join("symptoms")) {
        for symptom in &file.symptom {
            let Symptom { id, kind, title, codes, extended, names, phrases, meaning, .. } = symptom;
            let Symptom { is_not, families, implies, .. } = symptom;
            let named = &symptom.causes;
            let source = if symptom.source.is_empty() { &file.source } else { &symptom.source };
            assert!(ids.insert(id.clone()), "{id}: the symptom stands twice");
            assert!(!source.is_empty(), "{id}: no source read, no row");
            assert!(
                !(codes.is_empty() && names.is_empty() && phrases.is_empty()),
                "{id}: nothing to recognise it by"
            );
            for cause in named {
                assert!(causes.contains(cause), "{id}: there is no cause {cause}");
            }
            for tag in implies {
                assert!(words.knows(tag), "{id}: words.toml has no tag {tag}");
            }
            let kind = camel(kind);
            let stage = symptom
                .stage
                .as_deref()
                .map_or("None".into(), |stage| format!("Some(Stage::{})", camel(stage)));
            writeln!(
                output,
                "Symptom {{ id: {id:?}, kind: SymptomKind::{kind}, title: {title:?}, codes: &{codes:?}, extended: &{extended:?}, \
                 names: &{names:?}, phrases: &{phrases:?}, meaning: {meaning:?}, is_not: {is_not:?}, families: &{families:?}, \
                 stage: {stage}, implies: &{implies:?}, causes: &{named:?}, source: {source:?} }},"
            )
            .unwrap();
        }
    }
    writeln!(output, "];").unwrap();
}
