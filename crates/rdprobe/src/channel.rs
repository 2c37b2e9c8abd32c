//! A connection as the machines see it: plain at first, and inside TLS once the handshake is done.

use std::io::{self, Read as _, Write as _};
use std::time::Duration;

use rdprobe_report::facts::Alert;
use rustls::ClientConnection;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::network::Stream;

/// How long saying goodbye may take: the bytes are few, so only a peer that reads nothing makes it wait.
const FAREWELL: Duration = Duration::from_millis(200);
/// The most that is read from the socket at once.
const READ_SIZE: usize = 16 * 1024;

/// A TCP connection, with TLS inside it or not, that counts its bytes.
pub(crate) struct Channel<S> {
    stream: S,
    tls: Option<Box<ClientConnection>>,
    sent: u64,
    received: u64,
    /// The peer has ended the connection, by FIN or RST.
    ended: bool,
}

/// Why no more bytes come.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The socket's error, or `UnexpectedEof` for a FIN.
    Socket(io::Error),
    /// An alert inside TLS.
    Alert(Alert),
    /// TLS itself was broken by the peer.
    Tls(rustls::Error),
}

impl<S: Stream> Channel<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, tls: None, sent: 0, received: 0, ended: false }
    }

    pub(crate) fn stream(&self) -> &S {
        &self.stream
    }

    /// Bytes written to and read from the socket so far.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        (self.sent, self.received)
    }

    /// From here on, what is read and written goes through this TLS connection, whose handshake is done.
    pub(crate) fn secure(&mut self, tls: Box<ClientConnection>) {
        self.tls = Some(tls);
    }

    /// Reads at least one byte; none means that the peer has ended the connection.
    pub(crate) async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Broken> {
        let result = self.read_some(buffer).await;
        self.ended |= matches!(result, Ok(0) | Err(Broken::Socket(_)));
        result
    }

    async fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize, Broken> {
        let Self { stream, tls, received, .. } = self;
        let Some(tls) = tls else {
            let length = stream.read(buffer).await.map_err(Broken::Socket)?;
            *received += length as u64;
            return Ok(length);
        };
        loop {
            match tls.reader().read(buffer) {
                Ok(length) => return Ok(length),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(Broken::Socket(error)),
            }
            let mut records = [0; READ_SIZE];
            let length = stream.read(&mut records).await.map_err(Broken::Socket)?;
            *received += length as u64;
            if length == 0 {
                return Ok(0);
            }
            let mut rest = &records[..length];
            while !rest.is_empty() {
                tls.read_tls(&mut rest).map_err(Broken::Socket)?;
                tls.process_new_packets().map_err(|error| match error {
                    rustls::Error::AlertReceived(description) => {
                        Broken::Alert(Alert::new(2, description.into()))
                    }
                    other => Broken::Tls(other),
                })?;
            }
        }
    }

    /// Writes all of it: one TLS record where it fits in one.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(tls) = &mut self.tls else {
            self.stream.write_all(bytes).await?;
            self.sent += bytes.len() as u64;
            return self.stream.flush().await;
        };
        tls.writer().write_all(bytes)?;
        self.flush_tls().await
    }

    async fn flush_tls(&mut self) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return Ok(()) };
        let mut records = Vec::new();
        while tls.wants_write() {
            tls.write_tls(&mut records)?;
        }
        self.stream.write_all(&records).await?;
        self.sent += records.len() as u64;
        self.stream.flush().await
    }

    /// Says goodbye as a polite peer: close_notify where TLS stands, then a FIN. A connection whose peer has not ended
    /// yet is handed back, since closing it now would reset a server that still sends.
    pub(crate) async fn farewell(mut self) -> Option<S> {
        let goodbye = async {
            if let Some(tls) = &mut self.tls {
                tls.send_close_notify();
                let _ = self.flush_tls().await;
            }
            let _ = self.stream.shutdown().await;
        };
        let _ = timeout(FAREWELL, goodbye).await;
        (!self.ended).then_some(self.stream)
    }
}
