//! The SYN over UDP ([MS-RDPEUDP] 3.1.5.1.1): a full-size datagram, each from a socket of its own, so that every ICMP
//! error belongs to its datagram.

use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use rdprobe_protocol::udp::{Syn, SynAck};
use rdprobe_report::facts::{Icmp, UdpFacts, UdpProbe};
use rdprobe_report::{
    Facts, Failure, FailureEvidence, FailureKind, Limit, LocalFault, Millis, Step, StepOutcome, UdpQuestion,
};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::context::Context;
use crate::events::Reporter;
use crate::handshake::random;
use crate::network::{Datagram as _, Network, Received, is_too_large, local_failure, passes};

/// Between two SYNs that ask for an answer, as Windows retransmits them ([MS-RDPEUDP] 3.1.5.1.1).
const INTERVAL: Duration = Duration::from_millis(800);
/// Between two SYNs of which each counts for the loss.
const COUNTING_INTERVAL: Duration = Duration::from_millis(100);
/// How long the answer to the last SYN is waited for.
const PATIENCE: Duration = Duration::from_millis(800);
/// Between two tries to open a socket.
const PAUSE: Duration = Duration::from_millis(20);
/// Bytes of an answer that could not be read which are kept.
const KEPT: usize = 64;

/// Sends up to `syns` datagrams and records what becomes of each; `all` sends them even after an answer.
pub(crate) async fn run<N: Network>(
    context: &Context<'_, N>,
    reporter: &Reporter,
    address: SocketAddr,
    syns: u32,
    all: bool,
) {
    let (answered, _) = watch::channel(false);
    let started = Instant::now();
    let interval = if all { COUNTING_INTERVAL } else { INTERVAL };
    // What is sent aside is waited for as long as the probe has other work.
    let aside = context.options.udp == UdpQuestion::Aside;
    let patience = if aside { context.timeouts.phase } else { PATIENCE };
    let last = interval * syns.saturating_sub(1);
    let run = Run {
        context,
        reporter,
        address,
        all,
        started,
        until: (started + last + patience).min(context.deadline()),
        answered,
        heard: Mutex::new(Heard {
            facts: UdpFacts { port: Some(address.port()), ..UdpFacts::default() },
            fault: None,
        }),
    };
    run.record();
    join_all((0..syns).map(|number| run.syn(number, started + interval * number))).await;
    run.record();
}

struct Run<'a, N: Network> {
    context: &'a Context<'a, N>,
    reporter: &'a Reporter,
    address: SocketAddr,
    all: bool,
    started: Instant,
    until: Instant,
    /// Turns true with the first answer or ICMP error.
    answered: watch::Sender<bool>,
    heard: Mutex<Heard>,
}

struct Heard {
    facts: UdpFacts,
    /// Why a datagram could not be sent.
    fault: Option<Failure>,
}

