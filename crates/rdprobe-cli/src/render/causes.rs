//! `docs/causes.md`: every cause, claim and remedy, and every symptom by its kind.

use std::collections::BTreeMap;

use rdprobe_diagnosis::causes::{self, Cause};
use rdprobe_diagnosis::symptom::symptoms;

use super::fix::effect_name;

pub(crate) fn page() -> String {
    let mut text = String::from(
        "# Causes\n\n\
         Generated from `knowledge/causes/*.toml`, `claims.toml`, `remedies.toml` and `symptoms/*.toml`;\n\
         `cargo xtask docs` writes it anew.\n\n\
         A cause is *confirmed* by what proves it on the wire, *ruled out* by what excludes it, *possible* where nothing\n\
         does, and *not observable* where it leaves no trace that a probe could see; the last column says what shows it.\n",
    );
    let mut layers: BTreeMap<&str, Vec<&Cause>> = BTreeMap::new();
    for cause in causes::all() {
        layers.entry(cause.layer).or_default().push(cause);
    }
    for (layer, causes) in layers {
        text.push_str(&format!(
            "\n## {layer}\n\n| id | cause | can be | what shows it |\n|---|---|---|---|\n"
        ));
        for cause in causes {
            text.push_str(&format!(
                "| `{}` | {} | {} | {} |\n",
                cause.id,
                cell(cause.title),
                statuses(cause),
                cell(cause.shows)
            ));
        }
    }
    text.push_str("\n## What is said in public\n\n| id | claim | judgement | why |\n|---|---|---|---|\n");
    for claim in causes::claims() {
        text.push_str(&format!(
            "| `{}` | {} | {} | {} |\n",
            claim.id,
            cell(claim.text),
            claim.judgement,
            cell(claim.why)
        ));
    }
    text.push_str("\n## What is recommended in public\n\n| id | remedy | effect | when | why |\n|---|---|---|---|---|\n");
    for remedy in causes::remedies() {
        text.push_str(&format!(
            "| `{}` | {} | {} | {} | {} |\n",
            remedy.id,
            cell(remedy.title),
            effect_name(remedy.effect),
            cell(remedy.when),
            cell(remedy.why)
        ));
    }
    text.push_str("\n## Symptoms\n\n| kind | known |\n|---|---|\n");
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for symptom in symptoms() {
        *kinds.entry(symptom.kind.title()).or_default() += 1;
    }
    for (kind, count) in kinds {
        text.push_str(&format!("| {kind} | {count} |\n"));
    }
    text
}

/// What its judge can say of it.
fn statuses(cause: &Cause) -> String {
    let mut said = Vec::new();
    if !cause.judge.confirmed_by.is_empty() {
        said.push("confirmed");
    }
    said.push("ruled out");
    if cause.judge.hidden.is_none() || !cause.judge.hinted_by.is_empty() || !cause.judge.fits_with.is_empty()
    {
        said.push("possible");
    }
    if cause.judge.hidden.is_some() {
        said.push("not observable");
    }
    said.join(", ")
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
