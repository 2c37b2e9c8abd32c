//! A TCP connection in memory and in virtual time: latency, a window, FIN and RST as an operating system has them.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::jitter::Jitter;
use super::ledger::Entry;
use crate::script::PeerStream;

/// What may be under way or unread in one direction.
const WINDOW: usize = 1 << 16;

/// What travels in one direction.
#[derive(Debug)]
enum Segment {
    /// Bytes and how many of them were read.
    Bytes(Vec<u8>, usize),
    Fin,
    Reset {
        discarding: bool,
    },
}

/// One direction: what is under way and what waits to be read.
#[derive(Debug, Default)]
struct Direction {
    segments: VecDeque<(Instant, Segment)>,
    unread: usize,
    /// Room that the writer will learn of, and when.
    freed: VecDeque<(Instant, usize)>,
    fin_sent: bool,
    /// When the last segment arrives: nothing overtakes it.
    last: Option<Instant>,
    /// Bytes were, or will be, answered with RST: they came to an end that was closed.
    unheard: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// One end's state.
#[derive(Debug, Default)]
struct End {
    /// The whole socket is closed, not only for writing.
    closed: bool,
    /// An RST has come, and a call has returned its error. As on Linux no later one does: reads are at their end.
    error_taken: bool,
    /// An ICMP error that does not end the connection, and when it comes.
    soft_error: Option<(Instant, io::ErrorKind)>,
}

#[derive(Debug)]
struct Link {
    one_way: Duration,
    jitter: Jitter,
    /// Towards the client, towards the host.
    directions: [Direction; 2],
    ends: [End; 2],
    entry: Entry,
}

const CLIENT: usize = 0;
const HOST: usize = 1;

/// One end of a connection.
#[derive(Debug)]
pub(super) struct Socket {
    link: Arc<Mutex<Link>>,
    side: usize,
    timer: Option<Pin<Box<Sleep>>>,
}

/// The client's and the host's end.
pub(super) fn connection(one_way: Duration, jitter: Jitter, entry: Entry) -> (Socket, Socket) {
    let link = Arc::new(Mutex::new(Link {
        one_way,
        jitter,
        directions: Default::default(),
        ends: Default::default(),
        entry,
    }));
    let end = |side| Socket { link: Arc::clone(&link), side, timer: None };
    (end(CLIENT), end(HOST))
}

impl Link {
    /// When a segment that leaves at `at` arrives at `side`.
    fn arrival(&mut self, side: usize, at: Instant) -> Instant {
        let arrival = at + self.one_way + self.jitter.next();
        self.directions[side].last.map_or(arrival, |last| arrival.max(last))
    }

    /// Sends a segment towards `side`.
    fn push(&mut self, side: usize, arrival: Instant, segment: Segment) {
        let direction = &mut self.directions[side];
        direction.last = Some(arrival);
        direction.segments.push_back((arrival, segment));
        wake(&mut direction.reader);
    }

    /// The error that a call of `side` returns now, once.
    fn take_error(&mut self, side: usize, now: Instant) -> Option<io::ErrorKind> {
        if self.ends[side].error_taken || !self.reset_arrived(side, now, false) {
            let soft = &mut self.ends[side].soft_error;
            return soft.take_if(|(at, _)| *at <= now).map(|(_, kind)| kind);
        }
        self.ends[side].error_taken = true;
        if side == CLIENT {
            self.entry.shut_down(now);
        }
        // Linux tells an RST behind a FIN as EPIPE.
        let mut before = self.directions[side].segments.iter();
        Some(match before.any(|(at, segment)| *at <= now && matches!(segment, Segment::Fin)) {
            true => io::ErrorKind::BrokenPipe,
            false => io::ErrorKind::ConnectionReset,
        })
    }

    /// Sends RST towards `side`; nothing of what `side` still sends is heard.
    fn reset(&mut self, side: usize, arrival: Instant, discarding: bool) {
        self.push(side, arrival, Segment::Reset { discarding });
        wake(&mut self.directions[1 - side].writer);
        if side == HOST {
            let sent = arrival - self.one_way;
            self.entry.reset(sent);
        } else if !self.ends[CLIENT].closed {
            self.entry.update(|record| record.host_reset = true);
        }
    }

