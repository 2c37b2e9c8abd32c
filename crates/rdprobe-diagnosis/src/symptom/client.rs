//! Which client is meant, and who stands for one that is not known by itself.

use rdprobe_report::{HelloProfile, JudgedAs, Kinship, Told};

use super::words::normal;
use super::{Features, TagKind, tag};
use crate::knowledge::Client;
use crate::knowledge::tables::CLIENTS;

/// Clients and libraries that are suggested for a name that is unknown.
const SUGGESTED: usize = 3;

/// Every client.
pub fn all() -> &'static [Client] {
    CLIENTS
}

/// The client with an id.
pub fn with_id(id: &str) -> Option<&'static Client> {
    CLIENTS.iter().find(|client| client.id == id)
}

/// The client that words name anywhere, by the longest of its names and the version behind it.
pub fn named(words: &str) -> Option<&'static Client> {
    let words = normal(words);
    let mut found: Vec<(usize, usize)> = Vec::new();
    for name in CLIENTS.iter().flat_map(|client| client.names) {
        let name = normal(name);
        if let Some(at) = words.find(&name) {
            found.push((name.len(), at));
        }
    }
    let (length, at) = found.into_iter().max_by_key(|(length, at)| (*length, std::cmp::Reverse(*at)))?;
    let name = &words[at..at + length];
    of_version(name, &version(&words[at + length..]))
}

/// The client of which words are an id, or a name with no more than a version behind it.
pub fn named_alone(words: &str) -> Option<&'static Client> {
    let alone = normal(words);
    if let Some(client) = CLIENTS.iter().find(|client| normal(client.id) == alone) {
        return Some(client);
    }
    let names = CLIENTS.iter().flat_map(|client| client.names);
    let name = names.map(|name| normal(name)).filter(|name| alone.starts_with(name.as_str()));
    let name = name.max_by_key(String::len)?;
    let behind = &alone[name.len()..];
    behind.split_whitespace().all(is_of_version).then(|| of_version(&name, &version(behind)))?
}

/// The client that stands for what words name by a tag alone: Guacamole for a product that is known to embed it.
pub fn relative(words: &str) -> Option<&'static Client> {
    let told = Told { client: Some(words.into()), ..Told::default() };
    let mut kind = Features::of(&told).client();
    while let Some(tag) = kind {
        let stands = CLIENTS.iter().find(|client| client.stands_for.contains(&tag.id));
        if stands.is_some() {
            return stands;
        }
        let of_clients = |id: &&str| super::tag(id).filter(|tag| tag.kind == TagKind::Client);
        kind = tag.implies.iter().find_map(of_clients);
    }
    None
}

/// The same for words that are a name of its own tag with no more than a version behind it. What stands for a kind of
/// clients alone, as for those in the browser, says too little.
pub fn relative_alone(words: &str) -> Option<&'static Client> {
    let alone = normal(words);
    let relative = relative(words)?;
    let names = super::tag(relative.tag)?.words.iter().map(|name| normal(name));
    let mut behind = names.filter_map(|name| alone.strip_prefix(&name).map(str::to_owned));
    behind.any(|behind| behind.split_whitespace().all(is_of_version)).then_some(relative)
}

/// Those whose names are spelt alike, the nearest first.
pub fn alike(words: &str) -> Vec<&'static Client> {
    let words = normal(words);
    let words = words.trim();
    let most = (words.len() / 6).max(1);
    let far = |client: &&'static Client| {
        client.names.iter().map(|name| strsim::osa_distance(name, words)).min().unwrap_or(usize::MAX)
    };
    let mut near: Vec<_> = CLIENTS.iter().map(|client| (far(&client), client)).collect();
    near.retain(|(far, _)| *far <= most && words.len() > 3);
    near.sort_by_key(|(far, _)| *far);
    near.into_iter().take(SUGGESTED).map(|(_, client)| client).collect()
}

/// Whose verdict a client in the user's words gets; none for the id of a profile, which is its own, and for words that
/// name no client.
pub fn judged_as(words: &str) -> Option<JudgedAs> {
    if HelloProfile::client(words).is_some() {
        return None;
    }
    let by_itself = named(words);
    let client = by_itself.or_else(|| relative(words))?;
    let profile = HelloProfile::client(client.profile()?)?;
    let kinship = if by_itself.is_some() { client.kinship() } else { Kinship::Nearest };
    Some(JudgedAs {
        client: client.id.into(),
        title: client.title.into(),
        known: by_itself.is_some(),
        profile: profile.id.clone(),
        kinship,
    })
}

impl Client {
    /// The hello profile that stands for it: its own, that of what it embeds, or the nearest.
    pub fn profile(&self) -> Option<&'static str> {
        let own = self.profile.or_else(|| self.embedded_profile());
        own.or(self.nearest).or_else(|| of_tag(self.tag))
    }

    /// How that profile came to stand for it.
    pub fn kinship(&self) -> Kinship {
        match (self.profile, self.embedded_profile()) {
            (Some(_), _) => Kinship::Itself,
            (None, Some(_)) => Kinship::Embedded,
            (None, None) => Kinship::Nearest,
        }
    }

    /// The profile of what it embeds.
    fn embedded_profile(&self) -> Option<&'static str> {
        let mut embedded = self.embeds.iter().filter_map(|id| with_id(id));
        embedded.find_map(|client| client.profile.or_else(|| client.embedded_profile()))
    }

    /// The products that embed it.
    pub fn embedded_by(&self) -> impl Iterator<Item = &'static Client> {
        CLIENTS.iter().filter(|client| client.embeds.contains(&self.id))
    }
}

