//! Waiting for the peers' own ends, while other attempts go on and after the report is out.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::ReadBuf;
use tokio::time::{Sleep, sleep, timeout};

use crate::admission::Descriptor;
use crate::network::Stream;

/// Beyond one round trip.
const GRACE: Duration = Duration::from_millis(50);
/// Whatever the round trip.
const MOST: Duration = Duration::from_millis(500);
/// What a peer may still say before it is cut off, in bytes.
const MOST_BYTES: usize = 256 * 1024;

/// Connections that were shut down for writing and whose peers have not ended yet. Closing them at once would reset
/// servers that still send, TLS 1.3 session tickets above all. They keep their descriptors until they are finished.
///
/// Dropped within a tokio runtime, they are finished by a task in the background.
pub struct Lingering<S: Stream> {
    leaving: Option<Leaving<S>>,
    round_trip: Duration,
}

impl<S: Stream> Lingering<S> {
    pub(crate) fn new(leaving: Leaving<S>, round_trip: Duration) -> Self {
        Self { leaving: Some(leaving), round_trip }
    }

    /// Connections that wait.
    pub fn len(&self) -> usize {
        self.leaving.as_ref().map_or(0, Leaving::len)
    }

    /// True where none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads what the peers still send until they end, one round trip plus 50 ms and 500 ms at most.
    pub async fn finish(mut self) {
        if let Some(leaving) = self.leaving.take() {
            leaving.finish(self.round_trip).await;
        }
    }
}

impl<S: Stream> Drop for Lingering<S> {
    fn drop(&mut self) {
        let Some(leaving) = self.leaving.take().filter(|leaving| leaving.len() > 0) else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let round_trip = self.round_trip;
            runtime.spawn(async move { leaving.finish(round_trip).await });
        }
    }
}

/// The connections of one probe that wait for their peers' ends.
pub(crate) struct Leaving<S> {
    state: Mutex<State<S>>,
}

struct State<S> {
    connections: Vec<Connection<S>>,
    /// Who reads them, and who waits for the last of an address.
    reader: Option<Waker>,
    waiting: Vec<Waker>,
}

struct Connection<S> {
    address: SocketAddr,
    stream: S,
    received: usize,
    until: Pin<Box<Sleep>>,
    _descriptor: Descriptor,
}

impl<S> Default for Leaving<S> {
    fn default() -> Self {
        Self { state: Mutex::new(State { connections: Vec::new(), reader: None, waiting: Vec::new() }) }
    }
}

impl<S: Stream> Leaving<S> {
    fn state(&self) -> MutexGuard<'_, State<S>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn len(&self) -> usize {
        self.state().connections.len()
    }

    async fn finish(&self, round_trip: Duration) {
        let ended = poll_fn(|context| {
            self.poll(context);
            if self.len() == 0 { Poll::Ready(()) } else { Poll::Pending }
        });
        let _ = timeout((round_trip + GRACE).min(MOST), ended).await;
    }

    /// Takes a connection that was shut down for writing; it is read for 500 ms at most.
    pub(crate) fn push(&self, address: SocketAddr, stream: S, descriptor: Descriptor) {
        let until = Box::pin(sleep(MOST));
        let connection = Connection { address, stream, received: 0, until, _descriptor: descriptor };
        let mut state = self.state();
        state.connections.push(connection);
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }
    }

    /// Reads them all, for ever: to be polled beside everything else.
    pub(crate) fn read(&self) -> impl Future<Output = std::convert::Infallible> + Send {
        poll_fn(|context| {
            self.poll(context);
            Poll::Pending
        })
    }

    /// Waits until no connection to this address is left. Somebody else must `read` meanwhile.
    pub(crate) fn ended(&self, address: SocketAddr) -> impl Future<Output = ()> + Send {
        poll_fn(move |context| {
            let mut state = self.state();
            if !state.connections.iter().any(|connection| connection.address == address) {
                return Poll::Ready(());
            }
            state.waiting.push(context.waker().clone());
            Poll::Pending
        })
    }

    fn poll(&self, context: &mut Context<'_>) {
        let mut state = self.state();
        state.reader = Some(context.waker().clone());
        let before = state.connections.len();
        state.connections.retain_mut(|connection| connection.poll(context).is_pending());
        if state.connections.len() < before {
            state.waiting.drain(..).for_each(Waker::wake);
        }
    }
}

impl<S: Stream> Connection<S> {
    /// Ready with its end, or when its time is up.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mut room = [0; 4096];
        loop {
            let mut buffer = ReadBuf::new(&mut room);
            match Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    self.received += buffer.filled().len();
                    if self.received > MOST_BYTES {
                        return Poll::Ready(());
                    }
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return self.until.as_mut().poll(context),
            }
        }
    }
}