    /// Whether an RST has reached `side`.
    fn reset_arrived(&self, side: usize, now: Instant, only_discarding: bool) -> bool {
        self.directions[side]
            .segments
            .iter()
            .take_while(|(arrival, _)| *arrival <= now)
            .any(|(_, segment)| {
                matches!(segment, Segment::Reset { discarding } if *discarding || !only_discarding)
            })
    }

    /// When an RST reaches `side`.
    fn next_reset(&self, side: usize) -> Option<Instant> {
        self.directions[side]
            .segments
            .iter()
            .find(|(_, segment)| matches!(segment, Segment::Reset { .. }))
            .map(|(at, _)| *at)
    }

    fn close(&mut self, side: usize) {
        if std::mem::replace(&mut self.ends[side].closed, true) {
            return;
        }
        let now = Instant::now();
        let peer = 1 - side;
        let arrival = self.arrival(peer, now);
        let incoming = &self.directions[side];
        let is_bytes = |segment: &Segment| matches!(segment, Segment::Bytes(..));
        let unread = incoming.segments.iter().any(|(at, segment)| *at <= now && is_bytes(segment));
        let under_way =
            incoming.segments.iter().find(|(at, segment)| *at > now && is_bytes(segment)).map(|(at, _)| *at);
        if side == CLIENT {
            self.entry.closed(now);
        }
        if unread {
            // RFC 2525 2.17: data that nobody will read is answered with RST.
            self.reset(peer, arrival, false);
        } else {
            if !std::mem::replace(&mut self.directions[peer].fin_sent, true) {
                self.push(peer, arrival, Segment::Fin);
            }
            if let Some(at) = under_way {
                self.directions[side].unheard = true;
                let arrival = self.arrival(peer, at);
                self.reset(peer, arrival, false);
            }
        }
        wake(&mut self.directions[side].writer);
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

impl Socket {
    fn link(&self) -> MutexGuard<'_, Link> {
        self.link.lock().expect("no end panics")
    }

    /// Comes back at `at`. True where that is now.
    fn wake_at(&mut self, at: Instant, context: &mut Context<'_>) -> bool {
        let mut timer = Box::pin(sleep_until(at));
        let ready = timer.as_mut().poll(context).is_ready();
        self.timer = Some(timer);
        ready
    }
}

impl Socket {
    /// The error that no call has returned yet.
    pub(super) fn take_error(&self) -> Option<io::Error> {
        self.link().take_error(self.side, Instant::now()).map(Into::into)
    }

    /// Waits for one.
    pub(super) fn poll_error(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            let now = Instant::now();
            let mut link = self.link();
            if let Some(kind) = link.take_error(self.side, now) {
                return Poll::Ready(kind.into());
            }
            let reset = link.next_reset(self.side).filter(|at| *at > now);
            let soft = link.ends[self.side].soft_error.map(|(at, _)| at);
            link.directions[self.side].reader = Some(context.waker().clone());
            drop(link);
            match reset.into_iter().chain(soft).min() {
                Some(at) if self.wake_at(at, context) => {}
                _ => return Poll::Pending,
            }
        }
    }

