//! What is weak about a TLS suite or key exchange.

use crate::name::open_words;

open_words! {
    /// What is weak about a suite as it was negotiated.
    pub enum Weakness {
        /// RC4 is broken (RFC 7465).
        Rc4 = "rc4",
        /// Nobody is authenticated.
        Anonymous = "anonymous",
        /// Nothing is encrypted.
        Null = "null",
        /// Keys made short on purpose, for export.
        Export = "export",
        /// DES: keys of 56 bits.
        Des = "des",
        /// Blocks of 64 bits, 3DES above all (Sweet32, CVE-2016-2183).
        Sweet32 = "sweet32",
        /// A key exchange with the certificate's own key: whoever gets that reads what was recorded before.
        NoForwardSecrecy = "no-forward-secrecy",
        /// CBC under TLS 1.0 or SSL 3.0, with predictable initialisation vectors (BEAST).
        CbcTls10 = "cbc-tls10",
        /// A finite-field group of less than 2048 bits (Logjam; RFC 9325 4.1).
        SmallDh = "small-dh",
    }
}

impl Weakness {
    /// In a few words, for the reader.
    pub fn words(&self) -> &str {
        match self {
            Self::Rc4 => "RC4 is broken (RFC 7465)",
            Self::Anonymous => "nobody is authenticated",
            Self::Null => "nothing is encrypted",
            Self::Export => "its keys were made short on purpose",
            Self::Des => "DES has keys of 56 bits",
            Self::Sweet32 => "its blocks have 64 bits (Sweet32)",
            Self::NoForwardSecrecy => "no forward secrecy",
            Self::CbcTls10 => "CBC under TLS 1.0 (BEAST)",
            Self::SmallDh => "a Diffie-Hellman group below 2048 bits",
            Self::Other(name) => name.as_str(),
        }
    }
}
