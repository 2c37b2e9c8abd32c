//! Versions of clients, as people write them behind a name.

use super::tags;

/// Whether a client is named with a version below which the knowledge calls it old.
pub(super) fn is_old(client: &str) -> bool {
    tags().iter().filter_map(|tag| Some((tag, parse(tag.old_below?)?))).any(|(tag, below)| {
        tag.words.iter().filter_map(|words| behind(client, words)).any(|version| version < below)
    })
}

/// The version that stands behind a name: `mRemoteNG 1.76.20`, `xfreerdp3 3.1`, `Remmina v1.4`.
fn behind(client: &str, name: &str) -> Option<Vec<u32>> {
    let client = client.to_lowercase();
    let at = client.find(name)? + name.len();
    let rest = &client[at..];
    let rest = rest
        .strip_prefix([' ', '-', '/'])
        .unwrap_or(rest)
        .trim_start_matches("version ")
        .trim_start_matches('v');
    parse(rest.split([' ', ',', ';', ')']).next()?)
}

fn parse(version: &str) -> Option<Vec<u32>> {
    let parts: Option<Vec<u32>> =
        version.trim_end_matches('.').split('.').map(|part| part.parse().ok()).collect();
    parts.filter(|parts| parts.len() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_behind_the_name() {
        assert_eq!(behind("mRemoteNG 1.76.20 on Windows 11", "mremoteng"), Some(vec![1, 76, 20]));
        assert_eq!(behind("Remmina v1.4.2", "remmina"), Some(vec![1, 4, 2]));
        assert_eq!(behind("xfreerdp on Ubuntu 22.04", "xfreerdp"), None);
        assert_eq!(behind("FreeRDP 3", "freerdp"), None);
    }

    #[test]
    fn old_is_what_the_knowledge_says() {
        assert!(is_old("mRemoteNG 1.75.7012"));
        assert!(!is_old("mRemoteNG 1.78.2"));
        assert!(!is_old("mstsc"));
    }
}