    /// Whether the peer's acknowledgement of the last byte has come.
    pub(super) fn is_acknowledged(&self) -> bool {
        let link = self.link();
        let outgoing = &link.directions[1 - self.side];
        !outgoing.unheard && outgoing.last.is_none_or(|last| last + link.one_way <= Instant::now())
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let side = self.side;
        loop {
            let now = Instant::now();
            let mut guard = self.link();
            let link = &mut *guard;
            if link.reset_arrived(side, now, true) {
                link.take_error(side, now);
                return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
            }
            let one_way = link.one_way;
            let direction = &mut link.directions[side];
            let Some((arrival, segment)) = direction.segments.front_mut() else {
                direction.reader = Some(context.waker().clone());
                return Poll::Pending;
            };
            if *arrival > now {
                let arrival = *arrival;
                direction.reader = Some(context.waker().clone());
                drop(guard);
                if self.wake_at(arrival, context) {
                    continue;
                }
                return Poll::Pending;
            }
            match segment {
                Segment::Bytes(bytes, from) => {
                    let length = (bytes.len() - *from).min(buffer.remaining());
                    buffer.put_slice(&bytes[*from..*from + length]);
                    *from += length;
                    if *from == bytes.len() {
                        direction.segments.pop_front();
                    }
                    direction.unread -= length;
                    direction.freed.push_back((now + one_way, length));
                    wake(&mut direction.writer);
                    if side == CLIENT {
                        link.entry.received(length);
                    }
                }
                Segment::Fin => {
                    if side == CLIENT && !link.directions[HOST].fin_sent {
                        link.entry.update(|record| record.host_ended = true);
                    }
                }
                Segment::Reset { .. } => {
                    let error = link.take_error(side, now);
                    return Poll::Ready(error.map_or(Ok(()), |kind| Err(kind.into())));
                }
            }
            // What arrived at the same time is read at once, as from a socket's queue.
            let more = |segments: &VecDeque<(Instant, Segment)>| matches!(segments.front(), Some((at, Segment::Bytes(..))) if *at <= now);
            if matches!(link.directions[side].segments.front(), Some((_, Segment::Fin)))
                || buffer.remaining() == 0
                || !more(&link.directions[side].segments)
            {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let (side, peer) = (self.side, 1 - self.side);
        loop {
            let now = Instant::now();
            let mut guard = self.link();
            let link = &mut *guard;
            if link.reset_arrived(side, now, false) {
                let kind = link.take_error(side, now).unwrap_or(io::ErrorKind::BrokenPipe);
                return Poll::Ready(Err(kind.into()));
            }
            if link.directions[peer].fin_sent {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            let direction = &mut link.directions[peer];
            while let Some((at, _)) = direction.freed.front()
                && *at <= now
            {
                direction.freed.pop_front();
            }
            let acknowledged_later: usize = direction.freed.iter().map(|(_, length)| length).sum();
            let room = WINDOW.saturating_sub(direction.unread + acknowledged_later);
            if room == 0 {
                direction.writer = Some(context.waker().clone());
                let freed = direction.freed.front().map(|(at, _)| *at);
                let next = freed.into_iter().chain(link.next_reset(side)).min();
                drop(guard);
                if let Some(at) = next
                    && self.wake_at(at, context)
                {
                    continue;
                }
                return Poll::Pending;
            }
            let length = room.min(bytes.len());
            direction.unread += length;
            if side == CLIENT {
                link.entry.sent(length);
            }
            let arrival = link.arrival(peer, now);
            if link.ends[peer].closed {
                // Nobody is there any more: the bytes are answered with RST.
                link.directions[peer].unheard = true;
                if link.next_reset(side).is_none() {
                    let back = link.arrival(side, arrival);
                    link.reset(side, back, false);
                }
                return Poll::Ready(Ok(length));
            }
            link.push(peer, arrival, Segment::Bytes(bytes[..length].to_vec(), 0));
            return Poll::Ready(Ok(length));
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let (side, peer) = (self.side, 1 - self.side);
        let now = Instant::now();
        let mut link = self.link();
        if link.ends[side].error_taken {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        }
        if !std::mem::replace(&mut link.directions[peer].fin_sent, true) {
            let arrival = link.arrival(peer, now);
            link.push(peer, arrival, Segment::Fin);
            if side == CLIENT {
                link.entry.shut_down(now);
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl PeerStream for Socket {
    fn reset(self, discarding: bool) {
        let (side, peer) = (self.side, 1 - self.side);
        let mut link = self.link();
        link.ends[side].closed = true;
        let arrival = link.arrival(peer, Instant::now());
        link.reset(peer, arrival, discarding);
    }

    fn lose_path(&mut self) {
        let peer = 1 - self.side;
        let mut link = self.link();
        let arrival = link.arrival(peer, Instant::now());
        link.ends[peer].soft_error = Some((arrival, io::ErrorKind::HostUnreachable));
        wake(&mut link.directions[peer].reader);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Ok(mut link) = self.link.lock() {
            let side = self.side;
            link.close(side);
        }
    }
}
