//! Reads `knowledge/`, refuses what is inconsistent, and prints it as static tables of the types in
//! `src/knowledge/rows.rs`.

#[path = "build/check.rs"]
mod check;
#[macro_use]
#[path = "build/form.rs"]
mod form;
#[expect(dead_code, reason = "most fields are only printed")]
#[path = "src/knowledge/rows.rs"]
mod rows;

use std::path::{Path, PathBuf};
use std::{env, fs};

use rows::{Cause, Claim, Client, Entry, Layer, Regression, Remedy, Symptom, Tag};
use serde::Deserialize;

/// A file of `knowledge/`, or all of them.
#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Knowledge {
    /// Of the symptoms of this file that name none of their own.
    source: String,
    code: Vec<Entry>,
    not_visible: Vec<String>,
    layer: Vec<Layer>,
    tag: Vec<Tag>,
    cause: Vec<Cause>,
    claim: Vec<Claim>,
    remedy: Vec<Remedy>,
    regression: Vec<Regression>,
    symptom: Vec<Symptom>,
    client: Vec<Client>,
}

fn main() {
    for input in ["knowledge", "build", "src/knowledge/rows.rs"] {
        println!("cargo::rerun-if-changed={input}");
    }
    let mut knowledge = Knowledge::default();
    knowledge.read(&Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap()).join("knowledge"));
    check::check(&knowledge);
    let out = PathBuf::from(env::var("OUT_DIR").unwrap());
    fs::write(out.join("knowledge.rs"), knowledge.tables()).unwrap();
}

impl Knowledge {
    /// Takes in every TOML file of a folder and of those below it, by name.
    fn read(&mut self, folder: &Path) {
        let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                self.read(&path);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                let text = fs::read_to_string(&path).unwrap();
                self.add(toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
            }
        }
    }

    fn add(&mut self, mut file: Self) {
        for symptom in file.symptom.iter_mut().filter(|symptom| symptom.source.is_empty()) {
            symptom.source.clone_from(&file.source);
        }
        self.code.append(&mut file.code);
        self.not_visible.append(&mut file.not_visible);
        self.layer.append(&mut file.layer);
        self.tag.append(&mut file.tag);
        self.cause.append(&mut file.cause);
        self.claim.append(&mut file.claim);
        self.remedy.append(&mut file.remedy);
        self.regression.append(&mut file.regression);
        self.symptom.append(&mut file.symptom);
        self.client.append(&mut file.client);
    }

    /// The tables as Rust.
    fn tables(&self) -> String {
        let Self { code, not_visible, layer, tag, cause, claim, remedy, regression, symptom, client, .. } =
            self;
        format!(
            "pub(crate) static ENTRIES: &[Entry] = &{code:?};\n\
             pub(crate) static NOT_VISIBLE: &[&str] = &{not_visible:?};\n\
             pub(crate) static LAYERS: &[Layer] = &{layer:?};\n\
             pub(crate) static TAGS: &[Tag] = &{tag:?};\n\
             pub(crate) static CAUSES: &[Cause] = &{cause:?};\n\
             pub(crate) static CLAIMS: &[Claim] = &{claim:?};\n\
             pub(crate) static REMEDIES: &[Remedy] = &{remedy:?};\n\
             pub(crate) static REGRESSIONS: &[Regression] = &{regression:?};\n\
             pub(crate) static SYMPTOMS: &[Symptom] = &{symptom:?};\n\
             pub(crate) static CLIENTS: &[Client] = &{client:?};\n"
        )
    }
}
