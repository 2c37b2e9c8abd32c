//! The key distribution centre: one TCP connection for each message (RFC 4120 7.2.2), to the one that was named.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use rdprobe_report::{ParseTargetError, Target};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout_at};

use crate::network::Network;

/// The port of every KDC unless it was moved.
const DEFAULT_PORT: u16 = 88;
/// A ticket with many groups has some ten kilobytes.
const MAX_LENGTH: usize = 64 * 1024;

/// A key distribution centre, `HOST[:PORT]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kdc {
    host: String,
    port: u16,
}

impl FromStr for Kdc {
    type Err = ParseTargetError;

    fn from_str(text: &str) -> Result<Self, ParseTargetError> {
        let (host, port) = Target::host_and_port(text, DEFAULT_PORT)?;
        Ok(Self { host, port })
    }
}

impl fmt::Display for Kdc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl Kdc {
    /// Sends one message, with its length in front, and returns the answer likewise.
    pub(super) async fn ask<N: Network>(
        &self,
        network: &N,
        message: &[u8],
        until: Instant,
    ) -> Result<Vec<u8>, String> {
        match timeout_at(until, self.exchange(network, message)).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("the KDC {self} does not answer in time")),
        }
    }

    async fn exchange<N: Network>(&self, network: &N, message: &[u8]) -> Result<Vec<u8>, String> {
        let mut stream = self.connect(network).await?;
        let broke_off = |error| format!("the KDC {self} broke the connection off: {error}");
        stream.write_all(message).await.map_err(broke_off)?;
        stream.flush().await.map_err(broke_off)?;
        let mut prefix = [0; 4];
        stream.read_exact(&mut prefix).await.map_err(broke_off)?;
        let length = u32::from_be_bytes(prefix) as usize;
        if length > MAX_LENGTH {
            return Err(format!("the KDC {self} announces an answer of {length} bytes"));
        }
        let mut answer = prefix.to_vec();
        answer.resize(4 + length, 0);
        stream.read_exact(&mut answer[4..]).await.map_err(broke_off)?;
        let _ = stream.shutdown().await;
        Ok(answer)
    }

    async fn connect<N: Network>(&self, network: &N) -> Result<N::Stream, String> {
        let addresses = match self.host.parse() {
            Ok(address) => vec![address],
            Err(_) => network.resolve(&self.host).await.map_err(|error| {
                format!("the KDC's name {} does not resolve: {}", self.host, error.detail)
            })?,
        };
        let mut refusal = "its name has no address".to_owned();
        for address in addresses {
            match network.connect(SocketAddr::new(address, self.port)).await {
                Ok(stream) => return Ok(stream),
                Err(error) => refusal = error.failure.detail,
            }
        }
        Err(format!("the KDC {self} cannot be reached: {refusal}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_read() {
        for (text, shown) in [
            ("dc1.corp.example", "dc1.corp.example:88"),
            ("dc1:8888", "dc1:8888"),
            ("192.0.2.1", "192.0.2.1:88"),
            ("2001:db8::1", "[2001:db8::1]:88"),
            ("[2001:db8::1]:750", "[2001:db8::1]:750"),
            ("[2001:db8::1]", "[2001:db8::1]:88"),
        ] {
            assert_eq!(text.parse::<Kdc>().unwrap().to_string(), shown);
        }
        for text in ["", ":88", "dc1:kerberos", "dc1:99999", "tcp://dc1", "[::1]x"] {
            assert!(text.parse::<Kdc>().is_err(), "{text}");
        }
    }
}