impl<N: Network> Run<'_, N> {
    /// Sends one SYN at its time and waits for what it draws.
    async fn syn(&self, number: u32, at: Instant) {
        let mut answered = self.answered.subscribe();
        tokio::select! {
            biased;
            _ = answered.wait_for(|answered| *answered), if !self.all => return,
            () = sleep_until(at.min(self.until)) => {}
        }
        if at >= self.until && number > 0 {
            return;
        }
        let _descriptor = self.context.admit(self.context.admission.descriptor()).await;
        let socket = self.open().await;
        let version = rdprobe_diagnosis::next_syn_version(&self.heard().facts, number, self.all);
        let syn = Syn::new(version, random());
        let sent = Instant::now();
        let sent_ms = Millis::from(sent.duration_since(self.context.started));
        let place = {
            let probes = &mut self.heard().facts.probes;
            probes.push(UdpProbe { version, sent_ms, ..UdpProbe::default() });
            probes.len() - 1
        };
        let mut socket = match socket {
            Ok(socket) => socket,
            Err(error) => return self.failed(&error),
        };
        let delivered = socket.send(&syn.encode()).await;
        if let Some(mtu) = socket.path_mtu() {
            self.heard().facts.path_mtu = Some(mtu);
        }
        if let Err(error) = delivered {
            // The system knows that the path carries no such packet, and how large one may be.
            let is_known = is_too_large(&error) && self.heard().facts.path_mtu.is_some();
            return if is_known { self.record() } else { self.failed(&error) };
        }
        self.heard().facts.sent += 1;
        self.record();
        loop {
            let received = tokio::select! {
                received = timeout_at(self.until, socket.receive()) => received,
                // Another SYN was answered, and this one is not counted.
                _ = answered.wait_for(|answered| *answered), if !self.all => return,
            };
            let Ok(Ok(received)) = received else { return };
            match received {
                Received::Datagram(datagram) => match SynAck::decode(&datagram, &syn) {
                    Ok(syn_ack) => return self.answer(place, &syn_ack, sent.elapsed()),
                    Err(_) => self.garbage(place, &datagram),
                },
                Received::Icmp(icmp) => return self.refused(place, icmp, socket.path_mtu()),
            }
        }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A socket, waited for where our own side has none now.
    async fn open(&self) -> io::Result<N::Datagram> {
        loop {
            let opened = self.context.network.datagram(self.address).await;
            let again = opened.as_ref().is_err_and(|error| passes(&local_failure(error)));
            if !again || Instant::now() + PAUSE >= self.until {
                return opened;
            }
            sleep(PAUSE).await;
        }
    }

    /// Nothing was sent, for a reason of our own.
    fn failed(&self, error: &io::Error) {
        self.heard().fault.get_or_insert(local_failure(error));
        self.record();
    }

    fn answer(&self, place: usize, syn_ack: &SynAck, round_trip: Duration) {
        {
            let facts = &mut self.heard().facts;
            facts.received += 1;
            facts.probes[place].rtt_ms = Some(Millis::from(round_trip));
            facts.probes[place].answered_version = Some(syn_ack.version);
            syn_ack.record(facts);
        }
        self.record();
        self.answered.send_replace(true);
    }

    /// Whatever else may come: this is no silence.
    fn garbage(&self, place: usize, datagram: &[u8]) {
        let kept = hex::encode(&datagram[..datagram.len().min(KEPT)]);
        {
            let garbage = &mut self.heard().facts.probes[place].garbage;
            garbage.take_if(|earlier| earlier.is_empty());
            garbage.get_or_insert(kept);
        }
        self.record();
    }

    fn refused(&self, place: usize, icmp: Icmp, path_mtu: Option<u32>) {
        {
            let facts = &mut self.heard().facts;
            if icmp.is_too_big() {
                facts.path_mtu = icmp.mtu.or(path_mtu);
            }
            facts.probes[place].icmp = Some(icmp.clone());
            facts.icmp.push(icmp);
        }
        self.record();
        self.answered.send_replace(true);
    }

    /// Writes the step as it stands, so that nothing is lost when the wait is cut off.
    fn record(&self) {
        let (mut facts, fault) = {
            let heard = self.heard();
            (heard.facts.clone(), heard.fault.clone())
        };
        summarize(&mut facts);
        let failure = failure(&facts, fault.as_ref(), self.started.elapsed());
        self.reporter.step(Step {
            outcome: if failure.is_none() { StepOutcome::Ok } else { StepOutcome::Failed },
            started_ms: Millis::from(self.started.duration_since(self.context.started)),
            duration_ms: Millis::from(self.started.elapsed()),
            bytes_sent: u64::from(facts.sent) * rdprobe_protocol::udp::DATAGRAM as u64,
            bytes_received: u64::from(facts.received) * rdprobe_protocol::udp::DATAGRAM as u64,
            failure,
            facts: Facts::Udp(Box::new(facts)),
        });
    }
}

