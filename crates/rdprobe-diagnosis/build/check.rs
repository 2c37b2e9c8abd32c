//! What the types cannot say.

use std::collections::BTreeSet;

use rdprobe_report::Effect;

use crate::Knowledge;
use crate::rows::{Cause, Entry, KnownFix, Signs, TagKind};

const SHELLS: [&str; 5] = ["", "PowerShell", "Command Prompt", "sh", "rdp file"];

pub(crate) fn check(knowledge: &Knowledge) {
    let tags = unique("tag", knowledge.tag.iter().map(|tag| &tag.id));
    let causes = unique("cause", knowledge.cause.iter().map(|cause| &cause.id));
    unique("symptom", knowledge.symptom.iter().map(|symptom| &symptom.id));
    let servers = knowledge.tag.iter().filter(|tag| tag.kind.0 == TagKind::Server);
    let servers: BTreeSet<&str> = servers.map(|tag| tag.id.as_str()).collect();
    let total: f64 = knowledge.layer.iter().map(|layer| layer.share).sum();
    assert!((0.95..=1.05).contains(&total), "healthy.toml: the shares come to {total}, not to 1");

    for tag in &knowledge.tag {
        let id = &tag.id;
        known(id, "tag", &tag.implies, &tags);
        for word in tag.words.iter() {
            assert_eq!(*word, word.to_lowercase(), "words.toml: {id}: {word:?} is not in lower case");
        }
        let judged = tag.kind.0 != TagKind::Client || tag.profile.is_some() || !tag.implies.is_empty();
        assert!(judged, "words.toml: {id} has no profile");
    }
    knowledge.code.iter().for_each(entry);
    for row in &knowledge.cause {
        cause(row);
        for list in row.fixes.iter().map(|fix| &fix.fits).chain([&row.needs, &row.fits, &row.never]) {
            known(&row.id, "tag", list, &tags);
        }
        for list in row.fixes.iter().map(|fix| &fix.server).chain([&row.server]) {
            known(&row.id, "server", list, &servers);
        }
    }
    for symptom in &knowledge.symptom {
        let id = &symptom.id;
        assert!(!symptom.source.is_empty(), "{id}: no source read, no row");
        let found = !(symptom.codes.is_empty() && symptom.names.is_empty() && symptom.phrases.is_empty());
        assert!(found, "{id}: nothing to recognise it by");
        known(id, "cause", &symptom.causes, &causes);
        known(id, "tag", &symptom.implies, &tags);
    }
    for remedy in &knowledge.remedy {
        known(&remedy.id, "cause", &remedy.causes, &causes);
        assert!(!remedy.sources.is_empty(), "{}: no source", remedy.id);
    }
    unique("regression", knowledge.regression.iter().map(|row| &row.id));
    for row in &knowledge.regression {
        known(&row.id, "tag", &row.tags, &tags);
        assert!(!row.source.is_empty(), "{}: no source read, no row", row.id);
        assert!(!(row.builds.is_empty() && row.tags.is_empty()), "{}: of which version?", row.id);
        assert!(!row.families.is_empty(), "{}: under which symptom?", row.id);
    }
    for claim in &knowledge.claim {
        assert!(!claim.sources.is_empty(), "{}: no source", claim.id);
    }
}

/// The ids, each once.
fn unique<'a>(what: &str, ids: impl Iterator<Item = &'a String>) -> BTreeSet<&'a str> {
    let mut all = BTreeSet::new();
    for id in ids {
        assert!(all.insert(id.as_str()), "{id}: the {what} stands twice");
    }
    all
}

fn known(id: &str, what: &str, named: &[String], all: &BTreeSet<&str>) {
    for name in named {
        assert!(all.contains(name.as_str()), "{id}: there is no {what} {name}");
    }
}

fn entry(entry: &Entry) {
    let id = &entry.id;
    title(id, &entry.title, 72);
    assert!(!entry.causes.is_empty(), "{id}: no cause");
    for known in entry.fixes.iter() {
        assert!(!known.steps.is_empty(), "{id}: the fix {:?} has no steps", known.title);
        fix(id, known);
    }
}

fn cause(cause: &Cause) {
    let id = &cause.id;
    let kebab = id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    assert!(kebab || id == "fClientDisableUDP", "{id}: not in kebab-case");
    title(id, &cause.title, 90);
    assert!(cause.question.ends_with('?'), "{id}: the question asks nothing");
    assert!(!cause.check.is_empty(), "{id}: no check");
    assert!((0.1..=100.0).contains(&cause.prior), "{id}: prior {}", cause.prior);
    assert!(!cause.sources.is_empty(), "{id}: no source read, no row");
    assert!(cause.phase.as_ref().is_none_or(|phase| phase.0.is_known()), "{id}: no phase {:?}", cause.phase);
    let Signs { confirmed_by, ruled_out_by, hinted_by, fits_with, hidden } = &cause.judge;
    let judged = [confirmed_by, ruled_out_by, hinted_by, fits_with].iter().any(|lists| !lists.is_empty());
    assert!(
        judged || hidden.is_some(),
        "{id}: nothing judges it: name its signs, or say in `hidden` why it can never be seen"
    );
    assert!(!cause.fixes.is_empty(), "{id}: no fix");
    unique(&format!("fix of {id}"), cause.fixes.iter().map(|fix| &fix.id));
    for known in cause.fixes.iter() {
        assert!(!known.id.is_empty(), "{id}: a fix has no id");
        assert!(!known.steps.is_empty() || !known.commands.is_empty(), "{id}: {} does nothing", known.id);
        assert!(SHELLS.contains(&&known.shell[..]), "{id}: no shell {}", known.shell);
        let named = known.commands.is_empty() || !known.shell.is_empty();
        assert!(named, "{id}: the commands of {} name no shell", known.id);
        fix(id, known);
    }
}

fn title(id: &str, title: &str, most: usize) {
    assert!(
        !title.is_empty() && title.chars().count() <= most,
        "{id}: the title is longer than {most} characters"
    );
    assert!(!title.ends_with('.'), "{id}: the title ends with a full stop");
}

/// What does harm says so.
fn fix(id: &str, fix: &KnownFix) {
    let said = |words: &[&str]| {
        let texts = fix.steps.iter().chain([&fix.title]);
        texts.map(|text| text.to_lowercase()).any(|text| words.iter().any(|word| text.contains(word)))
    };
    let says_so = match fix.effect.0 {
        Effect::DropsSessions => said(&["session"]),
        Effect::WeakensSecurity => said(&["weak", "attack", "expos", "secur", "downgrade", "vulnerab"]),
        Effect::Safe | Effect::Destructive | Effect::DiagnosticOnly => true,
    };
    assert!(says_so, "{id}: {:?} is {:?} and does not say so", fix.title, fix.effect);
}
