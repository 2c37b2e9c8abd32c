//! Tags: what words say of client, server, surroundings, stage and change.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use crate::knowledge::Tag;
use crate::knowledge::tables::TAGS;

/// Every tag.
pub fn tags() -> &'static [Tag] {
    TAGS
}

/// The tag with an id.
pub fn tag(id: &str) -> Option<&'static Tag> {
    TAGS.iter().find(|tag| tag.id == id)
}

/// Words in lower case, one blank between them and around all.
pub(super) fn normal(text: &str) -> String {
    let mut normal = String::with_capacity(text.len() + 2);
    normal.push(' ');
    for character in text.chars() {
        // Apostrophes join what typographers separate.
        if matches!(character, '\'' | '’') {
            continue;
        }
        if character.is_alphanumeric() || character == '_' {
            normal.extend(character.to_lowercase());
        } else if !normal.ends_with(' ') {
            normal.push(' ');
        }
    }
    if !normal.ends_with(' ') {
        normal.push(' ');
    }
    normal
}

/// The tags that a text speaks of, with those that they imply. A longer sequence of words takes its words away from
/// shorter ones: "Azure AD joined" says nothing of a virtual machine in Azure.
pub fn tags_in(text: &str) -> BTreeSet<&'static str> {
    if text.trim().is_empty() {
        return BTreeSet::new();
    }
    let mut rest = normal(text);
    let mut found = BTreeSet::new();
    for (pattern, tag) in patterns() {
        let mut hit = false;
        while let Some(at) = rest.find(pattern.as_str()) {
            hit = true;
            // The blanks around it stay, for the words beside it.
            rest.replace_range(at + 1..at + pattern.len() - 1, "\u{1}");
        }
        if hit {
            with_implied(tag, &mut found);
        }
    }
    found
}

/// A tag and all that it implies.
pub(super) fn with_implied(id: &'static str, into: &mut BTreeSet<&'static str>) {
    if !into.insert(id) {
        return;
    }
    for implied in tag(id).map_or(&[][..], |tag| tag.implies) {
        with_implied(implied, into);
    }
}

/// Every pattern with blanks around it, the longest first.
fn patterns() -> &'static [(String, &'static str)] {
    static PATTERNS: OnceLock<Vec<(String, &'static str)>> = OnceLock::new();
    PATTERNS.get_or_init(|| {
        let mut all: Vec<(String, &'static str)> =
            TAGS.iter().flat_map(|tag| tag.words.iter().map(|words| (normal(words), tag.id))).collect();
        all.sort_by_key(|(pattern, _)| std::cmp::Reverse(pattern.len()));
        all
    })
}
