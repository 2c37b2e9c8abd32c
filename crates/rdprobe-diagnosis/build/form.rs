//! What the rows of the knowledge are made of while it is read: owned, and printed by `{:?}` as the Rust that the library
//! includes. `src/knowledge/form.rs` has the same names for what that Rust means.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Deserializer, de};

pub(crate) type Text = String;

/// Several, printed as a slice.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct List<T>(pub(crate) Vec<T>);

/// A word of a fixed vocabulary, printed with its type's name.
#[derive(Deserialize, PartialEq)]
#[serde(transparent)]
pub(crate) struct One<T>(pub(crate) T);

/// `tls-fails`, or `finding:CODE`.
pub(crate) enum Sign {
    Finding(String),
    Other(String),
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Deref for List<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: fmt::Debug> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "&{:?}", self.0)
    }
}

impl<T: fmt::Debug> fmt::Debug for One<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = std::any::type_name::<T>().rsplit("::").next().unwrap_or_default();
        write!(f, "{name}::{:?}", self.0)
    }
}

impl fmt::Debug for Sign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finding(code) => write!(f, "Sign::Finding({code:?})"),
            Self::Other(name) => write!(f, "Sign::{name}"),
        }
    }
}

/// Signs that hold together, joined by ` + `; a name that is no sign does not compile.
impl<'de> Deserialize<'de> for List<Sign> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let sign = |sign: &str| match sign.trim().strip_prefix("finding:") {
            Some("") => Err(de::Error::custom("finding: names no code")),
            Some(code) => Ok(Sign::Finding(code.into())),
            None => Ok(Sign::Other(camel(sign.trim()))),
        };
        text.split(" + ").map(sign).collect::<Result<_, _>>().map(Self)
    }
}

fn camel(kebab: &str) -> String {
    let capital = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    kebab.split('-').filter(|word| !word.is_empty()).map(capital).collect()
}

/// Rows of tables. What stands behind a field in brackets is how it is read.
macro_rules! rows {
    ($($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$doc:meta])* pub $field:ident: $type:ty $(= ($($read:tt)*))?,)*
    })*) => {
        $($(#[$meta])*
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name { $($(#[$doc])* $(#[serde($($read)*)])? pub(crate) $field: $type,)* })*
    };
}

/// Fixed vocabularies.
macro_rules! words {
    ($($(#[$meta:meta])* pub enum $name:ident { $($(#[$doc:meta])* $variant:ident,)* })*) => {
        $($(#[$meta])*
        #[derive(Debug, PartialEq, serde::Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub(crate) enum $name { $($(#[$doc])* $variant,)* })*
    };
}
