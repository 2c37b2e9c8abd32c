//! What an attempt tells the loop while it runs. The loop alone owns the observations.

use std::sync::Arc;

use rdprobe_report::facts::{CertificateFacts, Exchange};
use rdprobe_report::{Attempt, Facts, Millis, Observations, Phase, Step, Waiting};
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

#[derive(Debug)]
enum Event {
    /// It begins now: waiting for its turn counts in nothing.
    Began(Millis),
    /// Since then this phase has had no answer.
    Waits(Phase, Instant),
    /// A step, in the place of what was told of its phase before.
    Step(Box<Step>),
    /// What is known by now of a phase that was told.
    Learnt(Box<Facts>),
    /// One exchange of an enumeration, and the certificate that it was the first to show.
    Exchanged(Box<Exchange>, Option<Box<CertificateFacts>>),
    CutOff,
    Ended(Millis),
}

/// The attempt's side.
#[derive(Debug)]
pub(crate) struct Reporter {
    place: usize,
    events: UnboundedSender<(usize, Event)>,
    given_up: Arc<Notify>,
    news: Arc<Notify>,
    pub(crate) started: Instant,
}

/// Of so many exchanges one wakes the loop.
const WAKING: u32 = 8;

impl Reporter {
    fn tell(&self, event: Event) {
        // Where the loop has ended, nobody wants to know.
        let _ = self.events.send((self.place, event));
    }

    pub(crate) fn began(&self) {
        self.tell(Event::Began(self.now()));
    }

    pub(crate) fn waits(&self, phase: Phase, since: Instant) {
        self.tell(Event::Waits(phase, since));
    }

    pub(crate) fn step(&self, step: Step) {
        self.tell(Event::Step(Box::new(step)));
    }

    pub(crate) fn learnt(&self, facts: Facts) {
        self.tell(Event::Learnt(Box::new(facts)));
    }

    /// Wakes the loop now and then, for whoever shows how far it is.
    pub(crate) fn exchanged(&self, exchange: &Exchange, certificate: Option<&CertificateFacts>) {
        self.tell(Event::Exchanged(Box::new(exchange.clone()), certificate.cloned().map(Box::new)));
        if exchange.began_after % WAKING == 0 {
            self.news.notify_one();
        }
    }

    pub(crate) fn cut_off(&self) {
        self.tell(Event::CutOff);
    }

    pub(crate) fn ended(&self) {
        self.tell(Event::Ended(self.now()));
    }

    /// Waits until the silence under way is waited for no longer.
    pub(crate) async fn given_up(&self) {
        self.given_up.notified().await;
    }

    fn now(&self) -> Millis {
        Millis::from(self.started.elapsed())
    }
}

/// The loop's side.
pub(crate) struct Events {
    sender: UnboundedSender<(usize, Event)>,
    receiver: UnboundedReceiver<(usize, Event)>,
    flights: Vec<Flight>,
    news: Arc<Notify>,
}

/// An attempt that was started.
struct Flight {
    /// The phase under way, and since when.
    under_way: Option<(Phase, Instant)>,
    given_up: Arc<Notify>,
}

impl Events {
    pub(crate) fn new() -> Self {
        let (sender, receiver) = unbounded_channel();
        Self { sender, receiver, flights: Vec::new(), news: Arc::default() }
    }

    /// For the next attempt in the order of issue.
    pub(crate) fn reporter(&mut self, started: Instant) -> Reporter {
        let given_up = Arc::<Notify>::default();
        self.flights.push(Flight { under_way: None, given_up: Arc::clone(&given_up) });
        let (events, news) = (self.sender.clone(), Arc::clone(&self.news));
        Reporter { place: self.flights.len() - 1, events, given_up, news, started }
    }

    /// Takes over all that was told, and for how long the attempts in flight have been waiting.
    pub(crate) fn look(&mut self, seen: &mut Observations) {
        while let Ok((place, event)) = self.receiver.try_recv() {
            self.take(place, event, seen);
        }
        for (attempt, flight) in seen.attempts.iter_mut().zip(&self.flights) {
            attempt.waiting = flight
                .under_way
                .map(|(phase, since)| Waiting { phase, silent_ms: Millis::from(since.elapsed()) });
        }
    }

    fn take(&mut self, place: usize, event: Event, seen: &mut Observations) {
        let (attempt, flight) = (&mut seen.attempts[place], &mut self.flights[place]);
        match event {
            Event::Began(at) => attempt.started_ms = at,
            Event::Waits(phase, since) => flight.under_way = Some((phase, since)),
            Event::Step(step) => {
                flight.under_way = None;
                match attempt.steps.iter_mut().find(|earlier| earlier.phase() == step.phase()) {
                    Some(earlier) => *earlier = *step,
                    None => attempt.steps.push(*step),
                }
            }
            Event::Learnt(facts) => {
                let mut steps = attempt.steps.iter_mut();
                if let Some(step) = steps.find(|step| step.phase() == facts.phase()) {
                    step.facts = *facts;
                }
            }
            Event::Exchanged(exchange, certificate) => {
                let mut steps = attempt.steps.iter_mut();
                if let Some(Step { facts: Facts::Tls(facts), .. }) =
                    steps.find(|step| step.phase() == Phase::Tls)
                    && let Some(seen) = &mut facts.exchanges
                {
                    seen.exchanges.push(*exchange);
                    seen.certificates.extend(certificate.map(|facts| *facts));
                }
            }
            Event::CutOff => attempt.cut_off = true,
            Event::Ended(at) => {
                flight.under_way = None;
                attempt.ended_ms = Some(at);
                seen.cut_short |= attempt.cut_off;
            }
        }
    }

    /// Waits for something that somebody who watches wants to see.
    pub(crate) async fn news(&self) {
        self.news.notified().await;
    }

    /// Since when an attempt's phase under way has had no answer.
    pub(crate) fn silent_since(&self, attempt: &Attempt) -> Option<Instant> {
        self.flights.get(attempt.id as usize)?.under_way.map(|(_, since)| since)
    }

    /// The silence under way of an attempt is waited for no longer.
    pub(crate) fn give_up(&self, id: u32) {
        if let Some(flight) = self.flights.get(id as usize) {
            flight.given_up.notify_one();
        }
    }
}
