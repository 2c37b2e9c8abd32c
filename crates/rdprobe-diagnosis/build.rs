//! Reads `knowledge/*.toml`, refuses what is inconsistent, and turns it into static tables.

#[path = "build/causes.rs"]
mod causes;
#[path = "build/symptoms.rs"]
mod symptoms;
#[path = "build/words.rs"]
mod words;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeFile {
    code: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    title: String,
    explain: String,
    causes: Vec<String>,
    client_errors: Vec<ClientError>,
    sources: Vec<String>,
    #[serde(default)]
    fix: Vec<Fix>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClientError {
    client: String,
    code: String,
    extended_code: Option<String>,
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fix {
    title: String,
    r#where: Where,
    effect: Effect,
    steps: Vec<String>,
    #[serde(default)]
    source: String,
}

#[derive(Deserialize, Debug)]
#[serde(rename_all = "kebab-case")]
enum Where {
    Server,
    Client,
    Network,
    Account,
}

#[derive(Deserialize, Debug, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Effect {
    Safe,
    DropsSessions,
    WeakensSecurity,
    Destructive,
    DiagnosticOnly,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HealthyFile {
    not_visible: Vec<String>,
    layer: Vec<Layer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Layer {
    id: String,
    share: f64,
    title: String,
    why: String,
    question: String,
    check: String,
}

fn main() {
    println!("cargo::rerun-if-changed=knowledge");
    println!("cargo::rerun-if-changed=build");
    let directory = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap()).join("knowledge");
    let mut output = String::new();

    let mut entries = Vec::new();
    for group in ["dns", "tcp", "x224", "tls", "certificate", "credssp", "udp", "general"] {
        let file: CodeFile = read(&directory.join(format!("{group}.toml")));
        entries.extend(file.code);
    }
    writeln!(output, "pub(crate) static ENTRIES: &[Entry] = &[").unwrap();
    for entry in &entries {
        check(entry);
        write_entry(&mut output, entry);
    }
    writeln!(output, "];").unwrap();

    let healthy: HealthyFile = read(&directory.join("healthy.toml"));
    let total: f64 = healthy.layer.iter().map(|layer| layer.share).sum();
    assert!((0.95..=1.05).contains(&total), "healthy.toml: the shares come to {total}, not to 1");
    writeln!(output, "pub(crate) static LAYERS: &[Layer] = &[").unwrap();
    for Layer { id, share, title, why, question, check } in &healthy.layer {
        writeln!(
            output,
            "Layer {{ id: {id:?}, share: {share:?}, title: {title:?}, why: {why:?}, question: {question:?}, check: {check:?} }},"
        )
        .unwrap();
    }
    writeln!(output, "];\npub(crate) static NOT_VISIBLE: &[&str] = &{:?};", healthy.not_visible).unwrap();

    let out = PathBuf::from(env::var("OUT_DIR").unwrap());
    fs::write(out.join("knowledge.rs"), output).unwrap();

    let mut output = String::new();
    let words = words::write(&mut output, &directory);
    fs::write(out.join("words.rs"), output).unwrap();
    let mut output = String::new();
    let causes = causes::write(&mut output, &directory, &words);
    fs::write(out.join("causes.rs"), output).unwrap();
    let mut output = String::new();
    symptoms::write(&mut output, &directory, &causes, &words);
    fs::write(out.join("symptoms.rs"), output).unwrap();
}

/// Every TOML file of a directory, by name.
fn read_all<T: serde::de::DeserializeOwned>(directory: &Path) -> Vec<T> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What the types cannot say.
fn check(entry: &Entry) {
    let id = &entry.id;
    assert!(entry.title.chars().count() <= 72, "{id}: the title is longer than 72 characters");
    assert!(!entry.title.ends_with('.'), "{id}: the title ends with a full stop");
    assert!(!entry.explain.trim().is_empty(), "{id}: nothing to explain");
    assert!(!entry.causes.is_empty(), "{id}: no cause");
    for fix in &entry.fix {
        assert!(!fix.steps.is_empty(), "{id}: the fix {:?} has no steps", fix.title);
        let says_so = |word: &str| fix.steps.iter().any(|step| step.to_lowercase().contains(word));
        match fix.effect {
            Effect::DropsSessions => {
                assert!(says_so("session"), "{id}: {:?} drops sessions and does not say so", fix.title);
            }
            Effect::WeakensSecurity => assert!(
                ["weak", "attack", "expos", "secur", "downgrade", "vulnerab"]
                    .iter()
                    .any(|word| says_so(word)),
                "{id}: {:?} weakens security and does not say so",
                fix.title
            ),
            Effect::Safe | Effect::Destructive | Effect::DiagnosticOnly => {}
        }
    }
}

fn write_entry(output: &mut String, entry: &Entry) {
    let Entry { id, title, explain, causes, client_errors, sources, fix } = entry;
    let explain = explain.trim();
    writeln!(
        output,
        "Entry {{ id: {id:?}, title: {title:?}, explain: {explain:?}, causes: &{causes:?}, sources: &{sources:?}, client_errors: &["
    )
    .unwrap();
    for ClientError { client, code, extended_code, name } in client_errors {
        writeln!(
            output,
            "KnownClientError {{ client: {client:?}, code: {code:?}, extended_code: {extended_code:?}, name: {name:?} }},"
        )
        .unwrap();
    }
    writeln!(output, "], fixes: &[").unwrap();
    for Fix { title, r#where, effect, steps, source } in fix {
        writeln!(
            output,
            "KnownFix {{ title: {title:?}, r#where: Where::{where:?}, effect: Effect::{effect:?}, steps: &{steps:?}, source: {source:?} }},"
        )
        .unwrap();
    }
    writeln!(output, "] }},").unwrap();
}
