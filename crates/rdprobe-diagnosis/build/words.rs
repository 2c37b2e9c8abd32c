//! `knowledge/words.toml`: what words say of client, server, surroundings, stage and change.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;

use crate::read;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WordFile {
    tag: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tag {
    id: String,
    kind: Kind,
    #[serde(default)]
    title: String,
    /// Tags that it implies: what embeds mstsc's control is of mstsc's kind.
    #[serde(default)]
    implies: Vec<String>,
    words: Vec<String>,
    /// Hello profile that stands for a client.
    #[serde(default)]
    profile: Option<String>,
    #[serde(default)]
    source: String,
}

#[derive(Deserialize, Debug, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Client,
    Server,
    Environment,
    Stage,
    Since,
    Others,
    Sees,
}

/// The tags there are.
pub(crate) struct Words {
    known: BTreeSet<String>,
    servers: BTreeSet<String>,
}

impl Words {
    pub(crate) fn knows(&self, tag: &str) -> bool {
        self.known.contains(tag)
    }

    pub(crate) fn is_server(&self, tag: &str) -> bool {
        self.servers.contains(tag)
    }
}

pub(crate) fn write(output: &mut String, knowledge: &Path) -> Words {
    let file: WordFile = read(&knowledge.join("words.toml"));
    let known: BTreeSet<String> = file.tag.iter().map(|tag| tag.id.clone()).collect();
    assert_eq!(known.len(), file.tag.len(), "words.toml: a tag stands twice");
    let servers = file.tag.iter().filter(|tag| tag.kind == Kind::Server).map(|tag| tag.id.clone()).collect();
    writeln!(output, "pub(crate) static TAGS: &[Tag] = &[").unwrap();
    for Tag { id, kind, title, implies, words, profile, source } in &file.tag {
        for implied in implies {
            assert!(known.contains(implied), "words.toml: {id} implies {implied}, which is no tag");
        }
        for word in words {
            assert_eq!(*word, word.to_lowercase(), "words.toml: {id}: {word:?} is not in lower case");
        }
        assert!(
            *kind != Kind::Client || profile.is_some() || !implies.is_empty(),
            "words.toml: {id} has no profile"
        );
        writeln!(
            output,
            "Tag {{ id: {id:?}, kind: TagKind::{kind:?}, title: {title:?}, implies: &{implies:?}, words: &{words:?}, profile: {profile:?}, source: {source:?} }},"
        )
        .unwrap();
    }
    writeln!(output, "];").unwrap();
    Words { known, servers }
}