/// The profile of a tag, or of the first that it implies.
fn of_tag(id: &str) -> Option<&'static str> {
    let tag = tag(id)?;
    tag.profile.or_else(|| tag.implies.iter().find_map(|id| of_tag(id)))
}

/// Of those that share a name the one of this version, the first where none is told.
fn of_version(name: &str, version: &[u32]) -> Option<&'static Client> {
    let mut sharing = CLIENTS.iter().filter(|client| client.names.iter().any(|own| normal(own) == name));
    let within = |client: &&'static Client| {
        let since = client.since.is_none_or(|since| numbers(since).as_slice() <= version);
        since && client.below.is_none_or(|below| version < numbers(below).as_slice())
    };
    let first = sharing.clone().next();
    if version.is_empty() { first } else { sharing.find(within).or(first) }
}

fn numbers(version: &str) -> Vec<u32> {
    version.split('.').filter_map(|part| part.parse().ok()).collect()
}

/// The numbers that words begin with: ` v1 77 3 on ` is 1.77.3.
fn version(behind: &str) -> Vec<u32> {
    let words = behind.split_whitespace().skip_while(|word| *word == "version");
    words.map_while(|word| word.strip_prefix('v').unwrap_or(word).parse().ok()).collect()
}

fn is_of_version(word: &str) -> bool {
    word == "version" || word.strip_prefix('v').unwrap_or(word).bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(words: &str) -> Option<&'static str> {
        named(words).map(|client| client.id)
    }

    #[test]
    fn a_client_is_known_by_name_and_version() {
        for (words, expected) in [
            ("guacd", "guacd"),
            ("Apache Guacamole 1.5.5 behind nginx", "guacd"),
            ("FreeRDP", "freerdp-3"),
            ("xfreerdp 2.11.7", "freerdp-2"),
            ("FreeRDP 3.5.1 on Ubuntu 24.04", "freerdp-3"),
            ("xfreerdp3 v3.30.0", "freerdp-3-27"),
            ("mstsc", "mstsc-win11"),
            ("mstsc on Windows 10", "mstsc-win8-to-win10"),
            ("Remote Desktop Connection", "mstsc-win11"),
            ("Devolutions Remote Desktop Manager 2025", "devolutions-rdm"),
            ("Microsoft Remote Desktop for Android 8.1.70", "ms-rd-android-8"),
        ] {
            assert_eq!(id(words), Some(expected), "{words}");
        }
        assert_eq!(id("Kasm"), None);
    }

    #[test]
    fn a_name_alone_has_no_more_than_a_version_behind_it() {
        let alone = |words| named_alone(words).map(|client| client.id);
        assert_eq!(alone("Remmina"), Some("remmina"));
        assert_eq!(alone("FreeRDP 2.11"), Some("freerdp-2"));
        assert_eq!(alone("freerdp-3-27"), Some("freerdp-3-27"));
        assert_eq!(alone("remmina cannot connect"), None);
        assert_eq!(alone(""), None);
        assert_eq!(relative_alone("Royal TS 7").map(|client| client.id), Some("mstscax"));
        assert_eq!(relative_alone("browser").map(|client| client.id), None);
        assert_eq!(relative_alone("Royal TS shows nothing").map(|client| client.id), None);
    }

    #[test]
    fn what_is_not_known_by_itself_has_a_relative() {
        for (words, client, profile, kinship) in [
            ("Remmina 1.4.35", "remmina", "freerdp-3", Kinship::Embedded),
            ("guacd", "guacd", "freerdp-2", Kinship::Embedded),
            ("JumpServer", "jumpserver-lion", "freerdp-2", Kinship::Embedded),
            ("mRemoteNG 1.76", "mremoteng", "mstsc-win11-24h2", Kinship::Nearest),
            ("xfreerdp 2.11", "freerdp-2", "freerdp-2", Kinship::Itself),
            ("FreeRDP 3.30", "freerdp-3-27", "freerdp-3-seclevel-2", Kinship::Nearest),
            ("Kasm Workspaces", "guacd", "freerdp-2", Kinship::Nearest),
            ("Royal TS 7", "mstscax", "mstsc-win11-24h2", Kinship::Nearest),
            ("rdesktop 1.9", "rdesktop", "openssl-3", Kinship::Nearest),
        ] {
            let found = judged_as(words).unwrap_or_else(|| panic!("{words}"));
            assert_eq!(
                (&*found.client, &*found.profile, found.kinship),
                (client, profile, kinship),
                "{words}"
            );
        }
        assert_eq!(judged_as("mstsc-win7"), None);
        assert_eq!(judged_as("frobnicate"), None);
    }

    #[test]
    fn every_client_has_a_profile_and_leads_to_itself() {
        for client in CLIENTS {
            assert!(client.profile().is_some_and(|id| HelloProfile::client(id).is_some()), "{}", client.id);
            // Below the first version of another row there is version 1.
            let version = client.since.or(client.below.map(|_| "1")).unwrap_or_default();
            let name = format!("{} {version}", client.names.first().unwrap());
            assert_eq!(named(&name).map(|found| found.id), Some(client.id), "{name}");
        }
    }

    #[test]
    fn a_slip_of_the_pen_is_forgiven() {
        assert_eq!(alike("remina").first().map(|client| client.id), Some("remmina"));
        assert!(alike("Jump Desktop").is_empty());
        assert!(alike("zzzzzzzz").is_empty());
    }
}
