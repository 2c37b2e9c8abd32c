//! Words and numbers in; known symptoms out, the likeliest first.

use std::collections::BTreeSet;

use super::number::{Number, numbers, provider};
use super::words::{normal, with_implied};
use super::{SYMPTOMS, Symptom, SymptomKind, TagKind, phrase, tag, tags_in};

/// A symptom found in a text.
#[derive(Clone, Copy, Debug)]
pub struct Match {
    /// The symptom.
    pub symptom: &'static Symptom,
    /// How surely, 0 to a little over 1.
    pub strength: f64,
}

/// What a text was recognised as.
#[derive(Clone, Debug, Default)]
pub struct Recognised {
    /// The symptoms, the surest first.
    pub matches: Vec<Match>,
    /// What its words say of client, server and surroundings.
    pub tags: BTreeSet<&'static str>,
}

impl Recognised {
    /// Nothing of it is known.
    pub fn is_unknown(&self) -> bool {
        self.matches.is_empty()
    }

    /// The surest.
    pub fn best(&self) -> Option<&'static Symptom> {
        self.matches.first().map(|found| found.symptom)
    }
}

/// Weaker than this share of the surest is noise.
const NOISE: f64 = 0.45;
/// What says no more than that it fails stands back behind what says more.
const VAGUE: f64 = 0.8;
/// From here a sentence of some length stands there as it is.
const VERBATIM: f64 = 0.9;
/// Symptoms that are told.
const MOST: usize = 6;

/// Recognises a code, a sentence or a line of a log. `known` are tags from elsewhere, such as the client's.
pub fn recognise(text: &str, known: &BTreeSet<&'static str>) -> Recognised {
    if text.trim().is_empty() {
        return Recognised::default();
    }
    let mut tags = tags_in(text);
    let mut around = tags.clone();
    around.extend(known);
    let mut found: Vec<Match> = Vec::new();
    for number in numbers(text) {
        for symptom in SYMPTOMS {
            if let Some(strength) = by_number(symptom, &number, &around) {
                add(&mut found, symptom, strength);
            }
        }
    }
    let words = normal(text);
    for symptom in SYMPTOMS {
        if symptom.names.iter().any(|name| words.contains(&normal(name))) {
            add(&mut found, symptom, 1.05);
        }
    }
    for (symptom, strength) in phrase::matches(text) {
        add(&mut found, symptom, strength * by_program(symptom, strength, &around));
    }
    for found in found.iter_mut().filter(|found| found.symptom.vague) {
        found.strength *= VAGUE;
    }
    found.sort_by(|a, b| b.strength.total_cmp(&a.strength));
    let least = found.first().map_or(0.0, |best| best.strength * NOISE);
    found.retain(|found| found.strength >= least);
    found.truncate(MOST);
    if let Some(best) = found.first() {
        for implied in best.symptom.implies {
            with_implied(implied, &mut tags);
        }
    }
    Recognised { matches: found, tags }
}

/// Words of one program say less where another was named, unless they are its very words: many a product has it inside.
fn by_program(symptom: &Symptom, strength: f64, around: &BTreeSet<&'static str>) -> f64 {
    let client = |id: &str| tag(id).is_some_and(|tag| tag.kind == TagKind::Client);
    if symptom.implies.iter().any(|tag| around.contains(tag)) {
        return 1.15;
    }
    let another = symptom.implies.iter().any(|id| client(id)) && around.iter().any(|id| client(id));
    if another && strength < VERBATIM { 0.6 } else { 1.0 }
}

/// A symptom that is found in two ways is the surer for it.
fn add(found: &mut Vec<Match>, symptom: &'static Symptom, strength: f64) {
    match found.iter_mut().find(|other| other.symptom.id == symptom.id) {
        Some(other) => other.strength = other.strength.max(strength) + 0.15 * other.strength.min(strength),
        None => found.push(Match { symptom, strength }),
    }
}

fn by_number(symptom: &'static Symptom, number: &Number, around: &BTreeSet<&'static str>) -> Option<f64> {
    let as_extended = symptom.kind == SymptomKind::MstscExtended
        && number.extended.is_some_and(|extended| extended != 0 && symptom.codes.contains(&extended));
    if as_extended {
        return Some(0.6);
    }
    if !symptom.codes.contains(&number.value) {
        return None;
    }
    let pair = match (symptom.extended, number.extended) {
        ([], None | Some(0)) => 1.0,
        ([], Some(_)) => 0.85,
        (known, Some(extended)) if known.contains(&extended) => 1.2,
        _ => return None,
    };
    let led = |words: &[&str]| number.lead.iter().any(|lead| words.contains(&lead.as_str()));
    let kind = symptom.kind;
    let mut strength = kind.weight() * pair;
    let event = led(&["event", "eventid"]) || number.lead.first().is_some_and(|lead| provider(lead));
    let named = match kind {
        SymptomKind::WindowsEvent => event,
        SymptomKind::FreerdpExit => led(&["exit", "exitcode"]),
        SymptomKind::Guacamole => led(&["guacamole", "guacd"]) || around.contains("guacamole"),
        SymptomKind::ErrorInfo => led(&["errinfo", "info"]),
        SymptomKind::MstscExtended => led(&["extended"]),
        SymptomKind::Http => led(&["http"]),
        SymptomKind::Negotiation => led(&["negotiation", "failure"]),
        SymptomKind::Kerberos => led(&["kerberos", "krb", "kdc"]),
        _ => false,
    };
    // A number of one program says little where another was named.
    let other = matches!(kind, SymptomKind::Guacamole | SymptomKind::FreerdpExit)
        && !symptom.implies.iter().any(|tag| around.contains(tag))
        && around.iter().any(|id| tag(id).is_some_and(|tag| tag.kind == TagKind::Client));
    if other {
        strength *= 0.3;
    }
    if named {
        strength = strength.max(1.0) * 1.3;
    } else if event {
        strength *= 0.4;
    }
    if symptom.implies.iter().any(|tag| around.contains(tag)) {
        strength *= 1.3;
    }
    if !number.sure && !named && number.value < 100 {
        strength *= 0.8;
    }
    Some(strength)
}

/// The symptoms nearest to a text that is unknown: names and numbers that are spelt alike, sentences with words in
/// common.
pub fn nearest(text: &str, most: usize) -> Vec<&'static Symptom> {
    let wanted = text.trim().to_lowercase();
    let value = numbers(text).first().map(|number| number.value);
    let words = normal(text);
    let words: Vec<&str> = words.split(' ').filter(|word| word.len() > 3).collect();
    let mut near: Vec<(f64, &'static Symptom)> = SYMPTOMS
        .iter()
        .filter_map(|symptom| {
            let name = symptom
                .names
                .iter()
                .map(|name| strsim::normalized_damerau_levenshtein(&wanted, &name.to_lowercase()))
                .fold(0.0, f64::max);
            let number = value.map_or(0.0, |value| {
                let distance = symptom.codes.iter().map(|code| code.abs_diff(value)).min();
                distance.map_or(0.0, |distance| 0.9 - f64::from(distance) / f64::from(value / 16 + 16))
            });
            let shared = words
                .iter()
                .filter(|word| {
                    symptom
                        .phrases
                        .iter()
                        .any(|text| normal(text).split(' ').any(|own| phrase::alike(own, word)))
                })
                .count();
            let sentence = shared as f64 / words.len().max(3) as f64;
            let likeness = name.max(number).max(sentence);
            (likeness >= 0.5).then_some((likeness, symptom))
        })
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    near.into_iter().take(most).map(|(_, symptom)| symptom).collect()
}
