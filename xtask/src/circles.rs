//! No file of a crate imports another in a circle.
//!
//! An import is a path that begins with `crate`, `super`, `self` or a module's own child, tests and re-exports aside;
//! so is the crate's root, which names every module.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

type Module = Vec<String>;
type Graph = BTreeMap<Module, BTreeSet<Module>>;

pub(crate) fn run() -> Result<bool> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut clean = true;
    for entry in fs::read_dir(&crates).context("there is no crates/")? {
        let entry = entry?;
        let mut sources = BTreeMap::new();
        read(&entry.path().join("src"), &mut Vec::new(), &mut sources)?;
        if let Some(circle) = circle(&graph(&sources)) {
            clean = false;
            let circle: Vec<String> = circle.iter().map(|module| module.join("::")).collect();
            eprintln!("{}: a circle: {}", entry.file_name().display(), circle.join(" → "));
        }
    }
    if clean {
        println!("no file imports another in a circle");
    }
    Ok(clean)
}

/// Every file by its module, the root aside.
fn read(folder: &Path, at: &mut Module, sources: &mut BTreeMap<Module, String>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            at.push(name);
            read(&path, at, sources)?;
            at.pop();
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let mut module = at.clone();
            if name != "mod" {
                module.push(name);
            }
            let root = at.is_empty() && matches!(module.last().map(String::as_str), Some("lib" | "main"));
            if !module.is_empty() && !root {
                sources.insert(module, imports_of(&fs::read_to_string(&path)?));
            }
        }
    }
    Ok(())
}

/// The text without comments, re-exports and the tests at its end.
fn imports_of(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    let text = lines.collect::<Vec<_>>().join("\n");
    let mut kept = String::new();
    for statement in text.split_inclusive(';') {
        let words = statement.rsplit_once("pub use ").or_else(|| {
            let (before, rest) = statement.rsplit_once(") use ")?;
            Some((&before[..before.rfind("pub(")?], rest))
        });
        kept.push_str(words.map_or(statement, |(before, _)| before));
    }
    kept
}

fn graph(sources: &BTreeMap<Module, String>) -> Graph {
    let mut graph = Graph::new();
    for (module, text) in sources {
        let imports = graph.entry(module.clone()).or_default();
        for mut path in paths(module, text, sources) {
            while !path.is_empty() && !sources.contains_key(&path) {
                path.pop();
            }
            if !path.is_empty() && path != *module {
                imports.insert(path);
            }
        }
    }
    graph
}

/// Every path within the crate, from its root.
fn paths(module: &Module, text: &str, sources: &BTreeMap<Module, String>) -> Vec<Module> {
    let mut found = Vec::new();
    let word = |c: char| c.is_alphanumeric() || c == '_';
    for (at, _) in text.match_indices("::") {
        let begin = text[..at].rfind(|c| !word(c)).map_or(0, |before| before + 1);
        if text[..begin].ends_with(':') {
            continue;
        }
        let mut rest = &text[begin..];
        let mut base = match &text[begin..at] {
            "crate" => Vec::new(),
            "self" => module.clone(),
            "super" => module[..module.len() - 1].to_vec(),
            child => {
                let mut path = module.clone();
                path.push(child.to_owned());
                if !sources.contains_key(&path) {
                    continue;
                }
                path
            }
        };
        rest = &rest[at - begin..];
        while let Some(further) = rest.strip_prefix("::super") {
            base.pop();
            rest = further;
        }
        leaves(&base, rest, &mut found);
    }
    found
}

/// The ends of what follows a path: `::a::{b, c::d}`.
fn leaves<'a>(base: &Module, mut rest: &'a str, found: &mut Vec<Module>) -> &'a str {
    let mut path = base.clone();
    loop {
        let Some(further) = rest.strip_prefix("::") else {
            found.push(path);
            return rest;
        };
        if let Some(mut inside) = further.strip_prefix('{') {
            loop {
                inside = inside.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
                let end = inside.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(inside.len());
                if end == 0 {
                    return inside.strip_prefix('}').unwrap_or(inside);
                }
                let mut next = path.clone();
                next.push(inside[..end].to_owned());
                inside = leaves(&next, &inside[end..], found);
                // `as name`
                inside = inside.trim_start_matches(|c: char| !matches!(c, ',' | '}'));
            }
        }
        let end = further.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(further.len());
        path.push(further[..end].to_owned());
        rest = &further[end..];
        if end == 0 {
            found.push(path);
            return rest;
        }
    }
}

/// A circle, its first module again at the end.
fn circle(graph: &Graph) -> Option<Vec<&Module>> {
    let mut done = BTreeSet::new();
    graph.keys().find_map(|module| follow(module, graph, &mut Vec::new(), &mut done))
}

fn follow<'a>(
    module: &'a Module,
    graph: &'a Graph,
    way: &mut Vec<&'a Module>,
    done: &mut BTreeSet<&'a Module>,
) -> Option<Vec<&'a Module>> {
    if let Some(begin) = way.iter().position(|earlier| *earlier == module) {
        return Some(way[begin..].iter().copied().chain([module]).collect());
    }
    if done.contains(module) {
        return None;
    }
    way.push(module);
    let found = graph[module].iter().find_map(|import| follow(import, graph, way, done));
    way.pop();
    done.insert(module);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(sources: &[(&str, &str)]) -> Option<String> {
        let module = |name: &str| name.split("::").map(str::to_owned).collect::<Module>();
        let sources = sources.iter().map(|(name, text)| (module(name), imports_of(text))).collect();
        let graph = graph(&sources);
        let found = circle(&graph)?;
        Some(found.iter().map(|module| module.join("::")).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn circles_are_found_however_they_are_written() {
        assert_eq!(of(&[("a", "use crate::b::B;"), ("b", "fn f() { crate::a::f() }")]), Some("a b a".into()));
        assert_eq!(of(&[("a", "mod b; use b::B;"), ("a::b", "use super::C;")]), Some("a a::b a".into()));
        assert_eq!(
            of(&[("a", "use crate::{c::D, b::{self, B}};"), ("b", "use super::a;")]),
            Some("a b a".into())
        );
    }

    #[test]
    fn re_exports_and_tests_are_none() {
        assert_eq!(of(&[("a", "pub(crate) use self::b::B;"), ("a::b", "use super::C;")]), None);
        assert_eq!(
            of(&[("a", "use crate::b;"), ("b", "x\n#[cfg(test)]\nmod tests { use crate::a; }")]),
            None
        );
    }
}
