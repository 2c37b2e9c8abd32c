//! TLS 1.0 to 1.2 with static RSA as a handshake and a layer among the others.

use std::io;

use rdprobe_protocol::Concluded;
use rdprobe_protocol::tls::HelloSeed;
use rdprobe_protocol::tls::legacy::{LegacyConnection, LegacyMachine, LegacySeed, Received};
use rdprobe_report::facts::SignatureCheck;
use rustls::pki_types::CertificateDer;

use crate::handshake::{Handshake, Shown, random};
use crate::layer::{Broken, Layer};

/// Prepares a handshake with the host called `name`.
///
/// # Errors
/// Where the profile of its hello is missing.
pub(crate) fn machine(name: &str) -> Result<LegacyMachine, String> {
    let hello = HelloSeed { random: random(), session_id: random(), key_share: random() };
    let seed = LegacySeed { hello, premaster: random(), secret: random() };
    LegacyMachine::new(Some(name), &seed).ok_or_else(|| "there is no hello profile for old TLS".into())
}

impl Handshake for LegacyMachine {
    fn shown(&self) -> Shown {
        let chain = self.chain().iter().map(|der| CertificateDer::from(der.clone())).collect();
        // Nothing is signed, but nobody else could have read the premaster secret.
        Shown { chain, check: self.is_complete().then_some(SignatureCheck::Verified) }
    }

    fn finish(self: Box<Self>) -> (Concluded, Option<Box<dyn Layer>>) {
        let (concluded, connection) = (*self).finish();
        (concluded, connection.map(|connection| Box::new(connection) as Box<dyn Layer>))
    }
}

impl Layer for LegacyConnection {
    fn wrap(&mut self, plain: &[u8], wrapped: &mut Vec<u8>) -> io::Result<()> {
        wrapped.extend(self.send(plain));
        Ok(())
    }

    fn unwrap(&mut self, wrapped: &[u8], plain: &mut Vec<u8>) -> Result<(), Broken> {
        self.receive(wrapped);
        loop {
            match self.received() {
                Ok(Some(Received::Data(data))) => plain.extend(data),
                Ok(Some(Received::Closed)) => return Err(Broken::Closed),
                Ok(Some(Received::Alert(alert))) => return Err(Broken::Alert(alert)),
                Ok(None) => return Ok(()),
                Err(rule) => return Err(Broken::Tls(rustls::Error::General(rule))),
            }
        }
    }

    fn close(&mut self, wrapped: &mut Vec<u8>) -> io::Result<()> {
        wrapped.extend(LegacyConnection::close(self));
        Ok(())
    }
}
