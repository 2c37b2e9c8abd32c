//! A connection as the machines see it: TCP, and over it the layers that stand.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::layer::{Broken, Layer};
use crate::network::Stream;

/// How long saying goodbye may take: the bytes are few, so only a peer that reads nothing makes it wait.
const FAREWELL: Duration = Duration::from_millis(200);
/// The most that is read from the socket at once.
const READ_SIZE: usize = 16 * 1024;

/// How long an RST behind a FIN is waited for beyond one round trip, and at the most.
const RESET_GRACE: Duration = Duration::from_millis(10);
const RESET_MOST: Duration = Duration::from_secs(1);

/// A TCP connection with the layers over it, that counts its bytes.
pub(crate) struct Channel<S> {
    stream: S,
    /// From TCP upwards.
    layers: Vec<Box<dyn Layer>>,
    /// What came through the layers and was not read yet, and how they ended behind it.
    unwrapped: Vec<u8>,
    broken: Option<Broken>,
    sent: u64,
    received: u64,
    /// Nothing has come since our last bytes.
    unanswered: bool,
    /// The first error that a call returned. It is the connection's end, whatever later calls say: after a write
    /// that failed with ECONNRESET, Linux reads an end of file.
    fault: Option<io::Error>,
    /// The peer has ended the connection, by FIN or RST.
    ended: bool,
}

impl<S: Stream> Channel<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            layers: Vec::new(),
            unwrapped: Vec::new(),
            broken: None,
            sent: 0,
            received: 0,
            unanswered: false,
            fault: None,
            ended: false,
        }
    }

    pub(crate) fn stream(&self) -> &S {
        &self.stream
    }

    /// Why nothing came, where an ICMP error tells: Linux keeps one that does not end the connection for whoever asks.
    pub(crate) fn take_error(&mut self) -> Option<io::Error> {
        self.stream.take_error()
    }

    /// Whether the peer has ended the connection.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Bytes written to and read from the socket so far.
    pub(crate) fn bytes(&self) -> (u64, u64) {
        (self.sent, self.received)
    }

    /// From here on, what is read and written goes through this layer too. What came to it already is kept.
    pub(crate) fn push(&mut self, layer: Box<dyn Layer>) {
        self.layers.push(layer);
        self.unwrap(&[]);
    }

    /// Reads at least one byte; none means that the peer has ended the connection.
    ///
    /// One host comes to one end: a server that closes without reading sends RST where our bytes were there already,
    /// and else FIN, with the RST to our bytes one round trip later (RFC 2525 2.17). Both are a reset.
    pub(crate) async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Broken> {
        let result = self.read_some(buffer).await;
        if matches!(result, Ok(1..) | Err(Broken::Alert(_) | Broken::Tls(_))) {
            self.unanswered = false;
            return result;
        }
        self.ended = true;
        if result.is_ok() && self.fault.is_none() && self.unanswered {
            self.fault = self.reset_behind_end().await;
        }
        self.fault.take().map_or(result, |fault| Err(Broken::Socket(fault)))
    }

    /// What comes of bytes that the peer had not received when it sent its FIN. A FIN that acknowledges them was sent
    /// by a peer that had read them.
    async fn reset_behind_end(&mut self) -> Option<io::Error> {
        let error = self.stream.take_error();
        if error.is_some() || self.stream.is_acknowledged() == Some(true) {
            return error;
        }
        let round_trip = self.stream.facts().rtt_ms.map(Duration::from).unwrap_or_default();
        timeout((round_trip + RESET_GRACE).min(RESET_MOST), self.stream.next_error()).await.ok()
    }

    async fn read_some(&mut self, buffer: &mut [u8]) -> Result<usize, Broken> {
        if self.layers.is_empty() {
            return self.receive(buffer).await;
        }
        while self.unwrapped.is_empty() {
            match self.broken.take() {
                Some(Broken::Closed) => return Ok(0),
                Some(broken) => return Err(broken),
                None => {}
            }
            let mut bytes = [0; READ_SIZE];
            let length = self.receive(&mut bytes).await?;
            if length == 0 {
                return Ok(0);
            }
            self.unwrap(&bytes[..length]);
        }
        let length = buffer.len().min(self.unwrapped.len());
        buffer[..length].copy_from_slice(&self.unwrapped[..length]);
        self.unwrapped.drain(..length);
        Ok(length)
    }

    async fn receive(&mut self, buffer: &mut [u8]) -> Result<usize, Broken> {
        let length = self.stream.read(buffer).await.map_err(Broken::Socket)?;
        self.received += length as u64;
        Ok(length)
    }

    fn unwrap(&mut self, bytes: &[u8]) {
        let mut bytes = Cow::Borrowed(bytes);
        for layer in &mut self.layers {
            let mut plain = Vec::new();
            if let Err(broken) = layer.unwrap(&bytes, &mut plain) {
                self.broken.get_or_insert(broken);
            }
            bytes = Cow::Owned(plain);
        }
        self.unwrapped.extend_from_slice(&bytes);
    }

    /// Writes all of it: one TLS record where it fits in one. A failure is kept: what can still be read is read first,
    /// and then it is the connection's end.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.unanswered = true;
        if let Err(error) = self.write_all(bytes).await {
            self.fault.get_or_insert(error);
        }
    }

    async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut bytes = Cow::Borrowed(bytes);
        for layer in self.layers.iter_mut().rev() {
            let mut wrapped = Vec::new();
            layer.wrap(&bytes, &mut wrapped)?;
            bytes = Cow::Owned(wrapped);
        }
        self.stream.write_all(&bytes).await?;
        self.sent += bytes.len() as u64;
        self.stream.flush().await
    }

    /// Says goodbye as a polite peer: in every layer from the top (close_notify where TLS stands), then a FIN. A
    /// connection whose peer has not ended yet is handed back, since closing it now would reset a server that still
    /// sends.
    pub(crate) async fn farewell(mut self) -> Option<S> {
        let goodbye = async {
            while let Some(mut layer) = self.layers.pop() {
                let mut last = Vec::new();
                if layer.close(&mut last).is_ok() {
                    let _ = self.write_all(&last).await;
                }
            }
            let _ = self.stream.shutdown().await;
        };
        let _ = timeout(FAREWELL, goodbye).await;
        (!self.ended).then_some(self.stream)
    }
}
