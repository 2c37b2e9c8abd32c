//! The steps of TLS and of what is said within it.

use rdprobe_report::TlsVersion;

use super::{Played, Player, Stop};
use crate::script::paper::{self, Mismatch};
use crate::script::tls::TlsSession;
use crate::script::{PaperTlsStep, PeerStream, Refusal, TlsStep, credssp, wire};

impl<S: PeerStream> Player<S> {
    pub(super) async fn handshake(&mut self, step: &TlsStep) -> Played {
        self.expect_hello().await?;
        let name = step.certificate.as_deref().unwrap_or("good");
        let session =
            self.stage.certificates.identity(name).and_then(|identity| TlsSession::new(step, &identity));
        let mut tls = match session {
            Ok(tls) => tls,
            Err(error) => {
                self.note(error);
                return Err(Stop::Rst { discarding: false });
            }
        };
        let mut bytes = self.seen.hello.as_ref().map(|hello| hello.raw.clone()).unwrap_or_default();
        bytes.append(&mut self.buffer);
        loop {
            let result = tls.receive(&bytes);
            let outgoing = tls.outgoing();
            self.write(&outgoing).await?;
            if let Err(error) = result {
                self.note(format!("TLS: {error}"));
                return Err(Stop::Fin);
            }
            self.journal().close_notify |= tls.peer_closed;
            if !tls.is_handshaking() {
                self.journal().tls_established = true;
                self.tls = Some(tls);
                return Ok(());
            }
            self.fill().await?;
            bytes = std::mem::take(&mut self.buffer);
        }
    }

    pub(super) async fn paper(&mut self, step: &PaperTlsStep) -> Played {
        self.expect_hello().await?;
        let identity = match self.stage.certificates.identity(step.certificate.as_deref().unwrap_or("good")) {
            Ok(identity) => identity,
            Err(error) => {
                self.note(error);
                return Err(Stop::Rst { discarding: false });
            }
        };
        let hello = self.seen.hello.clone().unwrap_or_default();
        let mismatch = match paper::flight(step, &identity.chain, &hello) {
            Ok(flight) => return self.write(&flight).await,
            Err(mismatch) => mismatch,
        };
        let version = self.record_version();
        match (step.refuse, mismatch) {
            (Refusal::Fin, _) => {}
            (Refusal::Rst, _) => return Err(Stop::Rst { discarding: false }),
            (Refusal::Alert, Mismatch::Version) => self.write(&paper::alert(version, 2, 70)).await?,
            (Refusal::Ultimatum, _) => {
                self.write(&paper::alert(version, 2, 40)).await?;
                self.write(&wire::ULTIMATUM).await?;
            }
            (Refusal::Alert | Refusal::AlertHandshakeFailure, _) => {
                self.write(&paper::alert(version, 2, 40)).await?;
            }
        }
        Err(Stop::Fin)
    }

    pub(super) async fn expect_tls(&mut self, length: usize) -> Played {
        loop {
            let Some(tls) = &mut self.tls else {
                self.note("expect_tls before TLS stands");
                return Err(Stop::Fin);
            };
            if tls.plaintext.len() >= length {
                tls.plaintext.clear();
                return Ok(());
            }
            self.fill().await?;
        }
    }

    /// Reads one whole TSRequest within TLS.
    pub(super) async fn expect_ts_request(&mut self) -> Result<Vec<u8>, Stop> {
        loop {
            let Some(tls) = &mut self.tls else {
                self.note("CredSSP before TLS stands");
                return Err(Stop::Fin);
            };
            if let Some(length) = credssp::length(&tls.plaintext)
                && length <= tls.plaintext.len()
            {
                return Ok(tls.plaintext.drain(..length).collect());
            }
            self.fill().await?;
        }
    }

    pub(super) async fn send_tls(&mut self, act: impl FnOnce(&mut TlsSession) + Send) -> Played {
        let Some(tls) = &mut self.tls else {
            self.note("a TLS step before TLS stands");
            return Err(Stop::Fin);
        };
        act(tls);
        let bytes = tls.outgoing();
        self.write(&bytes).await
    }

    /// The version that a refusing server puts on its alert: the client's own, TLS 1.2 at the most.
    pub(super) fn record_version(&self) -> TlsVersion {
        self.seen
            .hello
            .as_ref()
            .map_or(TlsVersion::TLS_1_2, |hello| TlsVersion(hello.legacy_version).min(TlsVersion::TLS_1_2))
    }
}
