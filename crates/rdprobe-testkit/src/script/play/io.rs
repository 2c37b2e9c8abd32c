//! Reading what the client sends, and writing within the limits of drip and cut.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::sleep;

use super::{Played, Player, Stop};
use crate::script::hello::ClientHello;
use crate::script::wire::Request;
use crate::script::{ClientEnd, CutBy, PeerStream};

/// What a host reads of a client's message at the most.
const LIMIT: usize = 1 << 16;

impl<S: PeerStream> Player<S> {
    /// Reads the client's first message: an X.224 request, or the beginning of something else.
    pub(super) async fn expect_request(&mut self) -> Played {
        if self.first_read {
            return Ok(());
        }
        while self.buffer.is_empty() {
            self.fill().await?;
        }
        self.first_read = true;
        match self.buffer[0] {
            3 => {}
            22 => {
                self.seen.direct_tls = true;
                return Ok(());
            }
            other => {
                self.note(format!("the client began with 0x{other:02X}"));
                return Ok(());
            }
        }
        while self.buffer.len() < 4 {
            self.fill().await?;
        }
        let length = usize::from(u16::from_be_bytes([self.buffer[2], self.buffer[3]]));
        while self.buffer.len() < length {
            self.fill().await?;
        }
        let bytes: Vec<u8> = self.buffer.drain(..length).collect();
        self.seen.request = Request::parse(&bytes);
        if self.seen.request.is_none() {
            self.note("a TPKT that is no Connection Request");
        }
        self.journal().request = Some(bytes);
        Ok(())
    }

    pub(super) async fn expect_hello(&mut self) -> Played {
        if self.seen.hello.is_some() {
            return Ok(());
        }
        self.expect_request().await?;
        loop {
            match ClientHello::parse(&self.buffer) {
                Ok(Some((hello, used))) => {
                    self.buffer.drain(..used);
                    self.journal().hello = Some(hello.raw.clone());
                    self.seen.hello = Some(hello);
                    return Ok(());
                }
                Ok(None) if self.buffer.len() < LIMIT => self.fill().await?,
                Ok(None) => {
                    self.note("a ClientHello without end");
                    return Err(Stop::Rst { discarding: false });
                }
                Err(error) => {
                    self.note(error);
                    return Err(Stop::Fin);
                }
            }
        }
    }

    /// Reads some bytes: into the buffer, or into TLS where it stands.
    pub(super) async fn fill(&mut self) -> Played {
        let mut chunk = [0; 4096];
        let length = match self.stream.read(&mut chunk).await {
            Ok(0) => return Err(Stop::Gone(ClientEnd::Fin)),
            Ok(length) => length,
            Err(_) => return Err(Stop::Gone(ClientEnd::Reset)),
        };
        match &mut self.tls {
            Some(tls) => {
                if let Err(error) = tls.receive(&chunk[..length]) {
                    self.note(format!("TLS: {error}"));
                    return Err(Stop::Fin);
                }
                if self.tls.as_ref().is_some_and(|tls| tls.peer_closed) {
                    self.journal().close_notify = true;
                }
            }
            None => self.buffer.extend(&chunk[..length]),
        }
        Ok(())
    }

    /// Reads and forgets until the client ends.
    pub(super) async fn drain(&mut self) -> ClientEnd {
        loop {
            match self.fill().await {
                Err(Stop::Gone(end)) => return end,
                Err(_) => self.tls = None,
                Ok(()) => {
                    self.buffer.clear();
                    if let Some(tls) = &mut self.tls {
                        tls.plaintext.clear();
                    }
                }
            }
        }
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> Played {
        let room = self.stage.cut.map_or(u64::MAX, |cut| cut.after - self.sent);
        let allowed = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
        let whole = allowed == bytes.len();
        let bytes = &bytes[..allowed];
        let written = match self.drip {
            None => self.stream.write_all(bytes).await,
            Some(pause) => self.write_dripping(bytes, pause).await,
        };
        if written.is_err() {
            return Err(Stop::Gone(ClientEnd::Reset));
        }
        self.sent += bytes.len() as u64;
        match self.stage.cut {
            Some(cut) if !whole || self.sent == cut.after => Err(match cut.by {
                CutBy::Fin => Stop::Fin,
                CutBy::Rst => Stop::Rst { discarding: false },
                CutBy::Silence => Stop::Silence,
            }),
            _ => Ok(()),
        }
    }

    pub(super) async fn write_dripping(&mut self, bytes: &[u8], pause: Duration) -> io::Result<()> {
        for byte in bytes {
            self.stream.write_all(&[*byte]).await?;
            self.stream.flush().await?;
            sleep(pause).await;
        }
        Ok(())
    }
}
