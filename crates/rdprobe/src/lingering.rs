//! Waiting for the peers' own ends, after the report is out.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::AsyncReadExt as _;
use tokio::time::timeout;

use crate::network::Stream;

/// Beyond one round trip.
const GRACE: Duration = Duration::from_millis(50);
/// Whatever the round trip.
const MOST: Duration = Duration::from_millis(500);
/// What a peer may still say before it is cut off, in bytes.
const MOST_BYTES: usize = 256 * 1024;

/// Connections that were shut down for writing and whose peers have not ended yet. Closing them at once would reset
/// servers that still send, TLS 1.3 session tickets above all.
pub struct Lingering<S> {
    streams: Vec<S>,
    round_trip: Duration,
}

impl<S: Stream> Lingering<S> {
    pub(crate) fn new(streams: Vec<S>, round_trip: Duration) -> Self {
        Self { streams, round_trip }
    }

    /// Connections that wait.
    pub fn len(&self) -> usize {
        self.streams.len()
    }

    /// True where none waits.
    pub fn is_empty(&self) -> bool {
        self.streams.is_empty()
    }

    /// Waits until the peers have ended, 500 ms at most: before an attempt that must be alone.
    pub(crate) async fn until_ended(streams: Vec<S>) {
        let _ = timeout(MOST, join_all(streams.into_iter().map(drain))).await;
    }

    /// Reads what the peers still send until they end, one round trip plus 50 ms and 500 ms at most.
    pub async fn finish(self) {
        let limit = (self.round_trip + GRACE).min(MOST);
        let _ = timeout(limit, join_all(self.streams.into_iter().map(drain))).await;
    }
}

async fn drain<S: Stream>(mut stream: S) {
    let mut buffer = [0; 4096];
    let mut total = 0;
    while let Ok(length) = stream.read(&mut buffer).await {
        total += length;
        if length == 0 || total > MOST_BYTES {
            break;
        }
    }
}
