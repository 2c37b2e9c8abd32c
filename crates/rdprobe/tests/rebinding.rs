//! A name that leads elsewhere when it is asked again: what the gate admitted is what is dialled.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::stream;
use rdprobe::network::{ConnectError, Network, ResolveError, Tokio, TokioDatagram, TokioStream};
use rdprobe::{End, Engine, Target, Timestamp};

const ADMITTED: &str = "127.0.0.1:1";

/// The first answer is harmless, every further one is not; it writes down what is dialled.
#[derive(Clone, Default)]
struct Rebinding {
    asked: Arc<AtomicUsize>,
    dialled: Arc<Mutex<Vec<SocketAddr>>>,
}

impl Network for Rebinding {
    type Stream = TokioStream;
    type Datagram = TokioDatagram;

    fn now(&self) -> Timestamp {
        Tokio.now()
    }

    async fn resolve(&self, _: &str) -> Result<Vec<IpAddr>, ResolveError> {
        let address = if self.asked.fetch_add(1, Ordering::SeqCst) == 0 { "127.0.0.1" } else { "127.0.0.2" };
        Ok(vec![address.parse().unwrap()])
    }

    async fn connect(&self, address: SocketAddr) -> Result<TokioStream, ConnectError> {
        self.dialled.lock().unwrap().push(address);
        Tokio.connect(address).await
    }

    async fn datagram(&self, address: SocketAddr) -> io::Result<TokioDatagram> {
        self.dialled.lock().unwrap().push(address);
        Tokio.datagram(address).await
    }
}

async fn probe(network: &Rebinding) -> End {
    let admitted: SocketAddr = ADMITTED.parse().unwrap();
    let engine = Engine::new().admit(move |_, address| match address == admitted {
        true => Ok(()),
        false => Err("not on the list".into()),
    });
    let target: Target = "rebinding.example:1".parse().unwrap();
    engine.run_on(network.clone(), stream::iter([target])).next().await.unwrap().end
}

#[tokio::test]
async fn a_name_is_asked_once_and_the_answer_is_what_was_admitted() {
    let network = Rebinding::default();
    let End::Done(report) = probe(&network).await else { panic!("the first answer is on the list") };
    assert_eq!(report.verdict.code.as_str(), "tcp-refused");
    assert_eq!(network.asked.load(Ordering::SeqCst), 1);
    let dialled = std::mem::take(&mut *network.dialled.lock().unwrap());
    assert!(
        !dialled.is_empty() && dialled.iter().all(|address| address.to_string() == ADMITTED),
        "{dialled:?}"
    );

    assert!(matches!(probe(&network).await, End::Refused { .. }), "the second answer is not");
    assert!(network.dialled.lock().unwrap().is_empty());
}
