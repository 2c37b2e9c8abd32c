//! What to ask the user next: the question whose answers separate the causes that are left best.

use rdprobe_report::{Change, Report, Told};

use super::likelihood::STAGES;
use super::{Features, rank};

/// A question that a person answers with one key.
#[derive(Clone, Debug)]
pub struct Question {
    /// The flag that says the same.
    pub flag: &'static str,
    /// The question.
    pub text: &'static str,
    /// Its answers.
    pub answers: Vec<Answer>,
    /// How much it tells, in bits.
    pub gain: f64,
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The key.
    pub key: char,
    /// In words.
    pub text: &'static str,
    /// What the flag takes.
    pub value: &'static str,
    /// What is told then.
    pub told: Told,
}

/// The questions that were not answered yet, the one that separates best first.
pub fn questions(report: &Report, told: &Told) -> Vec<Question> {
    let mut open = Vec::new();
    if told.when.is_none() {
        let texts = [
            ('b', "before a password is asked for", "before-password"),
            ('a', "after the password, before any picture", "after-password"),
            ('p', "after a picture of the host was there", "after-picture"),
            ('l', "after some time of work", "later"),
        ];
        let answers = texts.into_iter().zip(STAGES).map(|((key, text, value), stage)| Answer {
            key,
            text,
            value,
            told: Told { when: Some(stage), ..told.clone() },
        });
        open.push(question("--when", "When does it fail?", answers.collect()));
    }
    if told.others_connect.is_none() {
        let answers = [('y', "yes", "yes", true), ('n', "no", "no", false)].map(|(key, text, value, yes)| {
            Answer { key, text, value, told: Told { others_connect: Some(yes), ..told.clone() } }
        });
        let text = "Does somebody else, or another device, connect to this host?";
        open.push(question("--others-connect", text, answers.into()));
    }
    if told.since.is_none() {
        let answers = [
            ('u', "an update, an upgrade or a new installation", "update", Change::Update),
            ('c', "a certificate", "certificate", Change::Certificate),
            ('h', "hardening: policies, ciphers, a firewall", "hardening", Change::Hardening),
            ('r', "a name, a domain or an account", "rename", Change::Rename),
            ('p', "the port", "new-port", Change::NewPort),
            ('n', "nothing that I know of", "nothing", Change::Nothing),
        ]
        .map(|(key, text, value, change)| Answer {
            key,
            text,
            value,
            told: Told { since: Some(change), ..told.clone() },
        });
        open.push(question("--since", "What changed before it broke?", answers.into()));
    }
    let features = Features::of(told);
    for question in &mut open {
        question.gain = gain(question, &features, report, told);
    }
    open.sort_by(|a, b| b.gain.total_cmp(&a.gain));
    open
}

fn question(flag: &'static str, text: &'static str, answers: Vec<Answer>) -> Question {
    Question { flag, text, answers, gain: 0.0 }
}

/// By how much the uncertainty over the causes falls, taking every answer for as likely as the others.
fn gain(question: &Question, features: &Features, report: &Report, told: &Told) -> f64 {
    let uncertain = |told: &Told| entropy(&shares(features.clone().answered(told), report));
    let after: f64 = question.answers.iter().map(|answer| uncertain(&answer.told)).sum();
    uncertain(told) - after / question.answers.len().max(1) as f64
}

fn shares(features: Features, report: &Report) -> Vec<f64> {
    rank(&features, Some(report)).into_iter().map(|ranked| ranked.likelihood).collect()
}

fn entropy(shares: &[f64]) -> f64 {
    shares.iter().filter(|share| **share > 0.0).map(|share| -share * share.log2()).sum()
}
