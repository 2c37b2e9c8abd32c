//! What the types cannot say.

use std::collections::BTreeSet;

use rdprobe_report::{Effect, HelloProfile};

use crate::Knowledge;
use crate::rows::{Cause, Client, Entry, KnownFix, Signs, Tag, TagKind};

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
    clients(knowledge);
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

fn clients(knowledge: &Knowledge) {
    let ids = unique("client", knowledge.client.iter().map(|client| &client.id));
    let tags: BTreeSet<&str> = of_clients(knowledge).map(|tag| tag.id.as_str()).collect();
    for row in &knowledge.client {
        client(row);
        known(&row.id, "client", &row.embeds, &ids);
        known(&row.id, "client's tag", &row.stands_for, &tags);
        known(&row.id, "client's tag", std::slice::from_ref(&row.tag), &tags);
        for name in row.names.iter() {
            let others = knowledge.client.iter().filter(|other| other.id != row.id);
            let mut sharing = others.filter(|other| other.names.contains(name));
            let ranged = row.since.is_some() || row.below.is_some();
            assert!(ranged || sharing.next().is_none(), "{}: {name:?} is another's name too", row.id);
        }
    }
    unique("tag that a client stands for", knowledge.client.iter().flat_map(|row| row.stands_for.iter()));
    for tag in of_clients(knowledge) {
        let stands = |id: &String| knowledge.client.iter().any(|row| row.stands_for.contains(id));
        let stood_for = stands(&tag.id) || tag.implies.iter().any(stands);
        assert!(stood_for, "clients.toml: nobody stands for {}", tag.id);
    }
}

fn of_clients(knowledge: &Knowledge) -> impl Iterator<Item = &Tag> {
    knowledge.tag.iter().filter(|tag| tag.kind.0 == TagKind::Client)
}

fn client(row: &Client) {
    const PLATFORMS: [&str; 7] = ["windows", "macos", "ios", "android", "linux", "web", "server"];
    let id = &row.id;
    title(id, &row.title, 40);
    assert!(!row.names.is_empty(), "{id}: no name to know it by");
    for name in row.names.iter() {
        assert_eq!(*name, name.to_lowercase(), "{id}: {name:?} is not in lower case");
    }
    for platform in row.platforms.iter() {
        assert!(PLATFORMS.contains(&platform.as_str()), "{id}: no platform {platform}");
    }
    for profile in [&row.profile, &row.nearest].into_iter().flatten() {
        assert!(HelloProfile::client(profile).is_some(), "{id}: there is no hello profile {profile}");
    }
    for version in [&row.tls_min, &row.tls_max].into_iter().flatten() {
        let known = ["1.0", "1.1", "1.2", "1.3", "library"].contains(&version.as_str());
        assert!(known, "{id}: no TLS version {version}");
    }
    assert!(!row.sources.is_empty(), "{id}: no source read, no row");
    let read: BTreeSet<&str> =
        row.sources.iter().flat_map(|source| source.fields.iter()).map(String::as_str).collect();
    for (field, is_there) in [
        ("tls_min", row.tls_min.is_some()),
        ("tls_max", row.tls_max.is_some()),
        ("tls_library", row.tls_library.is_some()),
        ("seclevel", row.seclevel.is_some()),
        ("seclevel_option", row.seclevel_option.is_some()),
        ("nla", row.nla.is_some()),
        ("nla_option", row.nla_option.is_some()),
        ("offers", row.offers.is_some()),
        ("security_option", row.security_option.is_some()),
        ("certificate", row.certificate.is_some()),
        ("certificate_option", row.certificate_option.is_some()),
        ("port_option", row.port_option.is_some()),
        ("fips", row.fips.is_some()),
        ("notes", !row.notes.is_empty()),
    ] {
        assert!(!is_there || read.contains("*") || read.contains(field), "{id}: no source of {field}");
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
