//! A code or a sentence explained: what it is, what it is not, what is behind it, and the command that narrows it.

use rdprobe_diagnosis::causes::{self, Cause};
use rdprobe_diagnosis::symptom::{Features, Match, Ranked, Symptom, rank};
use rdprobe_report::{ClaimJudgement, Effect};
use serde::Serialize;

use super::fix::effect_name;
use super::json;
use super::style::{BOLD, DIM};
use super::text::Page;
use crate::args::Format;
use crate::output::Screen;

/// Lines of the short answer.
const SHORT: usize = 15;
/// Groups of causes of the short answer at the most.
const GROUPS: usize = 6;
/// Causes of the full one.
const CAUSES: usize = 10;

pub(crate) fn render(words: &str, features: &Features, full: bool, format: Format, screen: Screen) -> String {
    let ranked = rank(features, None);
    match format {
        Format::Json => json::pretty(&Explained::of(words, features, &ranked)),
        Format::Ndjson => json::line(&Explained::of(words, features, &ranked)),
        _ if full => self::full(words, features, &ranked, screen),
        _ => short(words, features, &ranked, screen),
    }
}

/// As much as fits: fewer groups where the words above are many.
fn short(words: &str, features: &Features, ranked: &[Ranked], screen: Screen) -> String {
    let mut text = String::new();
    // What else it can mean is given up before the third group is.
    let with_others = (3..=GROUPS).rev().map(|groups| (groups, true));
    for (groups, others) in with_others.chain((1..=GROUPS).rev().map(|groups| (groups, false))) {
        let mut page = Page::new(screen);
        opening(&mut page, features, others);
        page.heading("Likely behind it");
        for (layer, title) in by_layer(ranked).into_iter().take(groups) {
            page.hanging(&format!("    {}", page.paint(BOLD, &format!("{layer}: "))), 6, title);
        }
        page.blank();
        command(&mut page, words, features);
        text = page.finish();
        if text.lines().count() <= SHORT {
            break;
        }
    }
    text
}

fn opening(page: &mut Page, features: &Features, others: bool) {
    let Some(best) = features.recognised.best() else { return };
    let kind = page.paint(DIM, best.kind.title());
    page.hanging("", 2, &format!("{} ({kind})", page.paint(BOLD, best.title)));
    page.paragraph(2, best.meaning);
    if let Some(is_not) = best.is_not {
        page.paragraph(2, is_not);
    }
    let further: Vec<&str> = further(features).map(|found| found.symptom.title).take(2).collect();
    if others && !further.is_empty() {
        page.paragraph(2, &format!("Or, less likely: {}.", further.join("; ")));
    }
}

/// What it can mean as well: the same number in another family.
fn further(features: &Features) -> impl Iterator<Item = &Match> {
    features.recognised.matches.iter().skip(1)
}

/// The likeliest cause of each layer, likeliest first.
fn by_layer(ranked: &[Ranked]) -> Vec<(&'static str, &'static str)> {
    let mut groups: Vec<(&'static str, &'static str)> = Vec::new();
    for ranked in ranked.iter().take(16).filter(|ranked| ranked.likelihood > 0.008) {
        if groups.iter().all(|(layer, _)| *layer != ranked.cause.layer) {
            groups.push((ranked.cause.layer, ranked.cause.title));
        }
    }
    groups
}

fn command(page: &mut Page, words: &str, features: &Features) {
    let symptom = asked(words, features);
    page.line("Which of them it is, a probe tells:");
    page.line(&format!("rdprobe HOST --symptom \"{symptom}\""));
    page.line(&format!("More: rdprobe explain --full \"{symptom}\""));
}

/// What to give to `--symptom`: short words as they are, else the numbers of a long sentence or its name.
fn asked<'a>(words: &'a str, features: &Features) -> std::borrow::Cow<'a, str> {
    let plain = words.len() <= 40 && !words.contains(['"', '`', '$', '\\', '\n']);
    match features.recognised.best() {
        Some(best) if !plain => best.names.first().copied().unwrap_or(best.id).into(),
        _ => words.into(),
    }
}

