//! Drives a machine over a channel until it has what it wants or its time is up.

use std::io;

use rdprobe_protocol::{Ending, Machine};
use rdprobe_report::Failure;
use tokio::time::{Instant, timeout_at};

use crate::channel::{Broken, Channel};
use crate::network::{Stream, plain};

/// The most that is handed to a machine at once.
const READ_SIZE: usize = 16 * 1024;

/// Sends what the machine has to say and brings it what it wants, until `until` at the latest. True where the time
/// ran out first.
pub(crate) async fn drive<S: Stream>(
    machine: &mut dyn Machine,
    channel: &mut Channel<S>,
    until: Instant,
) -> bool {
    let mut buffer = [0; READ_SIZE];
    loop {
        let outgoing = machine.outgoing();
        if !outgoing.is_empty() {
            if timeout_at(until, channel.write(&outgoing)).await.is_err() {
                machine.end(silence(channel));
                return true;
            }
        }
        let wanted = machine.wanted().min(READ_SIZE);
        if wanted == 0 {
            return false;
        }
        match timeout_at(until, channel.read(&mut buffer[..wanted])).await {
            Ok(Ok(0)) => machine.end(Ending::Closed),
            Ok(Ok(length)) => machine.receive(&buffer[..length]),
            Ok(Err(broken)) => machine.end(ending(broken)),
            Err(_) => {
                machine.end(silence(channel));
                return true;
            }
        }
    }
}

/// Nothing came in time.
fn silence<S: Stream>(channel: &mut Channel<S>) -> Ending {
    channel.take_error().map_or(Ending::Silent, socket_ending)
}

fn socket_ending(error: io::Error) -> Ending {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            Ending::Reset
        }
        io::ErrorKind::UnexpectedEof => Ending::Closed,
        io::ErrorKind::TimedOut => Ending::Silent,
        // What the kernel makes of ICMP errors (icmp(7)); a port or protocol that is unreachable among them.
        io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown
        | io::ErrorKind::ConnectionRefused => Ending::Unreachable(plain(&error)),
        _ => Ending::Local(plain(&error)),
    }
}

fn ending(broken: Broken) -> Ending {
    match broken {
        Broken::Socket(error) => socket_ending(error),
        Broken::Alert(alert) => Ending::Alert(alert),
        Broken::Tls(error) => Ending::Malformed(error.to_string()),
    }
}

/// A failure of our own that no peer caused.
pub(crate) fn local(reason: impl Into<String>) -> Failure {
    Failure::new(rdprobe_report::FailureKind::Local, reason)
}
