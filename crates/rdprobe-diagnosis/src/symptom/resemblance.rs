//! How far a cause's own text speaks of what was told: no list of sentences holds every way to put a problem, but who
//! has it mostly names the things that the cause is about.

use std::collections::BTreeMap;

use super::phrase::stem;
use super::words::normal;
use crate::causes::{self, Cause};

/// A word that more of the causes than this share speak of says nothing.
const COMMON: f64 = 0.12;
/// What a word of the title counts against one of the rest.
const IN_TITLE: f64 = 1.5;
/// The sum of words that doubles a likelihood, and more.
const DOUBLES: f64 = 5.0;
/// The most that resemblance makes of a likelihood.
const MOST: f64 = 8.0;
/// The most words of a text that count.
const WORDS: usize = 64;

/// What of the told words one cause's text has, a bit for each.
struct Met {
    cause: &'static str,
    title: u64,
    rest: u64,
    /// Words of the text: more of them meet more by chance.
    length: f64,
}

/// By what each cause's likelihood is multiplied for the words of `told`; causes that share none are left out.
pub(super) fn resemblance(told: &str) -> BTreeMap<&'static str, f64> {
    let normal = normal(told);
    let told = Told::new(&normal);
    let met: Vec<Met> = causes::all().iter().map(|cause| told.met(cause)).collect();
    let all = met.len() as f64;
    let usual = met.iter().map(|met| met.length).sum::<f64>() / all;
    // The fewer speak of a word, the more it says.
    let weight = |bit: u64| {
        let count = met.iter().filter(|met| (met.title | met.rest) & bit != 0).count() as f64;
        if count > 0.0 && count < COMMON * all { (all / count).ln() } else { 0.0 }
    };
    let weights: Vec<(u64, f64)> =
        (0..told.stems.len()).map(|place| 1 << place).map(|bit| (bit, weight(bit))).collect();
    let factor = |met: &Met| {
        let sum: f64 = weights
            .iter()
            .map(|(bit, weight)| match (met.title & bit != 0, met.rest & bit != 0) {
                (true, _) => weight * IN_TITLE,
                (false, true) => *weight,
                (false, false) => 0.0,
            })
            .sum();
        (1.0 + sum / (met.length / usual).sqrt() / DOUBLES).powi(2).min(MOST)
    };
    met.iter().filter(|met| met.title | met.rest != 0).map(|met| (met.cause, factor(met))).collect()
}

/// The words of a text without their endings, and where those with one first letter stand.
struct Told<'a> {
    stems: Vec<&'a str>,
    by_letter: BTreeMap<u8, Vec<usize>>,
}

impl<'a> Told<'a> {
    fn new(normal: &'a str) -> Self {
        let mut stems: Vec<&str> = normal.split(' ').filter(|word| word.len() > 2).map(stem).collect();
        stems.sort_unstable();
        stems.dedup();
        stems.truncate(WORDS);
        let mut by_letter: BTreeMap<u8, Vec<usize>> = BTreeMap::new();
        for (place, stem) in stems.iter().enumerate() {
            by_letter.entry(stem.as_bytes()[0]).or_default().push(place);
        }
        Self { stems, by_letter }
    }

    fn met(&self, cause: &Cause) -> Met {
        let (title, in_title) = self.bits(cause.title);
        let fixes =
            cause.fixes.iter().flat_map(|fix| std::iter::once(fix.title).chain(fix.steps.iter().copied()));
        let rest = [cause.shows, cause.question].into_iter().chain(fixes).map(|text| self.bits(text));
        let (rest, in_rest) =
            rest.fold((0, 0), |(bits, words), (more, further)| (bits | more, words + further));
        Met { cause: cause.id, title, rest, length: (in_title + in_rest) as f64 }
    }

    /// The told words that a text has, and how many words it has itself.
    fn bits(&self, text: &str) -> (u64, usize) {
        let mut bits = 0;
        let mut words = 0;
        for word in text.split(|letter: char| !letter.is_alphanumeric() && letter != '_') {
            let Some(first) = word.bytes().next().filter(|_| word.len() > 2) else { continue };
            words += 1;
            let Some(places) = self.by_letter.get(&first.to_ascii_lowercase()) else { continue };
            let stem = stem(word);
            let same = places.iter().find(|place| self.stems[**place].eq_ignore_ascii_case(stem));
            bits |= same.map_or(0, |place| 1 << place);
        }
        (bits, words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_speaks_of_the_same_things_is_likelier() {
        let factors = resemblance("RDP Wrapper says that it does not know this build of termsrv.dll");
        let best = factors.iter().max_by(|a, b| a.1.total_cmp(b.1)).unwrap();
        assert_eq!(*best.0, "rdpwrap-outdated");
    }

    #[test]
    fn words_that_all_causes_have_say_nothing_and_no_text_is_too_long() {
        assert!(resemblance("").is_empty());
        let factors = resemblance("the host and the client");
        assert!(factors.values().all(|factor| *factor < 1.5), "{factors:?}");
        let long: String = (0..1000).map(|number| format!("word{number} ")).collect();
        assert!(resemblance(&long).values().all(|factor| *factor <= MOST));
    }
}
