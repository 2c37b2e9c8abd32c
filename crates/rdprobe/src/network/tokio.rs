//! Real sockets.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::SystemTime;

use rdprobe_report::facts::{Icmp, TcpFacts};
use rdprobe_report::{Failure, FailureKind, LocalFault, Millis, Platform, Timestamp};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::Instant;

use super::{ConnectError, Datagram, Network, Received, ResolveError, Stream, local_failure, plain};
use crate::os::{self, Here, System as _};

/// The operating system's network.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tokio;

impl Network for Tokio {
    type Stream = TokioStream;
    type Datagram = TokioDatagram;

    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let millis = i64::try_from(since_epoch.as_millis()).unwrap_or_default();
        Timestamp::from_unix_millis(millis).expect("the clock is within the years that a date can have")
    }

    fn platform(&self) -> Option<Platform> {
        Some(os::platform())
    }

    async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, ResolveError> {
        let host = host.to_owned();
        // A resolver that hangs holds its thread, not us: the runtime is left with `shutdown_background`.
        tokio::task::spawn_blocking(move || os::resolve(&host)).await.unwrap_or_else(|error| {
            Err(ResolveError::local("EAI_SYSTEM", Failure::local(LocalFault::Unspecified, error.to_string())))
        })
    }

    async fn connect(&self, address: SocketAddr) -> Result<TokioStream, ConnectError> {
        let started = Instant::now();
        let nothing = || TcpFacts { address: Some(address), ..TcpFacts::default() };
        let local =
            |error: io::Error| ConnectError { failure: local_failure(&error), facts: Box::new(nothing()) };
        let socket = open(address, Type::STREAM, Protocol::TCP).map_err(local)?;
        let _ = socket.set_tcp_nodelay(true);
        match socket.connect(&address.into()) {
            Ok(()) => {}
            Err(error) if in_progress(&error) => {}
            // Told at once, so no router had a part in it, unless it is one of this computer's firewall; and loopback
            // refuses as fast.
            Err(error) => {
                return Err(match Here::icmp_error(SockRef::from(&socket)).ok().flatten() {
                    None if error.kind() != io::ErrorKind::ConnectionRefused => local(error),
                    icmp => refused(&error, icmp, nothing()),
                });
            }
        }
        let stream = TcpStream::from_std(socket.into()).map_err(local)?;
        stream.ready(Interest::WRITABLE | Interest::ERROR).await.map_err(local)?;
        // Reading the queue may clear SO_ERROR and the other way round, so both are read.
        let icmp = Here::icmp_error(SockRef::from(&stream)).ok().flatten();
        let error = stream.take_error().map_err(local)?;
        // The peer may be gone since that look: then the second one tells of it.
        let gone = error.is_none() && icmp.is_none() && stream.peer_addr().is_err();
        let error = if gone { stream.take_error().map_err(local)? } else { error };
        // Reading the queue took the error along: not being connected is what is left of it.
        let error = error.or_else(|| stream.peer_addr().err().filter(|_| icmp.is_some()));
        // A SYN that is refused gives another error: this connection stood, and was reset at once.
        let was_reset = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionReset;
        let reset = error.as_ref().map_or(gone, was_reset);
        if let Some(error) = error.filter(|error| !was_reset(error)) {
            return Err(refused(&error, icmp, nothing()));
        }
        // From here on an ICMP error would end the connection, where an ordinary client's kernel tries on.
        let _ = Here::receive_icmp_errors(SockRef::from(&stream), address.is_ipv6(), false);
        let local_address = stream.local_addr().ok();
        let facts = TcpFacts {
            local_address,
            is_this_computer: address.ip().is_loopback()
                || local_address.is_some_and(|local| local.ip() == address.ip()),
            rtt_ms: Some(Millis::from(started.elapsed())),
            ..nothing()
        };
        Ok(TokioStream { stream, facts, reset })
    }

    async fn datagram(&self, address: SocketAddr) -> io::Result<TokioDatagram> {
        let socket = open(address, Type::DGRAM, Protocol::UDP)?;
        let _ = Here::forbid_fragmentation(SockRef::from(&socket), address.is_ipv6());
        socket.connect(&address.into())?;
        Ok(TokioDatagram { socket: UdpSocket::from_std(socket.into())?, address })
    }
}

fn open(address: SocketAddr, kind: Type, protocol: Protocol) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    socket.set_nonblocking(true)?;
    // A sandbox that refuses this costs the sender of ICMP errors, and nothing else.
    let _ = Here::receive_icmp_errors(SockRef::from(&socket), address.is_ipv6(), true);
    Ok(socket)
}

fn in_progress(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        error.raw_os_error() == Some(libc::EINPROGRESS)
    }
    #[cfg(not(unix))]
    {
        error.kind() == io::ErrorKind::WouldBlock
    }
}

