//! The client's end of a connection, as the probe's network has it.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use rdprobe::network::Stream;
use rdprobe_report::Millis;
use rdprobe_report::facts::TcpFacts;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::machine::local_address;
use super::pipe;

/// The client's end of a simulated TCP connection.
#[derive(Debug)]
pub struct SimulatedStream {
    socket: pipe::Socket,
    facts: TcpFacts,
}

impl SimulatedStream {
    pub(super) fn new(socket: pipe::Socket, address: SocketAddr, nth: usize, rtt: Duration) -> Self {
        Self {
            socket,
            facts: TcpFacts {
                address: Some(address),
                local_address: Some(local_address(address, nth)),
                rtt_ms: Some(Millis::from(rtt)),
                retransmits: Some(0),
                mss: Some(1448),
                path_mtu: Some(1500),
                ..TcpFacts::default()
            },
        }
    }
}

impl Stream for SimulatedStream {
    fn facts(&self) -> TcpFacts {
        self.facts.clone()
    }

    fn take_error(&mut self) -> Option<io::Error> {
        self.socket.take_error()
    }

    async fn next_error(&mut self) -> io::Error {
        std::future::poll_fn(|context| self.socket.poll_error(context)).await
    }

    fn is_acknowledged(&self) -> Option<bool> {
        Some(self.socket.is_acknowledged())
    }
}

impl AsyncRead for SimulatedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

impl AsyncWrite for SimulatedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
