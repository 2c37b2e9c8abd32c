//! Accounts by name, from a file that nobody else may read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use clap::ValueEnum as _;
use rdprobe::{Account, Kdc, Package};
use serde::Deserialize;
use zeroize::{Zeroize as _, Zeroizing};

use super::logon::{Auth, user};
use super::toml_value;

/// The accounts that modules may name. Each is shared by all probes, so that its first refusal ends it for all of them.
#[derive(Debug, Default)]
pub(crate) struct Credentials(BTreeMap<String, Arc<Account>>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Entry {
    user: String,
    password: Secret,
    domain: Option<String>,
    #[serde(default, deserialize_with = "auth")]
    auth: Option<Auth>,
    kdc: Option<String>,
    /// Go on to delegate the password, to learn whether the account may log on through Remote Desktop.
    #[serde(default)]
    authorization: bool,
}

/// A text that is wiped.
#[derive(Deserialize)]
#[serde(transparent)]
struct Secret(String);

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

fn auth<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Auth>, D::Error> {
    toml_value::text(deserializer, |name| {
        Auth::from_str(name, false).map_err(|_| "auth is ntlm, kerberos or negotiate")
    })
}

impl Credentials {
    /// Reads a file: a table for each name, with `user` and `password`.
    ///
    /// # Errors
    /// Where it cannot be read, others may read it, or an entry is wrong; never with a word of what stands in it.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let cannot = |why: &dyn std::fmt::Display| format!("--credentials {}: {why}", path.display());
        let mut file = File::open(path).map_err(|error| cannot(&error))?;
        private(&file, path).map_err(|why| cannot(&why))?;
        let mut text = Zeroizing::new(String::new());
        file.read_to_string(&mut text).map_err(|error| cannot(&error))?;
        Self::parse(&text).map_err(|why| cannot(&why))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let entries: BTreeMap<String, Entry> = toml::from_str(text).map_err(|error| {
            // The line itself may hold a password, and so may what is said of a value.
            let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            let is_of_a_value = error.message().starts_with("invalid");
            let what = if is_of_a_value { "a value of another kind is wanted here" } else { error.message() };
            format!("line {line}: {what}")
        })?;
        let account = |(name, entry): (String, Entry)| {
            let account = entry.account().map_err(|why| format!("[{name}]: {why}"))?;
            Ok((name, Arc::new(account)))
        };
        Ok(Self(entries.into_iter().map(account).collect::<Result<_, String>>()?))
    }

    /// The account of this name.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<Account>> {
        self.0.get(name).cloned()
    }

    /// Each name, and whether its account is no longer used.
    pub(crate) fn standings(&self) -> impl Iterator<Item = (&str, bool)> {
        self.0.iter().map(|(name, account)| (name.as_str(), account.is_stopped()))
    }
}

impl Entry {
    fn account(&self) -> Result<Account, String> {
        let name = user(&self.user)?;
        if self.password.0.is_empty() {
            // An attempt with it would only count against the account.
            return Err("the password is empty".into());
        }
        let kdc = self.kdc.as_deref().map(str::parse::<Kdc>).transpose();
        let kdc = kdc.map_err(|error| format!("kdc: {error}"))?;
        let mut account = Account::new(&name, Zeroizing::new(self.password.0.clone()))
            .package(self.auth.map_or(Package::Negotiate, Into::into))
            .kdc(kdc)
            .authorization(self.authorization);
        if let Some(domain) = &self.domain {
            account = account.domain(domain);
        }
        Ok(account)
    }
}

/// Whether nobody but its owner may read an open file.
#[cfg(unix)]
fn private(file: &File, path: &Path) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt as _;

    let mode = file.metadata().map_err(|error| error.to_string())?.mode() & 0o777;
    // systemd hands a credential over by an access list, which shows as a right of the group.
    let from_systemd = || {
        let folder = std::env::var_os("CREDENTIALS_DIRECTORY")?;
        Some(mode == 0o440 && path.parent()? == Path::new(&folder))
    };
    match mode & 0o077 == 0 || from_systemd() == Some(true) {
        true => Ok(()),
        false => Err(format!("others may read it (mode {mode:04o}): chmod 600")),
    }
}

#[cfg(not(unix))]
fn private(_: &File, _: &Path) -> Result<(), String> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_accounts_by_name() {
        let read =
            Credentials::parse("[monitor]\nuser = 'CORP\\probe'\npassword = 'pw'\nauth = 'ntlm'").unwrap();
        assert_eq!(read.get("monitor").unwrap().name(), "CORP\\probe");
        assert!(read.get("other").is_none());
        assert_eq!(read.standings().collect::<Vec<_>>(), [("monitor", false)]);
    }

    #[test]
    fn an_error_tells_the_line_and_nothing_of_what_stands_there() {
        for (text, word) in [
            ("[a]\nuser = 'u'\npassword = s3cret", "line 3"),
            ("[a]\nuser = 'u'\npassword = 's3cret'\nextra = 's3cret'", "line 4"),
            ("[a]\nuser = 'u'\npassword = ['s3cret']", "line 3"),
            ("[a]\nuser = 'u'\npassword = 'p'\nauthorization = 's3cret'", "line 4"),
            ("[a]\nuser = 'u:s'\npassword = 's3cret'", "[a]"),
            ("[a]\nuser = 'u'\npassword = ''", "empty"),
        ] {
            let error = Credentials::parse(text).unwrap_err();
            assert!(error.contains(word) && !error.contains("s3cret"), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;

        let path = std::env::temp_dir().join(format!("rdprobe-credentials-{}", std::process::id()));
        std::fs::write(&path, "[a]\nuser = 'u'\npassword = 'p'").unwrap();
        for (mode, taken) in [(0o600, true), (0o400, true), (0o640, false), (0o644, false), (0o604, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(Credentials::read(&path).is_ok(), taken, "{mode:o}");
        }
        std::fs::remove_file(&path).unwrap();
    }
}
