//! Sentences, matched loosely: words left out, put elsewhere or misspelt are forgiven as far as they say little.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::words::normal;
use super::{SYMPTOMS, Symptom};

/// A sentence of the knowledge in words, each with what it weighs.
struct Phrase {
    symptom: &'static Symptom,
    words: Vec<(String, f64)>,
    weight: f64,
    /// 1 for all of a text, less for its first sentence alone.
    sure: f64,
}

/// Every symptom of which a sentence is found in the text, or whose sentence holds all of a text that is not much
/// itself, with how much of it: 0 to 1.
pub(super) fn matches(text: &str) -> Vec<(&'static Symptom, f64)> {
    let normal = normal(text);
    let words: Vec<&str> = normal.split(' ').filter(|word| !word.is_empty()).collect();
    let mut found: Vec<(&'static Symptom, f64)> = Vec::new();
    for phrase in phrases() {
        let Some(strength) = strength(phrase, &words) else { continue };
        match found.iter_mut().find(|(symptom, _)| symptom.id == phrase.symptom.id) {
            Some((_, best)) => *best = best.max(strength),
            None => found.push((phrase.symptom, strength)),
        }
    }
    found
}

fn strength(phrase: &Phrase, words: &[&str]) -> Option<f64> {
    let held: f64 = phrase
        .words
        .iter()
        .filter(|(word, _)| words.iter().any(|other| alike(word, other)))
        .map(|(_, weight)| weight)
        .sum();
    let share = held / phrase.weight;
    let needed = match phrase.words.len() {
        0..=2 => 0.999,
        3 => 0.9,
        4 | 5 => 0.78,
        _ => 0.68,
    };
    // Longer sentences that are there say more.
    let length = (0.55 + 0.06 * phrase.words.len() as f64).min(1.0);
    if share >= needed {
        return Some(share * length * phrase.sure);
    }
    // A part of the sentence alone.
    let told: f64 = words.iter().map(|word| weight(word)).sum();
    let within: f64 = words
        .iter()
        .filter(|word| phrase.words.iter().any(|(other, _)| alike(other, word)))
        .map(|word| weight(word))
        .sum();
    let part = words.len() >= 2 && words.len() < phrase.words.len() && share >= 0.35;
    if part && within >= 0.95 * told {
        return Some(0.5 * share + 0.25);
    }
    // In other words: most of what is said is in the sentence, and much of the sentence is said.
    (words.len() >= 5 && phrase.words.len() >= 6 && within >= 0.6 * told && share >= 0.45)
        .then_some((0.55 * share + 0.1) * phrase.sure)
}

/// The same word, an inflection, or a slip of the pen in a longer one.
pub(super) fn alike(a: &str, b: &str) -> bool {
    if a == b || stem(a) == stem(b) {
        return true;
    }
    let shorter = a.len().min(b.len());
    if shorter < 5 || a.bytes().any(|byte| byte.is_ascii_digit()) || a.as_bytes()[0] != b.as_bytes()[0] {
        return false;
    }
    let slips = if shorter < 8 { 1 } else { 2 };
    a.len().abs_diff(b.len()) <= slips && strsim::osa_distance(a, b) <= slips
}

/// A word of some length without its ending.
pub(super) fn stem(word: &str) -> &str {
    let endings = ["ings", "ing", "ions", "ion", "ed", "es", "s"];
    let cut = endings.iter().find_map(|ending| word.strip_suffix(ending));
    cut.filter(|stem| stem.len() >= 4).unwrap_or(word)
}

/// How much a word says: the rarer in the knowledge, the more.
fn weight(word: &str) -> f64 {
    let seen = counts().get(word).copied().unwrap_or(0);
    let all = SYMPTOMS.len().max(1) as f64;
    (all / (1.0 + f64::from(seen))).ln().max(0.2)
}

fn counts() -> &'static HashMap<String, u32> {
    static COUNTS: OnceLock<HashMap<String, u32>> = OnceLock::new();
    COUNTS.get_or_init(|| {
        let mut counts = HashMap::new();
        for text in SYMPTOMS.iter().flat_map(|symptom| symptom.phrases) {
            let normal = normal(text);
            let mut words: Vec<&str> = normal.split(' ').filter(|word| !word.is_empty()).collect();
            words.sort_unstable();
            words.dedup();
            for word in words {
                *counts.entry(word.to_owned()).or_insert(0) += 1;
            }
        }
        counts
    })
}

/// A text, and its first sentence alone where it has more: people quote no further.
fn parts(text: &'static str) -> impl Iterator<Item = (&'static str, f64)> {
    let first = text.split_once(". ").map(|(first, _)| (first, 0.85)).filter(|(first, _)| first.len() > 24);
    std::iter::once((text, 1.0)).chain(first)
}

fn phrases() -> &'static [Phrase] {
    static PHRASES: OnceLock<Vec<Phrase>> = OnceLock::new();
    PHRASES.get_or_init(|| {
        let mut phrases = Vec::new();
        for symptom in SYMPTOMS {
            for (text, sure) in symptom.phrases.iter().flat_map(|text| parts(text)) {
                let normal = normal(text);
                let words: Vec<(String, f64)> = normal
                    .split(' ')
                    .filter(|word| !word.is_empty())
                    .map(|word| (word.to_owned(), weight(word)))
                    .collect();
                let weight = words.iter().map(|(_, weight)| weight).sum();
                phrases.push(Phrase { symptom, words, weight, sure });
            }
        }
        phrases
    })
}
