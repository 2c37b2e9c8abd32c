//! What a host shares over its connections, and what it notes of each.

use std::sync::{Arc, Mutex};

use rdprobe_report::Timestamp;
use serde::Deserialize;
use tokio::time::Instant;

use crate::certificates::Certificates;

/// Cuts off what a host sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// After so many bytes on each connection.
    pub after: u64,
    /// How the host then ends.
    pub by: CutBy,
}

/// How a cut connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CutBy {
    /// FIN.
    Fin,
    /// RST.
    Rst,
    /// Nothing more.
    Silence,
}

/// How the client ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientEnd {
    /// FIN.
    Fin,
    /// RST.
    Reset,
}

/// What all connections of a host share.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) certificates: Arc<Certificates>,
    pub(crate) cut: Option<Cut>,
    /// The wall clock at `start`.
    pub(crate) now: Timestamp,
    pub(crate) start: Instant,
}

impl Stage {
    /// The wall clock.
    pub(crate) fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(self.start.elapsed().as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_unix_millis(self.now.unix_millis().saturating_add(elapsed)).unwrap_or(self.now)
    }
}

/// What is known of a connection when it is accepted.
pub(crate) struct Connection {
    /// Its number on this address, from 1.
    pub(crate) nth: u32,
    /// Another one is open to this host.
    pub(crate) beside: bool,
    pub(crate) journal: Arc<Mutex<Journal>>,
}

/// What the host saw of one connection.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    /// Index of the rule that was played.
    pub rule: Option<usize>,
    /// The Connection Request as it came.
    pub request: Option<Vec<u8>>,
    /// The ClientHello's records as they came.
    pub hello: Option<Vec<u8>>,
    /// A rustls handshake was completed.
    pub tls_established: bool,
    /// The client sent close_notify.
    pub close_notify: bool,
    /// How the client ended it, as far as the host read.
    pub client_end: Option<ClientEnd>,
    /// What did not go as the script has it.
    pub notes: Vec<String>,
}
