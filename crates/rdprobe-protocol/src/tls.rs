//! TLS without cryptography: a hand-built ClientHello and a bounded reader of what the server says in clear.
//!
//! The real handshake is rustls's. This one stands beside it for the hosts that share no suite with rustls while
//! other clients do (RFC 8446; RFC 5246 for what is before TLS 1.3). The enumeration of what a host speaks is made of
//! such hellos too.

pub mod cbc;
mod client_hello;
pub mod enumeration;
mod flight;
mod handshake;
mod hello_reader;
mod key_share;
#[cfg(feature = "legacy-tls")]
pub mod legacy;
mod not_tls;
mod offered;

pub use client_hello::{HelloSeed, client_hello, is_server_name};
pub use flight::Flight;
pub use hello_reader::{HelloMachine, Reading};
pub use offered::ClientHello;

/// Record types (RFC 8446 5.1).
mod record {
    pub(super) const CHANGE_CIPHER_SPEC: u8 = 20;
    pub(super) const ALERT: u8 = 21;
    pub(super) const HANDSHAKE: u8 = 22;
    pub(super) const APPLICATION_DATA: u8 = 23;

    pub(super) const HEADER: usize = 5;
    /// 2^14 and what the versions add to it at the most (RFC 5246 6.2.3; RFC 8446 5.2 adds less).
    pub(super) const MAX_LENGTH: usize = (1 << 14) + 2048;
}

/// Alerts (RFC 8446 6).
mod alert {
    /// A level; the other is fatal, 2.
    pub(super) const WARNING: u8 = 1;
    #[cfg(feature = "legacy-tls")]
    pub(super) const CLOSE_NOTIFY: u8 = 0;
}

/// Handshake message types (RFC 8446 4, RFC 5246 7.4).
mod message {
    pub(super) const HELLO_REQUEST: u8 = 0;
    pub(super) const CLIENT_HELLO: u8 = 1;
    pub(super) const SERVER_HELLO: u8 = 2;
    pub(super) const CERTIFICATE: u8 = 11;
    pub(super) const SERVER_KEY_EXCHANGE: u8 = 12;
    pub(super) const CERTIFICATE_REQUEST: u8 = 13;
    pub(super) const SERVER_HELLO_DONE: u8 = 14;
    pub(super) const CERTIFICATE_STATUS: u8 = 22;
    #[cfg(feature = "legacy-tls")]
    pub(super) const CLIENT_KEY_EXCHANGE: u8 = 16;
    #[cfg(feature = "legacy-tls")]
    pub(super) const FINISHED: u8 = 20;

    pub(super) const HEADER: usize = 4;
}

/// Extension types (RFC 8446 4.2).
mod extension {
    pub(super) const SERVER_NAME: u16 = 0;
    pub(super) const STATUS_REQUEST: u16 = 5;
    pub(super) const SUPPORTED_GROUPS: u16 = 10;
    pub(super) const EC_POINT_FORMATS: u16 = 11;
    pub(super) const SIGNATURE_ALGORITHMS: u16 = 13;
    pub(super) const APPLICATION_LAYER_PROTOCOL_NEGOTIATION: u16 = 16;
    pub(super) const ENCRYPT_THEN_MAC: u16 = 22;
    pub(super) const EXTENDED_MASTER_SECRET: u16 = 23;
    pub(super) const SESSION_TICKET: u16 = 35;
    pub(super) const SUPPORTED_VERSIONS: u16 = 43;
    pub(super) const PSK_KEY_EXCHANGE_MODES: u16 = 45;
    pub(super) const POST_HANDSHAKE_AUTH: u16 = 49;
    pub(super) const SIGNATURE_ALGORITHMS_CERT: u16 = 50;
    pub(super) const KEY_SHARE: u16 = 51;
    pub(super) const RENEGOTIATION_INFO: u16 = 0xFF01;
}
