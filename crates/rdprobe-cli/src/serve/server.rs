//! The listener: connections in, bounded in number, size and time; signals; an orderly end.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tracing::{debug, info, warn};

use super::app::App;
use crate::interrupt::Interrupt;

/// The whole head of a request has arrived by then, or the connection ends; one that asks nothing ends too.
const HEAD_TIME: Duration = Duration::from_secs(5);
#[cfg(any(target_os = "linux", target_os = "android"))]
/// Whoever does not take an answer for so long is given up.
const UNREAD_TIME: Duration = Duration::from_secs(30);
/// A head that is larger is refused.
const HEAD_BYTES: usize = 16 << 10;
const HEAD_LINES: usize = 64;
/// For probes that were stopped to be judged and answered.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What this process is told from outside.
pub(super) struct Signals {
    end: Interrupt,
    again: Hangup,
}

impl Signals {
    /// Must be called within a runtime, and before anybody is told that it listens: until then a signal ends the process.
    pub(super) fn new() -> Self {
        Self { end: Interrupt::new(), again: Hangup::new() }
    }
}

/// Serves until a signal comes, and then for `grace` at the most; of so many connections at once.
pub(super) async fn run(
    app: Arc<App>,
    listener: TcpListener,
    signals: Signals,
    routes: Router,
    connections: usize,
    grace: Duration,
) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(connections));
    let Signals { mut end, mut again } = signals;
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await.expect("it is never closed");
            (listener.accept().await, place)
        };
        tokio::select! {
            (accepted, place) = accepted => match accepted {
                Ok((stream, peer)) => {
                    debug!(%peer, "connection");
                    let connection = graceful.watch(serve(stream, routes.clone()));
                    tokio::spawn(async move {
                        if let Err(error) = connection.await {
                            debug!(%error, "a connection ended early");
                        }
                        drop(place);
                    });
                }
                Err(error) => {
                    warn!(%error, "cannot take a connection");
                    // Descriptors come back as others end.
                    sleep(Duration::from_millis(100)).await;
                }
            },
            () = again.next() => {
                let _ = app.reload();
            }
            _ = end.next() => break,
        }
    }
    drop(listener);
    info!("ending: probes under way have {grace:?}");
    let mut all_ended = std::pin::pin!(graceful.shutdown());
    tokio::select! {
        () = &mut all_ended => return,
        () = sleep(grace) => {}
        _ = end.next() => {}
    }
    app.stop.send_replace(true);
    if timeout(LAST_WORDS, all_ended).await.is_err() {
        warn!("some connections did not end");
    }
}

/// One connection.
fn serve(stream: TcpStream, routes: Router) -> impl GracefulConnection<Error = hyper::Error> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = socket2::SockRef::from(&stream).set_tcp_user_timeout(Some(UNREAD_TIME));
    let _ = stream.set_nodelay(true);
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEAD_LINES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes))
}

/// SIGHUP, where there is one.
struct Hangup {
    #[cfg(unix)]
    signal: Option<tokio::signal::unix::Signal>,
}

impl Hangup {
    fn new() -> Self {
        Self {
            #[cfg(unix)]
            signal: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok(),
        }
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.signal
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending().await
    }
}
