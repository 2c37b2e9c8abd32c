//! Drives a machine over a channel until it has what it wants or its time is up.

use std::io;
use std::time::Duration;

use rdprobe_protocol::{Ending, Machine};
use rdprobe_report::{Limit, Millis};
use tokio::time::{Instant, timeout_at};

use crate::channel::Channel;
use crate::layer::Broken;
use crate::network::{Stream, local_fault, plain};

/// The most that is handed to a machine at once.
const READ_SIZE: usize = 16 * 1024;

/// How long a peer that may think better of it is waited for beyond one round trip. One that does not sends something
/// else (TLS 1.3's session tickets), which ends the wait at once.
const SECOND_THOUGHTS: Duration = Duration::from_millis(100);

/// The end of a wait, and what it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Until {
    pub(crate) at: Instant,
    pub(crate) limit: Limit,
}

/// Sends what the machine has to say and brings it what it wants, until `until` at the latest. True where the time
/// ran out first.
pub(crate) async fn drive<S: Stream, M: Machine + Send + ?Sized>(
    machine: &mut M,
    channel: &mut Channel<S>,
    until: Until,
) -> bool {
    let mut buffer = [0; READ_SIZE];
    // Since when nothing has come.
    let mut silent = Instant::now();
    // Until when a machine that is content waits.
    let mut content = None;
    loop {
        let outgoing = machine.outgoing();
        if !outgoing.is_empty() && timeout_at(until.at, channel.write(&outgoing)).await.is_err() {
            machine.end(silence(channel, silent, until.limit));
            return true;
        }
        let wanted = machine.wanted().min(READ_SIZE);
        if wanted == 0 {
            return false;
        }
        if machine.is_content() && content.is_none() {
            let round_trip = channel.stream().facts().rtt_ms.map(Duration::from).unwrap_or_default();
            content = Some(until.at.min(Instant::now() + round_trip + SECOND_THOUGHTS));
        }
        match timeout_at(content.unwrap_or(until.at), channel.read(&mut buffer[..wanted])).await {
            Ok(Ok(0)) => machine.end(Ending::Closed),
            Ok(Ok(length)) => {
                silent = Instant::now();
                machine.receive(&buffer[..length]);
            }
            Ok(Err(Broken::Socket(error))) => machine.end(socket_ending(&error, silent)),
            Ok(Err(Broken::Closed)) => machine.end(Ending::Closed),
            Ok(Err(Broken::Alert(alert))) => machine.end(Ending::Alert(alert)),
            Ok(Err(Broken::Tls(error))) => machine.end(Ending::Malformed(error.to_string())),
            Err(_) => {
                machine.end(silence(channel, silent, until.limit));
                return content.is_none();
            }
        }
    }
}

/// Nothing came in time.
fn silence<S: Stream>(channel: &mut Channel<S>, silent: Instant, limit: Limit) -> Ending {
    match channel.take_error() {
        Some(error) => socket_ending(&error, silent),
        // The time ran out while an RST behind the FIN was waited for.
        None if channel.has_ended() => Ending::Closed,
        None => Ending::Silent { silent_ms: Millis::from(silent.elapsed()), limit },
    }
}

fn socket_ending(error: &io::Error, silent: Instant) -> Ending {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            Ending::Reset
        }
        io::ErrorKind::UnexpectedEof => Ending::Closed,
        // The kernel gave up sending before we gave up waiting.
        io::ErrorKind::TimedOut => {
            Ending::Silent { silent_ms: Millis::from(silent.elapsed()), limit: Limit::Phase }
        }
        // What the kernel makes of ICMP errors (icmp(7)); a port or protocol that is unreachable among them.
        io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown
        | io::ErrorKind::ConnectionRefused => Ending::Unreachable(plain(error)),
        _ => Ending::Local { fault: local_fault(error), errno: error.raw_os_error(), detail: plain(error) },
    }
}