/// Why no connection came about, by the ICMP error where there is one and by the socket's error else.
fn refused(error: &io::Error, icmp: Option<Icmp>, facts: TcpFacts) -> ConnectError {
    let icmp = icmp.map(|icmp| with_sender(icmp, facts.address));
    let failure = why_refused(error, icmp.as_ref());
    ConnectError { failure, facts: Box::new(TcpFacts { icmp, ..facts }) }
}

fn why_refused(error: &io::Error, icmp: Option<&Icmp>) -> Failure {
    let kind = match (icmp, error.kind()) {
        (Some(icmp), _) if icmp.ours => return Failure::local(LocalFault::Permission, icmp.meaning()),
        (Some(icmp), _) if icmp.is_prohibited() => FailureKind::Prohibited,
        (_, io::ErrorKind::ConnectionRefused) => FailureKind::Refused,
        (_, io::ErrorKind::TimedOut) => FailureKind::Timeout,
        (Some(icmp), _) if icmp.is_port_unreachable() => FailureKind::Refused,
        (Some(_), _)
        | (
            _,
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown,
        ) => FailureKind::Unreachable,
        _ => return local_failure(error),
    };
    // The socket's own error may be a mere "not connected" by now.
    Failure::new(kind, icmp.map_or_else(|| plain(error), |icmp| icmp.meaning().into()))
}

/// Notes where a firewall of this very computer sent it. A neighbour that does not answer ARP is told from our own
/// address too, and is no doing of ours.
fn with_sender(icmp: Icmp, host: Option<SocketAddr>) -> Icmp {
    let ours = !icmp.is_host_unreachable()
        && icmp.from.is_some_and(is_own)
        && !host.is_some_and(|host| is_own(host.ip()));
    Icmp { ours, ..icmp }
}

/// Whether an address is one of this computer: no other can be bound to.
fn is_own(address: IpAddr) -> bool {
    std::net::UdpSocket::bind((address, 0)).is_ok()
}

/// A real TCP connection.
#[derive(Debug)]
pub struct TokioStream {
    stream: TcpStream,
    facts: TcpFacts,
    /// Reset before the first read, which then says so: the socket has told it already.
    reset: bool,
}

impl Stream for TokioStream {
    fn facts(&self) -> TcpFacts {
        let mut facts = self.facts.clone();
        Here::tcp_info(SockRef::from(&self.stream), &mut facts);
        facts
    }

    fn take_error(&mut self) -> Option<io::Error> {
        self.stream.take_error().ok().flatten()
    }

    async fn next_error(&mut self) -> io::Error {
        loop {
            // Within `try_io`, so that a readiness without an error behind it is forgotten.
            let taken = self.stream.try_io(Interest::ERROR, || {
                self.stream.take_error()?.ok_or_else(|| io::ErrorKind::WouldBlock.into())
            });
            if let Ok(error) = taken {
                return error;
            }
            if let Err(error) = self.stream.ready(Interest::ERROR).await {
                return error;
            }
        }
    }

    fn is_acknowledged(&self) -> Option<bool> {
        Here::is_acknowledged(SockRef::from(&self.stream))
    }
}

impl AsyncRead for TokioStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.reset {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for TokioStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// A real UDP socket towards one peer.
#[derive(Debug)]
pub struct TokioDatagram {
    socket: UdpSocket,
    address: SocketAddr,
}

impl TokioDatagram {
    /// What lies ready: an ICMP error first, since it also shows as an error of the next call.
    fn take(&self) -> Option<io::Result<Received>> {
        if let Ok(Some(icmp)) =
            self.socket.try_io(Interest::ERROR, || Here::icmp_error(SockRef::from(&self.socket)))
        {
            return Some(Ok(Received::Icmp(with_sender(icmp, Some(self.address)))));
        }
        let mut buffer = [0; 2048];
        match self.socket.try_recv(&mut buffer) {
            Ok(length) => Some(Ok(Received::Datagram(buffer[..length].to_vec()))),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            // The error of an ICMP message whose details are on the queue, now or in a moment.
            Err(_) if Here::QUEUES_ERRORS => None,
            Err(error) => Some(match Here::icmp_behind(&error, self.address.is_ipv6()) {
                Some(icmp) => Ok(Received::Icmp(icmp)),
                None => Err(error),
            }),
        }
    }
}

impl Datagram for TokioDatagram {
    async fn send(&mut self, datagram: &[u8]) -> io::Result<()> {
        // An earlier ICMP error makes one send fail, and is then gone.
        if self.socket.send(datagram).await.is_err() {
            self.socket.send(datagram).await?;
        }
        Ok(())
    }

    fn path_mtu(&self) -> Option<u32> {
        Here::path_mtu(SockRef::from(&self.socket), self.address.is_ipv6())
    }

    async fn receive(&mut self) -> io::Result<Received> {
        loop {
            self.socket.ready(Interest::READABLE | Interest::ERROR).await?;
            if let Some(received) = self.take() {
                return received;
            }
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_that_stands_bears_icmp_errors() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = Tokio.connect(listener.local_addr().unwrap()).await.unwrap();
        assert!(!os::linux::receives_icmp_errors(SockRef::from(&stream.stream)));
    }
}
