//! Values in TOML, read as the command line reads them; what is wrong with one stands beside its line.

use std::fmt::Display;

use serde::Deserialize as _;
use serde::de::{Deserializer, Error as _};

/// A text and what it says.
#[cfg(feature = "serve")]
pub(crate) fn text<'de, D: Deserializer<'de>, T, E: Display>(
    deserializer: D,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).map(Some).map_err(D::Error::custom)
}

/// Several.
pub(crate) fn texts<'de, D: Deserializer<'de>, T, E: Display>(
    deserializer: D,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| parse(text).map_err(D::Error::custom)).collect()
}
