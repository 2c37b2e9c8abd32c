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
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// One end's state.
#[derive(Debug, Default)]
struct End {
    /// The whole socket is closed, not only for writing.
    closed: bool,
    /// An RST has been read or has met a write.
    reset_seen: bool,
}

#[derive(Debug)]
struct Link {
    one_way: Duration,
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
pub(super) fn connection(one_way: Duration, entry: Entry) -> (Socket, Socket) {
    let link = Arc::new(Mutex::new(Link {
        one_way,
        directions: Default::default(),
        ends: Default::default(),
        entry,
    }));
    let end = |side| Socket { link: Arc::clone(&link), side, timer: None };
    (end(CLIENT), end(HOST))
}

impl Link {
    /// Sends a segment towards `side`.
    fn push(&mut self, side: usize, arrival: Instant, segment: Segment) {
        let direction = &mut self.directions[side];
        direction.segments.push_back((arrival, segment));
        wake(&mut direction.reader);
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
        let arrival = now + self.one_way;
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
                self.reset(peer, at + self.one_way, false);
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
            if link.ends[side].reset_seen || link.reset_arrived(side, now, true) {
                link.ends[side].reset_seen = true;
                if side == CLIENT {
                    link.entry.shut_down(now);
                }
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
                    link.ends[side].reset_seen = true;
                    if side == CLIENT {
                        link.entry.shut_down(now);
                    }
                    return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
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
            if link.ends[side].reset_seen || link.directions[peer].fin_sent {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            if link.reset_arrived(side, now, false) {
                return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
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
            let arrival = now + link.one_way;
            if link.ends[peer].closed {
                // Nobody is there any more: the bytes are answered with RST.
                if link.next_reset(side).is_none() {
                    let back = arrival + link.one_way;
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
        if link.ends[side].reset_seen {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        }
        if !std::mem::replace(&mut link.directions[peer].fin_sent, true) {
            let arrival = now + link.one_way;
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
        let arrival = Instant::now() + link.one_way;
        link.reset(peer, arrival, discarding);
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