fn failure(facts: &UdpFacts, fault: Option<&Failure>, elapsed: Duration) -> Option<Failure> {
    if facts.received > 0 {
        return None;
    }
    Some(match facts.icmp.first() {
        Some(icmp) if icmp.ours => Failure::local(LocalFault::Permission, icmp.meaning()),
        Some(icmp) => {
            let kind = if icmp.is_prohibited() {
                FailureKind::Prohibited
            } else if icmp.is_port_unreachable() {
                FailureKind::Refused
            } else {
                FailureKind::Unreachable
            };
            Failure::new(kind, icmp.meaning())
        }
        None if facts.sent == 0 => match (fault, facts.path_mtu) {
            (Some(fault), _) => fault.clone(),
            (None, Some(mtu)) => Failure::new(
                FailureKind::Unreachable,
                format!("this computer sends packets of {mtu} bytes and no more to it"),
            ),
            (None, None) => Failure::local(LocalFault::Unspecified, "no datagram could be sent"),
        },
        None if facts.probes.iter().any(|probe| probe.garbage.is_some()) => {
            Failure::new(FailureKind::Malformed, "an answer that is none to a SYN")
        }
        None => Failure::new(FailureKind::Timeout, "no answer")
            .with(FailureEvidence::Silence { silent_ms: Millis::from(elapsed), limit: Limit::Phase }),
    })
}

/// Round-trip times, and the loss over the SYNs of versions that the server answers at all.
fn summarize(facts: &mut UdpFacts) {
    let times: Vec<f64> = facts.probes.iter().filter_map(|probe| probe.rtt_ms).map(|rtt| rtt.0).collect();
    let smallest = times.iter().copied().reduce(f64::min);
    let largest = times.iter().copied().reduce(f64::max);
    facts.rtt_ms = smallest.map(Millis);
    facts.rtt_spread_ms = smallest
        .zip(largest)
        .filter(|_| times.len() > 1)
        .map(|(low, high)| Millis(((high - low) * 1e3).round() / 1e3));
    let spoken =
        |version| facts.probes.iter().any(|probe| probe.version == version && probe.rtt_ms.is_some());
    let counted: Vec<&UdpProbe> = facts.probes.iter().filter(|probe| spoken(probe.version)).collect();
    if counted.len() > 1 {
        let lost = counted.iter().filter(|probe| probe.rtt_ms.is_none()).count();
        facts.loss_percent = Some(percent(lost as f64 / counted.len() as f64));
        facts.loss_interval = Some(wilson(lost as f64, counted.len() as f64));
    }
}

/// Wilson's score interval at 95 %, in percent.
fn wilson(lost: f64, sent: f64) -> [f64; 2] {
    const Z: f64 = 1.96;
    let share = lost / sent;
    let centre = share + Z * Z / (2.0 * sent);
    let reach = Z * (share * (1.0 - share) / sent + Z * Z / (4.0 * sent * sent)).sqrt();
    let scale = 1.0 + Z * Z / sent;
    [percent(((centre - reach) / scale).max(0.0)), percent(((centre + reach) / scale).min(1.0))]
}

fn percent(share: f64) -> f64 {
    (share * 1e3).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probes(answered: usize, lost: usize) -> UdpFacts {
        let probe = |rtt| UdpProbe { version: 2, rtt_ms: rtt, ..UdpProbe::default() };
        let answered = (0..answered).map(|number| probe(Some(Millis(10.0 + number as f64))));
        UdpFacts { probes: answered.chain((0..lost).map(|_| probe(None))).collect(), ..UdpFacts::default() }
    }

    #[test]
    fn loss_comes_with_its_interval() {
        let mut facts = probes(8, 2);
        summarize(&mut facts);
        assert_eq!(facts.loss_percent, Some(20.0));
        // Wilson's interval for 2 of 10, as tabulated.
        assert_eq!(facts.loss_interval, Some([5.7, 51.0]));
        assert_eq!((facts.rtt_ms, facts.rtt_spread_ms), (Some(Millis(10.0)), Some(Millis(7.0))));
    }

    #[test]
    fn silence_is_no_loss() {
        let mut facts = probes(0, 10);
        summarize(&mut facts);
        assert_eq!(facts.loss_percent, None);
    }

    #[test]
    fn what_a_small_link_does_not_carry_is_no_fault_of_ours() {
        let facts = UdpFacts { path_mtu: Some(1000), ..probes(0, 1) };
        let failure = failure(&facts, None, Duration::ZERO).unwrap();
        assert_eq!((failure.kind, failure.local_fault()), (FailureKind::Unreachable, None));
        let fault = Failure::local(LocalFault::Permission, "not allowed");
        assert_eq!(super::failure(&facts, Some(&fault), Duration::ZERO), Some(fault));
    }
}
