//! The security protocols of the X.224 negotiation ([MS-RDPBCGR] 2.2.1.1.1, 2.2.1.2.1).

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One security protocol as a server selects it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Protocol(pub u32);

/// A set of security protocols as a client offers them: the bits of `requestedProtocols`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Protocols(pub u32);

impl Protocol {
    /// Standard RDP Security: no bit at all.
    pub const RDP: Self = Self(0);
    /// TLS.
    pub const SSL: Self = Self(1);
    /// CredSSP over TLS.
    pub const HYBRID: Self = Self(2);
    /// RDSTLS, for redirected sessions.
    pub const RDSTLS: Self = Self(4);
    /// CredSSP with the Early User Authorization Result.
    pub const HYBRID_EX: Self = Self(8);
    /// Entra ID authentication.
    pub const RDSAAD: Self = Self(16);

    const NAMED: [(Self, &'static str); 6] = [
        (Self::RDP, "RDP"),
        (Self::SSL, "SSL"),
        (Self::HYBRID, "HYBRID"),
        (Self::HYBRID_EX, "HYBRID_EX"),
        (Self::RDSTLS, "RDSTLS"),
        (Self::RDSAAD, "RDSAAD"),
    ];

    /// True where a TLS handshake follows the Confirm.
    pub fn uses_tls(self) -> bool {
        self != Self::RDP
    }

    /// True for `HYBRID` and `HYBRID_EX`.
    pub fn uses_credssp(self) -> bool {
        self == Self::HYBRID || self == Self::HYBRID_EX
    }
}

impl Protocols {
    /// Only Standard RDP Security.
    pub const RDP: Self = Self(0);
    /// TLS without CredSSP.
    pub const SSL: Self = Self(1);
    /// What mstsc offers and every server in the field takes: `SSL`, `HYBRID`, `HYBRID_EX`.
    pub const DEFAULT: Self = Self(0x0B);

    /// Whether a server may select `protocol` in answer to this offer.
    pub fn contains(self, protocol: Protocol) -> bool {
        self.0 & protocol.0 == protocol.0
    }

    /// The protocols offered; `RDP` alone where no bit is set.
    pub fn iter(self) -> impl Iterator<Item = Protocol> {
        let bits = (0..32).map(|bit| 1u32 << bit).filter(move |bit| self.0 & bit != 0).map(Protocol);
        std::iter::once(Protocol::RDP).filter(move |_| self.0 == 0).chain(bits)
    }
}

impl std::fmt::Display for Protocol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match Self::NAMED.iter().find(|(known, _)| known == self) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "0x{:08X}", self.0),
        }
    }
}

impl std::str::FromStr for Protocol {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::NAMED.iter().find(|(_, name)| *name == text).map(|(protocol, _)| *protocol);
        let hex =
            || text.strip_prefix("0x").and_then(|digits| u32::from_str_radix(digits, 16).ok()).map(Self);
        named.or_else(hex).ok_or_else(|| format!("{text:?} is no RDP security protocol"))
    }
}

impl Serialize for Protocol {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Protocol {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::text::parsed(deserializer)
    }
}

impl Serialize for Protocols {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Protocols {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<Protocol>::deserialize(deserializer)?;
        Ok(Self(names.iter().fold(0, |bits, protocol| bits | protocol.0)))
    }
}

impl JsonSchema for Protocol {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Protocol".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "RDP, SSL, HYBRID, HYBRID_EX, RDSTLS, RDSAAD, or 0x00000040 where the bit has no name"
        })
    }
}

impl JsonSchema for Protocols {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Protocols".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        <Vec<Protocol>>::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_reads_as_names() {
        assert_eq!(serde_json::to_string(&Protocols::DEFAULT).unwrap(), r#"["SSL","HYBRID","HYBRID_EX"]"#);
        assert_eq!(serde_json::to_string(&Protocols::RDP).unwrap(), r#"["RDP"]"#);
        assert_eq!(serde_json::from_str::<Protocols>(r#"["RDP"]"#).unwrap(), Protocols::RDP);
        assert_eq!(serde_json::to_string(&Protocol(0x40)).unwrap(), r#""0x00000040""#);
    }

    #[test]
    fn rdp_security_is_always_within_an_offer() {
        assert!(Protocols::DEFAULT.contains(Protocol::RDP));
        assert!(!Protocols::SSL.contains(Protocol::HYBRID));
    }
}
