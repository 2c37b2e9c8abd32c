//! What a cipher suite is made of, as the columns of the registry have it.

/// One row of the registry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Suite {
    pub(super) code: u16,
    pub(super) iana: &'static str,
    pub(super) key_exchange: KeyExchange,
    pub(super) authentication: Authentication,
    pub(super) cipher: Cipher,
    pub(super) mac: Mac,
    /// Empty where OpenSSL never had it.
    pub(super) openssl: &'static str,
}

/// How the keys are agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyExchange {
    /// None, in the signalling values and `TLS_NULL_WITH_NULL_NULL`.
    Null,
    /// Encrypted with the certificate's RSA key.
    Rsa,
    /// Finite-field Diffie-Hellman with the certificate's key.
    Dh,
    /// Ephemeral finite-field Diffie-Hellman, the anonymous one too.
    Dhe,
    /// Elliptic-curve Diffie-Hellman with the certificate's key.
    Ecdh,
    /// Ephemeral elliptic-curve Diffie-Hellman, the anonymous one too.
    Ecdhe,
    /// A pre-shared key alone.
    Psk,
    /// Kerberos.
    Krb5,
    /// The Secure Remote Password protocol.
    Srp,
    /// GOST.
    Gost,
    /// TLS 1.3, where a group of its own says it.
    Tls13,
    /// Another one.
    Other,
}

/// How the server proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Authentication {
    /// A certificate with an RSA key.
    Rsa,
    /// A certificate with a DSS key.
    Dss,
    /// A certificate with an elliptic-curve key.
    Ecdsa,
    /// Not at all.
    Anonymous,
    /// A pre-shared key.
    Psk,
    /// Kerberos.
    Krb5,
    /// A password.
    Password,
    /// A GOST certificate.
    Gost,
    /// TLS 1.3: any certificate.
    Certificate,
    /// Another way.
    Other,
}

/// The bulk cipher with its mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each is the registered name")]
pub enum Cipher {
    Null,
    Rc4,
    Rc2Cbc,
    DesCbc,
    TripleDesCbc,
    IdeaCbc,
    SeedCbc,
    Aes128Cbc,
    Aes256Cbc,
    Aes128Gcm,
    Aes256Gcm,
    Aes128Ccm,
    Aes256Ccm,
    Aes128Ccm8,
    Aes256Ccm8,
    Camellia128Cbc,
    Camellia256Cbc,
    Camellia128Gcm,
    Camellia256Gcm,
    Aria128Cbc,
    Aria256Cbc,
    Aria128Gcm,
    Aria256Gcm,
    ChaCha20Poly1305,
    Sm4Gcm,
    Sm4Ccm,
    Aegis,
    Gost28147,
    Kuznyechik,
    Magma,
}

/// What protects the integrity of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each is the registered name")]
pub enum Mac {
    None,
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Ripemd160,
    Gost,
    /// The cipher's own.
    Aead,
}
