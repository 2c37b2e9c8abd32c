//! The connection that a completed handshake leaves.

use rdprobe_report::TlsVersion;
use rdprobe_report::facts::Alert;

use super::prf::prf;
use super::records::{Assembler, Record, Records};
use crate::tls::cbc::{CbcAlgorithms, CbcKeys};
use crate::tls::{alert, record};

/// A record holds so many bytes of plaintext at the most (RFC 5246 6.2.1).
const MOST_PLAINTEXT: usize = 1 << 14;

/// What a record of the peer's said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// Application data.
    Data(Vec<u8>),
    /// close_notify (RFC 5246 7.2.1).
    Closed,
    /// Another alert.
    Alert(Alert),
}

/// TLS 1.0 to 1.2 with a CBC suite, after its handshake.
pub struct LegacyConnection {
    version: TlsVersion,
    write: Records,
    read: Records,
    input: Assembler,
    /// For the initialisation vectors.
    secret: [u8; 32],
}

impl LegacyConnection {
    /// Cuts the key block of `master` (RFC 5246 6.3). `randoms` are the server's and the client's.
    pub(super) fn new(
        version: TlsVersion,
        algorithms: CbcAlgorithms,
        master: &[u8],
        randoms: &[u8],
        secret: [u8; 32],
    ) -> Option<Self> {
        let sizes = [algorithms.mac_len(), algorithms.key_len(), algorithms.block_len()];
        let block = prf(version, master, "key expansion", randoms, 2 * sizes.iter().sum::<usize>());
        let mut rest = block.as_slice();
        let mut cut = |size: usize| {
            let (cut, left) = rest.split_at_checked(size)?;
            rest = left;
            Some(cut)
        };
        let [macs, keys, ivs] = sizes.map(|size| Some([cut(size)?, cut(size)?]));
        let (macs, keys, ivs) = (macs?, keys?, ivs?);
        let records = |side: usize| {
            let keys = CbcKeys::new(algorithms, keys[side], macs[side])?;
            Some(Records::new(keys, version, ivs[side]))
        };
        Some(Self { version, write: records(0)?, read: records(1)?, input: Assembler::default(), secret })
    }

    pub(super) fn seal(&mut self, kind: u8, plain: &[u8]) -> Option<Vec<u8>> {
        self.write.seal(kind, plain, &self.secret)
    }

    pub(super) fn open(&mut self, kind: u8, body: &[u8]) -> Option<Vec<u8>> {
        self.read.open(kind, body)
    }

    /// The records that carry `plain`: one, where it fits.
    pub fn send(&mut self, plain: &[u8]) -> Vec<u8> {
        let records =
            plain.chunks(MOST_PLAINTEXT).filter_map(|part| self.seal(record::APPLICATION_DATA, part));
        records.collect::<Vec<_>>().concat()
    }

    /// The record of our close_notify.
    pub fn close(&mut self) -> Vec<u8> {
        self.seal(record::ALERT, &[alert::WARNING, alert::CLOSE_NOTIFY]).unwrap_or_default()
    }

    /// Takes bytes that came.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.input.push(bytes);
    }

    /// What the next whole record says; none where more bytes must come.
    ///
    /// # Errors
    /// The rule of TLS that the peer broke.
    pub fn received(&mut self) -> Result<Option<Received>, String> {
        while let Some(Record { kind, version, body }) = self.input.next()? {
            if version != self.version {
                return Err(format!("a record of {version} in a connection of {}", self.version));
            }
            let plain = self.open(kind, &body).ok_or("a record that the keys do not open")?;
            return Ok(Some(match (kind, plain.as_slice()) {
                (record::APPLICATION_DATA, _) => Received::Data(plain),
                (record::ALERT, [_, alert::CLOSE_NOTIFY]) => Received::Closed,
                (record::ALERT, [level, code]) => Received::Alert(Alert::new(*level, *code)),
                // A client may leave a HelloRequest without an answer (RFC 5246 7.4.1.1).
                (record::HANDSHAKE, [0, 0, 0, 0]) => continue,
                _ => return Err(format!("a record of type {kind} after the handshake")),
            }));
        }
        Ok(None)
    }
}
