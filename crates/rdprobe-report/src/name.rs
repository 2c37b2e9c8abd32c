//! Words that a later version may add to: kept as they came where this version does not know them.

use std::fmt;

/// The most bytes that an unknown word may have; the words of the format are far shorter.
const MOST: usize = 30;

/// An identifier that this version does not know, kept as it came: at most 30 bytes of UTF-8.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    // Unused bytes are zero, so that equal names are equal bytes.
    bytes: [u8; MOST],
    length: u8,
}

impl Name {
    /// The word, unless it is longer than any identifier of the format could be.
    pub fn new(word: &str) -> Option<Self> {
        let mut bytes = [0; MOST];
        bytes.get_mut(..word.len())?.copy_from_slice(word.as_bytes());
        Some(Self { bytes, length: u8::try_from(word.len()).ok()? })
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        let word = self.bytes.get(..usize::from(self.length)).unwrap_or_default();
        std::str::from_utf8(word).unwrap_or_default()
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// Declares an enum that is a word in the report, to which later versions may add: what is unknown is kept in
/// `Other`, never judged and written out as it came.
macro_rules! open_words {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant,)*
            /// A word of a later version.
            Other($crate::name::Name),
        }

        impl $name {
            /// The word in a report.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(name) => name.as_str(),
                }
            }

            /// Whether this version knows the word.
            pub fn is_known(&self) -> bool {
                !matches!(self, Self::Other(_))
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(word: &str) -> Result<Self, String> {
                match word {
                    $($word => Ok(Self::$variant),)*
                    _ => $crate::name::Name::new(word).map(Self::Other).ok_or_else(|| {
                        format!("a {} of {} bytes is no word of a report", stringify!($name), word.len())
                    }),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::text::parsed(deserializer)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "description": "Later versions may add words to these.",
                    "anyOf": [ { "type": "string", "enum": [$($word),*] }, { "type": "string" } ]
                })
            }
        }
    };
}

pub(crate) use open_words;

#[cfg(test)]
mod tests {
    use crate::{FailureKind, Phase, Purpose};

    #[test]
    fn an_unknown_word_survives_a_round_trip() {
        for word in ["\"quantum-tunnel\"", "\"\"", "\"größer\""] {
            let phase: Phase = serde_json::from_str(word).unwrap();
            assert!(!phase.is_known());
            assert_eq!(serde_json::to_string(&phase).unwrap(), word);
        }
        assert_eq!("nla-question".parse(), Ok(Purpose::NlaQuestion));
        assert_eq!("timeout".parse(), Ok(FailureKind::Timeout));
    }

    #[test]
    fn a_word_that_is_none_is_refused() {
        assert!("x".repeat(31).parse::<Phase>().is_err());
    }
}
