//! The file of modules: what may be probed, and how.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rdprobe::Admission;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::allow::{Allowed, Rule};
use crate::args::{Module, toml_value};
use crate::run::Settings;

/// The module of a request that names none.
pub(super) const DEFAULT: &str = "default";

/// The file as it is written.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct File {
    /// What may be probed, beside what `--allow` says: `10.0.0.0/8`, `192.0.2.7:3389`, `rds01.corp.example`.
    #[serde(deserialize_with = "rules")]
    #[schemars(with = "Vec<String>")]
    pub(super) allow: Vec<Rule>,
    /// What a request can name as `module`. One called `default` takes the place of the built-in one.
    pub(super) module: BTreeMap<String, Module>,
}

fn rules<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Rule>, D::Error> {
    toml_value::texts(deserializer, str::parse)
}

/// What a file is read for: all that stays the same over every reload.
#[derive(Debug)]
pub(super) struct Ground {
    /// From the command line.
    pub(super) allow: Vec<Rule>,
    /// Others than this computer can ask.
    pub(super) exposed: bool,
    /// One for all modules, and over every reload: so that connections to one listener are counted together.
    pub(super) admission: Arc<Admission>,
    /// None where names of accounts are not checked.
    #[cfg(feature = "logon")]
    pub(super) credentials: Option<crate::args::Credentials>,
}

/// What is in force.
pub(super) struct Config {
    pub(super) allowed: Allowed,
    modules: BTreeMap<String, Settings>,
}

impl File {
    /// Reads a file; none is an empty one.
    ///
    /// # Errors
    /// What is wrong with it, and in which line.
    pub(super) fn read(path: Option<&Path>) -> Result<Self, String> {
        let Some(path) = path else { return Ok(Self::default()) };
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
    }
}

impl Config {
    /// What a file comes to.
    ///
    /// # Errors
    /// Where a module is wrong, an account is not known, or it would be open to everybody.
    pub(super) fn new(file: File, ground: &Ground) -> Result<Self, String> {
        let mut rules = ground.allow.clone();
        rules.extend(file.allow);
        let allowed = match rules.is_empty() {
            true if ground.exposed => {
                return Err("whoever reaches this listener could have any host probed: say what may be, \
                     --allow CIDR|NAME[:PORT] or allow = […] in the file of --config"
                    .into());
            }
            true => Allowed::Everything,
            false => Allowed::Listed(rules),
        };
        let mut written = file.module;
        written.entry(DEFAULT.into()).or_default();
        let mut modules = BTreeMap::new();
        for (name, module) in written {
            let settings =
                settings(&module, ground, &allowed).map_err(|why| format!("[module.{name}]: {why}"))?;
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
            {
                return Err(format!("{name:?} cannot name a module: it has letters, digits, - and _"));
            }
            modules.insert(name, settings);
        }
        Ok(Self { allowed, modules })
    }

    pub(super) fn module(&self, name: &str) -> Option<&Settings> {
        self.modules.get(name)
    }

    /// The names of all modules.
    pub(super) fn names(&self) -> Vec<&str> {
        self.modules.keys().map(String::as_str).collect()
    }
}

fn settings(module: &Module, ground: &Ground, allowed: &Allowed) -> Result<Settings, String> {
    let settings = Settings::new(&module.typed()?, true)?.sharing(Arc::clone(&ground.admission));
    #[cfg(feature = "logon")]
    if let Some(name) = &module.credentials {
        if *allowed == Allowed::Everything {
            // Else whoever can ask could have the account tried on a host of his own.
            return Err("credentials need an allow list: the hosts that this account may be tried on".into());
        }
        let Some(credentials) = &ground.credentials else { return Ok(settings) };
        let account =
            credentials.get(name).ok_or_else(|| format!("--credentials has no account {name:?}"))?;
        return Ok(settings.with_account(Some(account)));
    }
    let _ = allowed;
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ground(allow: &[&str], exposed: bool) -> Ground {
        Ground {
            allow: allow.iter().map(|rule| rule.parse().unwrap()).collect(),
            exposed,
            admission: Arc::default(),
            #[cfg(feature = "logon")]
            credentials: Some(crate::args::Credentials::default()),
        }
    }

    fn config(text: &str, ground: &Ground) -> Result<Config, String> {
        Config::new(toml::from_str(text).map_err(|error: toml::de::Error| error.to_string())?, ground)
    }

    #[test]
    fn a_listener_that_others_reach_needs_a_list() {
        assert!(config("", &ground(&[], true)).is_err_and(|why| why.contains("--allow")));
        assert!(config("allow = ['10.0.0.0/8']", &ground(&[], true)).is_ok());
        assert!(config("", &ground(&["rds01"], true)).is_ok());
        assert!(config("", &ground(&[], false)).unwrap().allowed == Allowed::Everything);
        let both = config("allow = ['10.0.0.0/8']", &ground(&["rds01"], false)).unwrap();
        assert!(matches!(both.allowed, Allowed::Listed(rules) if rules.len() == 2));
    }

    #[test]
    fn there_is_always_a_default() {
        let ground = ground(&[], false);
        assert_eq!(config("", &ground).unwrap().names(), ["default"]);
        assert_eq!(
            config("[module.strict]\nexpect = ['nla']", &ground).unwrap().names(),
            ["default", "strict"]
        );
    }

    #[test]
    fn what_is_wrong_says_where() {
        let ground = ground(&[], false);
        for (text, words) in [
            ("[module.a]\nclientt = 'x'", ["line 2", "clientt"]),
            ("allow = ['10.0.0.1/8']", ["line 1", "10.0.0.0/8"]),
            ("modules = 1", ["line 1", "modules"]),
            ("[module.a]\nca-file = '/nonexistent/ca.pem'", ["module.a", "ca.pem"]),
            ("[module.'a b']", ["a b", "letters"]),
            ("[module.a]\ntimeout = '5s'\ndeadline = '1s'", ["module.a", "shorter"]),
        ] {
            let error = config(text, &ground).err().unwrap();
            assert!(words.iter().all(|word| error.contains(word)), "{error}");
        }
    }

    #[cfg(feature = "logon")]
    #[test]
    fn an_account_needs_a_list_and_a_name_that_is_known() {
        let module = "[module.logon]\ncredentials = 'monitor'";
        assert!(config(module, &ground(&[], false)).is_err_and(|why| why.contains("allow list")));
        assert!(config(module, &ground(&["rds01"], false)).is_err_and(|why| why.contains("no account")));
        let unchecked = Ground { credentials: None, ..ground(&["rds01"], false) };
        assert!(config(module, &unchecked).is_ok());
    }
}