fn full(words: &str, features: &Features, ranked: &[Ranked], screen: Screen) -> String {
    let mut page = Page::new(screen);
    opening(&mut page, features, false);
    let also: Vec<&Symptom> = further(features).map(|found| found.symptom).collect();
    if !also.is_empty() {
        page.heading("It can also be");
        for symptom in also {
            page.bullet(4, &format!("{} ({}): {}", symptom.title, symptom.kind.title(), symptom.meaning));
        }
    }
    page.heading("Causes, likeliest first");
    for (number, ranked) in ranked.iter().take(CAUSES).enumerate() {
        cause(&mut page, number + 1, ranked.cause);
    }
    let claims: Vec<_> = causes::claims().iter().filter(|claim| concerns(claim.codes, features)).collect();
    if !claims.is_empty() {
        page.heading("What is said of it");
        for claim in claims {
            let judgement = match claim.judgement {
                ClaimJudgement::True => "true",
                ClaimJudgement::Imprecise => "imprecise",
                ClaimJudgement::Misleading => "misleading",
                ClaimJudgement::False => "false",
            };
            page.bullet(4, &format!("{judgement}: {} {}", claim.text, claim.why));
        }
    }
    let remedies: Vec<_> = causes::remedies()
        .iter()
        .filter(|remedy| remedy.causes.iter().any(|id| features.named.contains_key(id)))
        .collect();
    if !remedies.is_empty() {
        page.heading("What is recommended against it");
        for remedy in remedies {
            page.bullet(
                4,
                &format!("{} ({}): {} {}", remedy.title, effect_name(remedy.effect), remedy.when, remedy.why),
            );
        }
    }
    page.blank();
    command(&mut page, words, features);
    if let Some(best) = features.recognised.best() {
        page.heading("Source");
        page.bullet(4, best.source);
    }
    page.finish()
}

fn concerns(codes: &[&str], features: &Features) -> bool {
    codes.iter().any(|code| {
        features.recognised.matches.iter().any(|found| found.symptom.id == *code)
            || features.families.contains_key(code)
    })
}

fn cause(page: &mut Page, number: usize, cause: &Cause) {
    page.hanging(&format!("    {number}. "), 7, cause.title);
    page.paragraph(7, cause.shows);
    page.paragraph(7, cause.question);
    if let Some(fix) = cause.fixes.iter().find(|fix| fix.effect != Effect::DiagnosticOnly) {
        page.hanging(&format!("       {} ", page.sign("→", "->")), 9, fix.title);
    }
}

/// What JSON says of a symptom.
#[derive(Serialize)]
struct Explained<'a> {
    input: &'a str,
    known: bool,
    matches: Vec<Known>,
    causes: Vec<Behind>,
}

#[derive(Serialize)]
struct Known {
    id: &'static str,
    kind: &'static str,
    title: &'static str,
    meaning: &'static str,
    is_not: Option<&'static str>,
    strength: f64,
    source: &'static str,
}

#[derive(Serialize)]
struct Behind {
    id: &'static str,
    title: &'static str,
    layer: &'static str,
    likelihood: f64,
    question: &'static str,
    check: &'static str,
    fixes: Vec<&'static str>,
}

impl<'a> Explained<'a> {
    fn of(input: &'a str, features: &Features, ranked: &[Ranked]) -> Self {
        let matches = features.recognised.matches.iter().map(|found| known(found.symptom, found.strength));
        let causes = ranked.iter().take(CAUSES).map(|ranked| Behind {
            id: ranked.cause.id,
            title: ranked.cause.title,
            layer: ranked.cause.layer,
            likelihood: (ranked.likelihood * 1e4).round() / 1e4,
            question: ranked.cause.question,
            check: ranked.cause.check,
            fixes: ranked.cause.fixes.iter().map(|fix| fix.title).collect(),
        });
        Self { input, known: true, matches: matches.collect(), causes: causes.collect() }
    }
}

fn known(symptom: &Symptom, strength: f64) -> Known {
    Known {
        id: symptom.id,
        kind: symptom.kind.title(),
        title: symptom.title,
        meaning: symptom.meaning,
        is_not: symptom.is_not,
        strength: (strength * 1e3).round() / 1e3,
        source: symptom.source,
    }
}

/// What JSON says of words that are unknown.
pub(crate) fn unknown(words: &str, codes: &[&'static str], near: &[&'static Symptom]) -> serde_json::Value {
    let near: Vec<Known> = near.iter().map(|symptom| known(symptom, 0.0)).collect();
    serde_json::json!({ "input": words, "known": false, "codes": codes, "nearest": near })
}
