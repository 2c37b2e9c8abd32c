//! What is known beside the host: what the user told, and what the words and the symptom say.

use std::collections::{BTreeMap, BTreeSet};

use rdprobe_report::{Change, Report, Stage, Told};

use super::resemblance::resemblance;
use super::words::with_implied;
use super::{Recognised, TagKind, recognise, tag, tags_in, version};
use crate::causes::Seen;

/// Everything that weighs on a cause's likelihood but the host itself.
#[derive(Clone, Debug, Default)]
pub struct Features {
    /// What the symptom was recognised as.
    pub recognised: Recognised,
    /// Tags of client, server and surroundings.
    pub tags: BTreeSet<&'static str>,
    /// Tags of what the probe saw: which server it is, and that it belongs to a domain.
    pub seen: BTreeSet<&'static str>,
    /// Families of symptoms with how surely.
    pub families: BTreeMap<&'static str, f64>,
    /// Causes that the symptom is known for, with their weights.
    pub named: BTreeMap<&'static str, f64>,
    /// What the words make of each cause's likelihood.
    pub resembles: BTreeMap<&'static str, f64>,
    /// How far the user gets.
    pub stage: Option<Stage>,
    /// The user said so in a flag or an answer; a word in a sentence is less.
    pub stage_told: bool,
    /// What changed.
    pub since: Option<Change>,
    /// Whether others connect.
    pub others_connect: Option<bool>,
}

/// Weights of a symptom's causes by their rank.
const BY_RANK: [f64; 8] = [36.0, 26.0, 20.0, 16.0, 13.0, 11.0, 9.5, 8.5];

/// A symptom that was recognised less surely than this weighs less.
const SURE: f64 = 0.6;
/// What is left of the weight of a symptom's causes where it says no more than that it fails.
const VAGUE: f64 = 0.4;
/// Weight of a family that single words speak of.
const IN_WORDS: f64 = 0.45;
/// The same where no sentence says more.
const WORDS_ALONE: f64 = 0.8;
/// Weight of a family that the surroundings name and the symptom does not.
const SURROUNDINGS: f64 = 0.8;

impl Features {
    /// From what the user told.
    pub fn of(told: &Told) -> Self {
        let mut tags = tags_in(told.client.as_deref().unwrap_or_default());
        for words in &told.environment {
            tags.extend(tags_in(words));
        }
        let recognised = recognise(told.symptom.as_deref().unwrap_or_default(), &tags);
        tags.extend(&recognised.tags);
        // What surroundings the sentence itself names.
        let in_symptom = tags_in(told.symptom.as_deref().unwrap_or_default());
        let of_environment = |id: &&str| tag(id).is_some_and(|tag| tag.kind == TagKind::Environment);
        tags.extend(in_symptom.iter().filter(|id| of_environment(id)));
        let mut features = Self { recognised, ..Self::default() };
        let best = features.recognised.matches.first().map_or(1.0, |best| best.strength);
        let sure = (best / SURE).min(1.0);
        for found in &features.recognised.matches {
            let share = found.strength / best * sure;
            let telling = if found.symptom.vague { VAGUE } else { 1.0 };
            for family in found.symptom.families {
                let weight = features.families.entry(family).or_insert(0.0);
                *weight = weight.max(share);
            }
            for (rank, cause) in found.symptom.causes.iter().enumerate() {
                let weight = BY_RANK.get(rank).copied().unwrap_or(7.5) * share * share * telling;
                let known = features.named.entry(cause).or_insert(0.0);
                *known = known.max(weight);
            }
        }
        // Words that no sentence holds still say what kind of thing is seen.
        let vague = features.recognised.best().is_none_or(|best| best.vague);
        let in_words = if vague { WORDS_ALONE } else { IN_WORDS };
        for seen in in_symptom {
            if let Some(family) = seen.strip_prefix("sees-") {
                features.families.entry(family).or_insert(in_words);
            }
        }
        // Where the words say no more than where it is, that is a family too.
        for tag in ["fips", "smartcard"] {
            if let Some(tag) = tags.get(tag) {
                features.families.entry(tag).or_insert(SURROUNDINGS);
            }
        }
        if version::is_old(told.client.as_deref().unwrap_or_default()) {
            tags.insert("old-version");
        }
        features.tags = tags;
        let words: Vec<&str> = told.symptom.iter().chain(&told.environment).map(String::as_str).collect();
        if !words.is_empty() {
            features.resembles = resemblance(&words.join(" "));
        }
        features.answered(told)
    }

    /// The same with the user's answers taken from `told`; its words are not read again.
    #[must_use]
    pub fn answered(mut self, told: &Told) -> Self {
        let telling = self.recognised.best().filter(|symptom| !symptom.vague);
        let by_symptom = telling.and_then(|symptom| symptom.stage);
        self.stage_told = told.when.is_some();
        self.stage = told.when.or_else(|| by_words(&self.tags, STAGES)).or(by_symptom);
        self.since = told.since.or_else(|| by_words(&self.tags, SINCE));
        // Hardening that was told of is surroundings too; a connection that ends later drops, however it is put.
        if self.since == Some(Change::Hardening) {
            self.tags.insert("hardened");
        }
        let ends = self.families.get("socket-closed").copied();
        if let (Some(Stage::AfterPicture | Stage::Later), Some(weight)) = (self.stage, ends) {
            self.families.insert("drops-later", weight);
        }
        self.others_connect = told.others_connect.or_else(|| by_words(&self.tags, OTHERS));
        self
    }

    /// Told or seen.
    pub fn has(&self, tag: &str) -> bool {
        self.tags.contains(tag) || self.seen.contains(tag)
    }

    /// The same with what a report shows of the server.
    #[must_use]
    pub fn with_seen(mut self, report: &Report) -> Self {
        let seen = Seen::new(report);
        if let Some([server]) = seen.servers().as_deref() {
            with_implied(server, &mut self.seen);
        }
        if seen.domain_member() == Some(true) {
            with_implied("ad-domain", &mut self.seen);
        }
        self
    }

    /// The client that the user named, by the most telling of its tags.
    pub fn client(&self) -> Option<&'static super::Tag> {
        let clients = self.tags.iter().filter_map(|id| tag(id)).filter(|tag| tag.kind == TagKind::Client);
        // What others imply is the kind, not the client.
        let clients: Vec<_> = clients.collect();
        let implied = |id: &str| clients.iter().any(|other| other.id != id && other.implies.contains(&id));
        clients.iter().find(|tag| !implied(tag.id)).or(clients.first()).copied()
    }
}

const STAGES: &[(&str, Stage)] = &[
    ("stage-before-password", Stage::BeforePassword),
    ("stage-after-picture", Stage::AfterPicture),
    ("stage-later", Stage::Later),
    ("stage-after-password", Stage::AfterPassword),
];

const SINCE: &[(&str, Change)] = &[
    ("since-update", Change::Update),
    ("since-certificate", Change::Certificate),
    ("since-hardening", Change::Hardening),
    ("since-rename", Change::Rename),
    ("since-new-port", Change::NewPort),
];

const OTHERS: &[(&str, bool)] = &[("others-connect", true), ("others-fail", false)];

fn by_words<T: Copy>(tags: &BTreeSet<&'static str>, table: &[(&str, T)]) -> Option<T> {
    table.iter().find(|(id, _)| tags.contains(id)).map(|(_, value)| *value)
}
