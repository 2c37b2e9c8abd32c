//! Causes, claims and remedies: `knowledge/causes/*.toml`, `claims.toml`, `remedies.toml`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;

use crate::words::Words;
use crate::{Effect, Where, read, read_all};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CauseFile {
    cause: Vec<Cause>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cause {
    pub(crate) id: String,
    title: String,
    layer: String,
    #[serde(default)]
    phase: Option<String>,
    scope: Scope,
    stages: Vec<String>,
    prior: f64,
    #[serde(default)]
    families: Vec<String>,
    #[serde(default)]
    needs: Vec<String>,
    #[serde(default)]
    never: Vec<String>,
    #[serde(default)]
    fits: Vec<String>,
    #[serde(default)]
    server: Vec<String>,
    #[serde(default)]
    since: Vec<String>,
    #[serde(default)]
    intermittent: bool,
    shows: String,
    #[serde(default)]
    excludes: String,
    question: String,
    check: String,
    judge: Judge,
    #[serde(default)]
    fix: Vec<Fix>,
    sources: Vec<String>,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "kebab-case")]
enum Scope {
    Host,
    Path,
    Client,
    Account,
}

/// Signs joined by ` + ` hold together; of several entries, one is enough.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Judge {
    #[serde(default)]
    confirmed_by: Vec<String>,
    #[serde(default)]
    ruled_out_by: Vec<String>,
    #[serde(default)]
    hinted_by: Vec<String>,
    /// Signs that go with it and with much else.
    #[serde(default)]
    fits_with: Vec<String>,
    #[serde(default)]
    hidden: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fix {
    id: String,
    title: String,
    r#where: Where,
    effect: Effect,
    #[serde(default)]
    server: Vec<String>,
    #[serde(default)]
    steps: Vec<String>,
    #[serde(default)]
    shell: String,
    #[serde(default)]
    commands: Vec<String>,
    #[serde(default)]
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimFile {
    claim: Vec<Claim>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Claim {
    id: String,
    text: String,
    judgement: ClaimJudgement,
    why: String,
    codes: Vec<String>,
    sources: Vec<String>,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "kebab-case")]
enum ClaimJudgement {
    True,
    Imprecise,
    Misleading,
    False,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RemedyFile {
    remedy: Vec<Remedy>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Remedy {
    id: String,
    title: String,
    effect: Effect,
    when: String,
    why: String,
    causes: Vec<String>,
    sources: Vec<String>,
}

const PHASES: [&str; 9] = ["dns", "tcp", "x224", "tls", "certificate", "credssp", "mcs", "licensing", "udp"];
const STAGES: [&str; 4] = ["before-password", "after-password", "after-picture", "later"];
const CHANGES: [&str; 5] = ["update", "certificate", "hardening", "rename", "new-port"];
const SHELLS: [&str; 5] = ["", "PowerShell", "Command Prompt", "sh", "rdp file"];

/// Writes the tables and returns the ids of the causes.
pub(crate) fn write(output: &mut String, knowledge: &Path, words: &Words) -> BTreeSet<String> {
    let causes: Vec<Cause> =
        read_all::<CauseFile>(&knowledge.join("causes")).into_iter().flat_map(|file| file.cause).collect();
    let mut ids = BTreeSet::new();
    writeln!(output, "pub(crate) static CAUSES: &[Cause] = &[").unwrap();
    for cause in &causes {
        assert!(ids.insert(cause.id.clone()), "{}: the cause stands twice", cause.id);
        check(cause, words);
        write_cause(output, cause);
    }
    writeln!(output, "];").unwrap();

    let claims: ClaimFile = read(&knowledge.join("claims.toml"));
    writeln!(output, "pub(crate) static CLAIMS: &[Claim] = &[").unwrap();
    for Claim { id, text, judgement, why, codes, sources } in &claims.claim {
        assert!(!sources.is_empty(), "{id}: no source");
        writeln!(
            output,
            "Claim {{ id: {id:?}, text: {text:?}, judgement: ClaimJudgement::{judgement:?}, why: {why:?}, codes: &{codes:?}, sources: &{sources:?} }},"
        )
        .unwrap();
    }
    writeln!(output, "];").unwrap();

    let remedies: RemedyFile = read(&knowledge.join("remedies.toml"));
    writeln!(output, "pub(crate) static REMEDIES: &[Remedy] = &[").unwrap();
    for Remedy { id, title, effect, when, why, causes, sources } in &remedies.remedy {
        assert!(!sources.is_empty(), "{id}: no source");
        for cause in causes {
            assert!(ids.contains(cause), "{id}: there is no cause {cause}");
        }
        writeln!(
            output,
            "Remedy {{ id: {id:?}, title: {title:?}, effect: Effect::{effect:?}, when: {when:?}, why: {why:?}, causes: &{causes:?}, sources: &{sources:?} }},"
        )
        .unwrap();
    }
    writeln!(output, "];").unwrap();
    ids
}

/// What the types cannot say.
fn check(cause: &Cause, words: &Words) {
    let id = &cause.id;
    assert!(
        id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            || id == "fClientDisableUDP",
        "{id}: not in kebab-case"
    );
    assert!(cause.title.chars().count() <= 90, "{id}: the title is longer than 90 characters");
    assert!(!cause.title.ends_with('.'), "{id}: the title ends with a full stop");
    assert!(cause.question.ends_with('?'), "{id}: the question asks nothing");
    assert!(!cause.check.is_empty(), "{id}: no check");
    assert!((0.1..=100.0).contains(&cause.prior), "{id}: prior {}", cause.prior);
    assert!(!cause.sources.is_empty(), "{id}: no source read, no row");
    assert!(!cause.fix.is_empty(), "{id}: no fix");
    for stage in &cause.stages {
        assert!(STAGES.contains(&&stage[..]), "{id}: no stage {stage}");
    }
    for change in &cause.since {
        assert!(CHANGES.contains(&&change[..]), "{id}: no change {change}");
    }
    if let Some(phase) = &cause.phase {
        assert!(PHASES.contains(&&phase[..]), "{id}: no phase {phase}");
    }
    for tag in cause.needs.iter().chain(&cause.fits).chain(&cause.never) {
        assert!(words.knows(tag), "{id}: words.toml has no tag {tag}");
    }
    for tag in cause.server.iter().chain(cause.fix.iter().flat_map(|fix| &fix.server)) {
        assert!(words.is_server(tag), "{id}: words.toml has no server {tag}");
    }
    let judge = &cause.judge;
    assert!(
        !(judge.confirmed_by.is_empty()
            && judge.ruled_out_by.is_empty()
            && judge.hinted_by.is_empty()
            && judge.fits_with.is_empty()
            && judge.hidden.is_none()),
        "{id}: nothing judges it: name its signs, or say in `hidden` why it can never be seen"
    );
    let mut fixes = BTreeSet::new();
    for fix in &cause.fix {
        assert!(fixes.insert(&fix.id), "{id}: the fix {} stands twice", fix.id);
        assert!(!fix.steps.is_empty() || !fix.commands.is_empty(), "{id}: {} does nothing", fix.id);
        assert!(SHELLS.contains(&&fix.shell[..]), "{id}: no shell {}", fix.shell);
        assert!(
            fix.commands.is_empty() || !fix.shell.is_empty(),
            "{id}: the commands of {} name no shell",
            fix.id
        );
        let says_so =
            |word: &str| fix.steps.iter().chain([&fix.title]).any(|step| step.to_lowercase().contains(word));
        match fix.effect {
            Effect::DropsSessions => {
                assert!(says_so("session"), "{id}: {} drops sessions and does not say so", fix.id);
            }
            Effect::WeakensSecurity => assert!(
                ["weak", "attack", "expos", "secur", "downgrade", "vulnerab"]
                    .iter()
                    .any(|word| says_so(word)),
                "{id}: {} weakens security and does not say so",
                fix.id
            ),
            Effect::Safe | Effect::Destructive | Effect::DiagnosticOnly => {}
        }
    }
}

fn write_cause(output: &mut String, cause: &Cause) {
    let Cause { id, title, layer, scope, prior, families, needs, never, fits, server, intermittent, .. } =
        cause;
    let Cause { shows, excludes, question, check, sources, .. } = cause;
    let phase =
        cause.phase.as_deref().map_or("None".into(), |phase| format!("Some(Phase::{})", camel(phase)));
    let stages = variants("Stage", &cause.stages);
    let since = variants("Change", &cause.since);
    let confirmed_by = signs(&cause.judge.confirmed_by);
    let ruled_out_by = signs(&cause.judge.ruled_out_by);
    let hinted_by = signs(&cause.judge.hinted_by);
    let fits_with = signs(&cause.judge.fits_with);
    let hidden = &cause.judge.hidden;
    writeln!(
        output,
        "Cause {{ id: {id:?}, title: {title:?}, layer: {layer:?}, phase: {phase}, scope: Scope::{scope:?}, stages: &{stages}, \
         prior: {prior:?}, families: &{families:?}, needs: &{needs:?}, never: &{never:?}, fits: &{fits:?}, server: &{server:?}, since: &{since}, \
         intermittent: {intermittent}, shows: {shows:?}, excludes: {excludes:?}, question: {question:?}, check: {check:?}, \
         confirmed_by: {confirmed_by}, ruled_out_by: {ruled_out_by}, hinted_by: {hinted_by}, fits_with: {fits_with}, hidden: {hidden:?}, \
         sources: &{sources:?}, fixes: &["
    )
    .unwrap();
    for Fix { id, title, r#where, effect, server, steps, shell, commands, source } in &cause.fix {
        writeln!(
            output,
            "CauseFix {{ id: {id:?}, title: {title:?}, r#where: Where::{where:?}, effect: Effect::{effect:?}, \
             server: &{server:?}, steps: &{steps:?}, shell: {shell:?}, commands: &{commands:?}, source: {source:?} }},"
        )
        .unwrap();
    }
    writeln!(output, "] }},").unwrap();
}

fn variants(name: &str, values: &[String]) -> String {
    let list: Vec<String> = values.iter().map(|value| format!("{name}::{}", camel(value))).collect();
    format!("[{}]", list.join(", "))
}

/// `tcp-silent + not-default-port` as a list of signs; a name that is no sign does not compile.
fn signs(entries: &[String]) -> String {
    let mut lists = Vec::new();
    for entry in entries {
        let all: Vec<String> = entry
            .split(" + ")
            .map(|sign| match sign.trim().strip_prefix("finding:") {
                Some(code) => format!("Sign::Finding({code:?})"),
                None => format!("Sign::{}", camel(sign.trim())),
            })
            .collect();
        lists.push(format!("&[{}]", all.join(", ")));
    }
    format!("&[{}]", lists.join(", "))
}

pub(crate) fn camel(kebab: &str) -> String {
    kebab
        .split('-')
        .map(|word| {
            let mut letters = word.chars();
            letters
                .next()
                .map_or(String::new(), |first| first.to_ascii_uppercase().to_string() + letters.as_str())
        })
        .collect()
}
