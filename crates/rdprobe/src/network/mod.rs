//! The one edge at which rdprobe meets the world: resolve, connect, datagram and clock behind a trait.
//!
//! There are two implementations: [`Tokio`] for real sockets, and the testkit's simulated network, in which hosts
//! are scripts and time is virtual. Timers are tokio's own on both sides, so a paused runtime makes them virtual.

mod fault;
mod tokio;

pub use self::fault::local_failure;
pub(crate) use self::fault::{is_too_large, local_fault, passes, plain};
pub use self::tokio::{Tokio, TokioDatagram, TokioStream};

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};

use ::tokio::io::{AsyncRead, AsyncWrite};
use rdprobe_report::facts::{Icmp, TcpFacts};
use rdprobe_report::{Failure, Platform, Timestamp};

/// Where a probe finds hosts.
pub trait Network: Sync {
    /// A TCP connection.
    type Stream: Stream;
    /// A UDP socket connected to one peer.
    type Datagram: Datagram;

    /// The wall clock.
    fn now(&self) -> Timestamp;

    /// The system whose network it is, and what that does not tell.
    fn platform(&self) -> Option<Platform> {
        None
    }

    /// Resolves a name as the user's client would, in the order in which it would try the addresses.
    fn resolve(&self, host: &str) -> impl Future<Output = Result<Vec<IpAddr>, ResolveError>> + Send;

    /// Opens a TCP connection. It has no time limit of its own.
    fn connect(&self, address: SocketAddr)
    -> impl Future<Output = Result<Self::Stream, ConnectError>> + Send;

    /// Opens a UDP socket towards one peer, fragmentation forbidden where the OS can.
    fn datagram(&self, address: SocketAddr) -> impl Future<Output = io::Result<Self::Datagram>> + Send;
}

/// A TCP connection. A peer's RST shows as `ConnectionReset`, or as `BrokenPipe` where its FIN came before;
/// `poll_shutdown` sends a FIN.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync + 'static {
    /// What the operating system knows of the connection now.
    fn facts(&self) -> TcpFacts;

    /// Takes the error that the operating system keeps and that no call has returned: that of an RST behind a FIN,
    /// or of an ICMP message that did not end the connection.
    fn take_error(&mut self) -> Option<io::Error> {
        None
    }

    /// Waits for such an error; for ever where none comes.
    fn next_error(&mut self) -> impl Future<Output = io::Error> + Send {
        std::future::pending()
    }

    /// Whether the peer has acknowledged every byte of ours; none where that cannot be known.
    fn is_acknowledged(&self) -> Option<bool> {
        None
    }
}

/// A UDP socket connected to one peer.
pub trait Datagram: Send + Sync {
    /// Sends one datagram.
    fn send(&mut self, datagram: &[u8]) -> impl Future<Output = io::Result<()>> + Send;

    /// What the operating system believes of the path MTU, in bytes.
    fn path_mtu(&self) -> Option<u32> {
        None
    }

    /// Waits for the next datagram or ICMP error.
    fn receive(&mut self) -> impl Future<Output = io::Result<Received>> + Send;
}

/// What came on a UDP socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// A datagram, cut at 2048 bytes.
    Datagram(Vec<u8>),
    /// An ICMP error for one of ours.
    Icmp(Icmp),
}

/// Why a name did not resolve.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolveError {
    /// `getaddrinfo`'s own name, `EAI_NONAME`.
    pub name: String,
    /// Its text.
    pub detail: String,
    /// What of ours stood in the way, where no resolver was asked for want of it.
    pub fault: Option<Box<Failure>>,
}

impl ResolveError {
    /// What a resolver said.
    pub fn new(name: &str, detail: impl Into<String>) -> Self {
        Self { name: name.into(), detail: detail.into(), fault: None }
    }

    /// What kept us from asking one.
    pub fn local(name: &str, fault: Failure) -> Self {
        Self { name: name.into(), detail: fault.detail.clone(), fault: Some(Box::new(fault)) }
    }
}

/// Why a connection was not made.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectError {
    /// Kind and text.
    pub failure: Failure,
    /// What was learnt all the same: the ICMP error and who sent it.
    pub facts: Box<TcpFacts>,
}
