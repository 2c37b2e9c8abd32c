//! What a host speaks of TLS: every version, suite and group, over as few connections as that takes.
//!
//! Each ServerHello proves one suite and one group, and a refusal refuses all that was offered; so what the host chooses
//! is peeled off until it refuses the rest. Answers in, next hellos out, as many side by side as are wanted; no bytes, no
//! sockets, no clock. Where the peeling depends on guesses (what is likely, how to part it), a wrong guess costs
//! connections and never an answer.

mod peel;
mod pool;
mod question;
mod suspicion;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use rdprobe_report::facts::{About, Answer, Asked, EnumerationEnd, Exchange, Exchanges, ServerHello};
use rdprobe_report::{Authentication, CipherSuite, FailureKind, HelloProfile, NamedGroup, TlsVersion};

use self::peel::{Peel, is_likely_group, shows_group};
use self::question::{Kind, Question};
use self::suspicion::{Finding, Suspicion};
use crate::certificate;

pub use self::question::{NOBODY, profile};

/// From the newest down.
const VERSIONS: [TlsVersion; 5] =
    [TlsVersion::TLS_1_3, TlsVersion::TLS_1_2, TlsVersion::TLS_1_1, TlsVersion::TLS_1_0, TlsVersion::SSL_3_0];
/// Certificates that are kept; a host has a handful, and a hostile one a new one for each connection.
const MOST_CERTIFICATES: usize = 16;
/// Suites of a version after which the next part is expected to be answered too.
const RICH: usize = 3;
/// Times that a question is asked which does not reach the host.
const MOST_TRIES: u32 = 3;

/// What is to be found out, and how much that may cost.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The name that a client sends; none where the host is an address.
    pub server_name: Option<String>,
    /// Clients whose own hello is sent, by their ids.
    pub clients: Vec<String>,
    /// Connections at the most.
    pub connections: u32,
    /// Connections side by side at the most.
    pub parallel: u32,
    /// What other handshakes with the host were seen to choose: version, suite and group.
    pub known: Vec<(TlsVersion, CipherSuite, Option<NamedGroup>)>,
}

/// What to do now.
#[derive(Debug)]
pub enum Next {
    /// Connect and send this hello.
    Ask(Box<Hello>),
    /// Nothing, until an answer comes.
    Wait,
    /// Nothing for so long.
    Pause(Duration),
    /// Nothing any more.
    Done,
}

/// A hello to send.
#[derive(Debug)]
pub struct Hello {
    /// Comes back with the answer.
    pub id: u32,
    /// What it offers.
    pub profile: HelloProfile,
    /// The name that it bears.
    pub server_name: Option<String>,
}

/// The enumeration of one host.
#[derive(Debug)]
pub struct Enumerator {
    scope: Scope,
    seen: Exchanges,
    peels: Vec<Peel>,
    clients: VecDeque<String>,
    /// What is asked with another name than the host's, or of application protocols.
    asides: VecDeque<(About, Option<String>)>,
    /// The same, to be asked with suites that are known to be accepted.
    certain_asides: VecDeque<(About, Option<String>)>,
    /// Questions to be asked once more.
    again: VecDeque<Question>,
    in_flight: Vec<Flight>,
    /// Questions that came to no clear answer.
    held: Vec<Held>,
    suspicion: Suspicion,
    last_answered: Option<Asked>,
    made: u32,
}

#[derive(Debug)]
struct Held {
    question: Question,
    answer: Answer,
    /// The place of its exchange.
    place: u32,
}

#[derive(Debug)]
struct Flight {
    id: u32,
    question: Question,
    began_after: u32,
}

impl Enumerator {
    /// Nothing asked yet.
    pub fn new(scope: Scope) -> Self {
        let lanes = usize::try_from(scope.parallel).unwrap_or(1).max(1);
        let mut peels: Vec<Peel> = VERSIONS.iter().map(|version| Peel::new(*version, lanes)).collect();
        for (version, suite, group) in &scope.known {
            if let Some(peel) = peels.iter_mut().find(|peel| peel.version == *version) {
                peel.find(*suite, *group);
            }
        }
        let without = scope.server_name.is_some().then_some((About::ServerName, None));
        let nobody = (About::ServerName, Some(NOBODY.to_owned()));
        let alpn = (About::Alpn, scope.server_name.clone());
        Self {
            clients: scope.clients.iter().cloned().collect(),
            asides: without.into_iter().chain([nobody, alpn]).collect(),
            certain_asides: VecDeque::new(),
            scope,
            seen: Exchanges::default(),
            peels,
            again: VecDeque::new(),
            in_flight: Vec::new(),
            held: Vec::new(),
            suspicion: Suspicion::default(),
            last_answered: None,
            made: 0,
        }
    }

    /// What was seen so far.
    pub fn seen(&self) -> &Exchanges {
        &self.seen
    }

    /// Connections that were asked for so far, and suites that were found.
    pub fn progress(&self) -> (u32, usize) {
        (self.made, self.peels.iter().map(|peel| peel.suites.found().len()).sum())
    }

    /// Ends it; what is in flight counts no more.
    pub fn stop(&mut self, why: EnumerationEnd) {
        self.seen.ended.get_or_insert(why);
    }

    /// What was seen, at the end.
    pub fn finish(mut self) -> Exchanges {
        self.stop(EnumerationEnd::Stopped);
        self.seen
    }

    /// What to do now. To be called until it says to wait, and again after each answer.
    pub fn advance(&mut self) -> Next {
        if self.seen.ended.is_some() {
            return Next::Done;
        }
        if self.made >= self.scope.connections {
            if !self.in_flight.is_empty() {
                return Next::Wait;
            }
            self.stop(EnumerationEnd::Budget);
            return Next::Done;
        }
        if self.suspicion.is_raised() {
            if !self.in_flight.is_empty() {
                return Next::Wait;
            }
            if let Some(pause) = self.suspicion.take_pause() {
                return Next::Pause(pause);
            }
            let control = self.control();
            return self.ask(control);
        }
        let alone = self.in_flight.iter().any(|flight| flight.question.alone);
        let lanes = if self.suspicion.is_slow() { 1 } else { self.scope.parallel.max(1) as usize };
        if alone || self.in_flight.len() >= lanes {
            return Next::Wait;
        }
        match self.question() {
            Some(question) => self.ask(question),
            None if self.in_flight.is_empty() && !self.held.is_empty() => {
                self.suspicion.raise();
                self.advance()
            }
            None if self.in_flight.is_empty() => {
                self.stop(EnumerationEnd::Complete);
                Next::Done
            }
            None => Next::Wait,
        }
    }

    fn ask(&mut self, question: Question) -> Next {
        let Some(profile) = profile(&question.asked) else {
            // A client that nobody knows has no hello to be asked with.
            return self.advance();
        };
        let (id, server_name) = (self.made, question.asked.server_name.clone());
        self.made += 1;
        let began_after = u32::try_from(self.seen.exchanges.len()).unwrap_or(u32::MAX);
        self.in_flight.push(Flight { id, question, began_after });
        Next::Ask(Box::new(Hello { id, profile, server_name }))
    }

    /// Takes the answer to a hello, with the certificates that were read in clear, leaf first.
    pub fn answer(&mut self, id: u32, answer: Answer, chain: &[Vec<u8>]) {
        let Some(place) = self.in_flight.iter().position(|flight| flight.id == id) else { return };
        let Flight { question, began_after, .. } = self.in_flight.remove(place);
        if self.seen.ended.is_some() {
            return;
        }
        self.keep_certificate(&answer, chain);
        let place = u32::try_from(self.seen.exchanges.len()).unwrap_or(u32::MAX);
        let exchange = Exchange {
            asked: question.asked.clone(),
            answer: answer.clone(),
            began_after,
            alone: question.alone,
        };
        self.seen.exchanges.push(exchange);
        match &answer {
            Answer::ServerHello(hello) if is_within(&question, hello) => {
                self.take_hello(question, hello);
                self.believe(began_after);
            }
            _ if question.kind == Kind::Control => self.take_control(false, &answer),
            // It chooses from what was not offered, and so from nothing of what was.
            Answer::ServerHello(_) => self.take_refusal(question),
            answer if answer.refuses_the_offer() => {
                self.suspicion.refused();
                self.take_refusal(question);
            }
            answer => {
                self.held.push(Held { question, answer: answer.clone(), place });
                if self.is_suspicious() {
                    self.suspicion.raise();
                }
            }
        }
    }

    /// One that hung up may have its reasons, and what was asked later may tell; several, or a connection that was not
    /// taken, are a ban until a control says otherwise.
    fn is_suspicious(&self) -> bool {
        let hung_up = self.held.iter().filter(|held| !matches!(held.answer, Answer::Alert { .. })).count();
        let turned_away = self.held.iter().any(|held| matches!(held.answer, Answer::NotReached { .. }));
        turned_away || hung_up > 1
    }

    /// A hello was answered that was sent when so many exchanges had ended: what came to no clear answer before that was
    /// not the host's state.
    fn believe(&mut self, began_after: u32) {
        if self.suspicion.is_raised() {
            return;
        }
        let held = std::mem::take(&mut self.held);
        let (earlier, later): (Vec<Held>, Vec<Held>) =
            held.into_iter().partition(|held| held.place < began_after);
        self.held = later;
        for held in earlier {
            self.judge_held(held.question, &held.answer);
        }
    }

    fn keep_certificate(&mut self, answer: &Answer, chain: &[Vec<u8>]) {
        let sha256 = answer.server_hello().and_then(|hello| hello.certificate.as_ref());
        let known = |facts: &rdprobe_report::facts::CertificateFacts| facts.sha256.as_ref() == sha256;
        let room = self.seen.certificates.len() < MOST_CERTIFICATES;
        if sha256.is_some() && room && !self.seen.certificates.iter().any(known) {
            self.seen.certificates.push(certificate::certificate_facts(chain));
        }
    }

    fn peel(&mut self, version: TlsVersion) -> Option<&mut Peel> {
        self.peels.iter_mut().find(|peel| peel.version == version)
    }

    fn take_hello(&mut self, question: Question, hello: &ServerHello) {
        self.suspicion.answered();
        if let Some(peel) = self.peel(hello.version) {
            peel.find(hello.suite, hello.group);
        }
        if question.kind == Kind::Control {
            return self.take_control(true, &Answer::Closed);
        }
        self.last_answered = Some(question.asked.clone());
        if let Some(version) = question.asked.version
            && let Some(peel) = self.peel(version)
        {
            peel.answered = true;
            if hello.version != version {
                peel.suites.strike(hello.suite);
            }
            // A server chooses the best that it has (RFC 5246 E.1).
            self.refuse_versions(|other| other > hello.version && other <= version);
        }
        self.settle(question, Settled::Answered);
    }

    fn refuse_versions(&mut self, refused: impl Fn(TlsVersion) -> bool) {
        let open = self.peels.iter_mut().filter(|peel| peel.accepted.is_none());
        open.filter(|peel| refused(peel.version)).for_each(|peel| peel.accepted = Some(false));
    }

    fn take_refusal(&mut self, question: Question) {
        let version = question.version();
        let is_13 = version >= TlsVersion::TLS_1_3;
        let peels_suites = matches!(question.kind, Kind::Opening | Kind::Suites { .. });
        if let Some(peel) = self.peel(version).filter(|peel| peels_suites && peel.accepted == Some(true)) {
            let narrowed = matches!(question.kind, Kind::Suites { narrowed: true });
            if is_13 && !peel.key_shares && !peel.answered && !narrowed {
                // It was seen to speak TLS 1.3, and every group was on offer: it is the missing key share that it minds.
                peel.key_shares = true;
                return self.settle(question, Settled::Back);
            }
            if question.kind == Kind::Opening {
                // It was seen to speak the version meanwhile: the hello was too much at once.
                return self.settle(question, Settled::Back);
            }
        }
        if question.kind == Kind::Opening {
            self.refuse_versions(|other| if is_13 { other == version } else { other <= version });
        }
        self.settle(question, Settled::Refused);
    }

    /// Gives the parts of a question back to what they were dealt from.
    fn settle(&mut self, question: Question, settled: Settled) {
        let version = question.version();
        let Some(peel) = self.peel(version) else { return };
        let (suites, groups) = (question.suites(), &question.groups);
        let expects = peel.expects();
        match question.kind {
            Kind::Opening => match settled {
                Settled::Answered => peel.suites.answered(suites, expects),
                Settled::Refused => peel.suites.refused(suites),
                Settled::Back => peel.suites.back(suites),
                Settled::GivenUp => peel.suites.give_up(suites),
            },
            Kind::Suites { narrowed } => {
                match settled {
                    Settled::Answered => peel.suites.answered(suites, expects),
                    // It may have been the groups.
                    Settled::Refused if narrowed => peel.suites.back(suites),
                    Settled::Refused => peel.suites.refused(suites),
                    Settled::Back => peel.suites.back(suites),
                    Settled::GivenUp => peel.suites.give_up(suites),
                }
                if narrowed {
                    peel.narrows &= settled != Settled::Refused;
                    match settled {
                        Settled::Answered => peel.groups.answered(groups, is_likely_group),
                        _ => peel.groups.back(groups),
                    }
                }
            }
            Kind::Groups => match settled {
                // A group from beside the part tells no more than a refusal.
                Settled::Answered if groups.iter().any(|group| peel.groups.found().contains(group)) => {
                    peel.groups.answered(groups, is_likely_group);
                }
                Settled::Answered | Settled::Refused => peel.groups.refused(groups),
                Settled::Back => peel.groups.back(groups),
                Settled::GivenUp => peel.groups.give_up(groups),
            },
            Kind::Aside { dealt: true } => match settled {
                Settled::Answered => peel.suites.answered(suites, expects),
                // The name may be to blame or the suites: it is asked again with one that is known.
                _ => {
                    peel.suites.back(suites);
                    self.certain_asides.push_back((question.asked.about, question.asked.server_name));
                }
            },
            Kind::Aside { dealt: false } | Kind::Preference | Kind::Client | Kind::Control => {}
        }
    }

    fn take_control(&mut self, answered: bool, answer: &Answer) {
        match self.suspicion.control(answered) {
            Finding::Unwell => {}
            Finding::TurnedAway => self.stop(match answer {
                Answer::NotReached { failure: FailureKind::Local, .. } => EnumerationEnd::Local,
                _ => EnumerationEnd::TurnedAway,
            }),
            Finding::Recovered => {
                for held in std::mem::take(&mut self.held) {
                    self.ask_again(held.question, false);
                }
            }
            Finding::Well => {
                for held in std::mem::take(&mut self.held) {
                    self.judge_held(held.question, &held.answer);
                }
            }
        }
    }

    /// The host is as it was, so the end that a question came to is the question's own: a refusal, where the host said so
    /// in TLS, hung up on the hello when it was alone too, or is known to refuse like that.
    fn judge_held(&mut self, question: Question, answer: &Answer) {
        if matches!(answer, Answer::NotReached { .. }) {
            return self.ask_again(question, true);
        }
        let alert = matches!(answer, Answer::Alert { .. });
        if question.alone && !alert {
            self.suspicion.learn_that_it_hangs_up();
        }
        if alert || question.alone || self.suspicion.hangs_up() {
            self.take_refusal(question);
        } else {
            self.ask_again(question, true);
        }
    }

    fn ask_again(&mut self, mut question: Question, alone: bool) {
        question.tries += 1;
        question.alone = alone;
        if question.tries < MOST_TRIES {
            self.again.push_back(question);
        } else {
            self.settle(question, Settled::GivenUp);
        }
    }

    /// The hello that was answered last, else one that offers what the host was seen to choose.
    fn control(&self) -> Question {
        let known = || {
            let version = self.scope.known.iter().map(|(version, ..)| *version).max();
            let version = version.unwrap_or(TlsVersion::TLS_1_2);
            let chosen = self.scope.known.iter().filter(|(other, ..)| *other == version);
            let suites = chosen.map(|(_, suite, _)| *suite).collect();
            let mut question = Question::new(Kind::Control, About::Control, version, suites);
            question.asked.key_shares = true;
            question.asked.server_name.clone_from(&self.scope.server_name);
            question.asked
        };
        let asked = self.last_answered.clone().unwrap_or_else(known);
        let mut control = Question::new(Kind::Control, About::Control, TlsVersion::TLS_1_2, Vec::new());
        control.asked = Asked { about: About::Control, ..asked };
        control.alone = true;
        control
    }

    /// The next question that may be asked now.
    fn question(&mut self) -> Option<Question> {
        let idle = self.in_flight.is_empty();
        if self.again.front().is_some_and(|question| idle || !question.alone) {
            return self.again.pop_front();
        }
        // What must be asked alone is not kept waiting by others.
        if !self.again.is_empty() {
            return None;
        }
        // What clients get is found too, so that a version need not be opened which one of them has shown.
        let mut question = self
            .client()
            .or_else(|| self.opening())
            .or_else(|| self.suites())
            .or_else(|| self.groups())
            .or_else(|| self.aside())
            .or_else(|| self.preference())?;
        let named = [Kind::Aside { dealt: true }, Kind::Aside { dealt: false }].contains(&question.kind);
        if !named {
            question.asked.server_name = self.scope.server_name.clone();
        }
        Some(question)
    }

    /// Does the host speak the version at all? TLS 1.2 and 1.1 are asked side by side, what is below once that is known:
    /// one refusal refuses all that is below too.
    fn opening(&mut self) -> Option<Question> {
        let opens = |version, in_flight: &[Flight]| {
            in_flight
                .iter()
                .any(|flight| flight.question.kind == Kind::Opening && flight.question.version() == version)
        };
        let below_settled = |peels: &[Peel], version: TlsVersion| {
            version >= TlsVersion::TLS_1_1
                || peels.iter().all(|peel| {
                    peel.version <= version || peel.version > TlsVersion::TLS_1_1 || peel.accepted.is_some()
                })
        };
        let place = self.peels.iter().position(|peel| {
            peel.accepted.is_none()
                && peel.suites.has_open()
                && !opens(peel.version, &self.in_flight)
                && below_settled(&self.peels, peel.version)
        })?;
        let peel = &mut self.peels[place];
        let suites = peel.suites.deal_all();
        Some(Question::new(Kind::Opening, About::Suites, peel.version, suites))
    }

    fn client(&mut self) -> Option<Question> {
        let client = self.clients.pop_front()?;
        let mut question = Question::new(Kind::Client, About::Client, TlsVersion::TLS_1_2, Vec::new());
        question.asked.version = None;
        question.asked.client = Some(client);
        Some(question)
    }

    /// The versions that the host speaks, those first of which most is expected.
    fn accepted(&self) -> impl Iterator<Item = usize> + use<> {
        let order = [1, 0, 2, 3, 4];
        let accepted: Vec<usize> =
            order.into_iter().filter(|place| self.peels[*place].accepted == Some(true)).collect();
        accepted.into_iter()
    }

    fn suites(&mut self) -> Option<Question> {
        self.accepted().find_map(|place| self.part_of_suites(place))
    }

    fn part_of_suites(&mut self, place: usize) -> Option<Question> {
        let best_below = self.best_below_13();
        let peel = &mut self.peels[place];
        let version = peel.version;
        let is_13 = version >= TlsVersion::TLS_1_3;
        let mut part = peel.suites.deal(peel.expects())?;
        let first = peel.suites.found().is_empty();
        let expected = peel.expects();
        // A host of which much was found answers the next part too, whatever the name.
        let rich = peel.suites.found().len() >= RICH && part.iter().any(|suite| expected(*suite));
        if !is_13
            && rich
            && let Some((about, name)) = self.asides.pop_front()
        {
            let mut question = Question::new(Kind::Aside { dealt: true }, about, version, part);
            question.asked.server_name = name;
            return Some(question);
        }
        // The groups of one version below TLS 1.3 are those of all.
        let wanted = is_13 || best_below == Some(version);
        let both = part.iter().take_while(|suite| shows_group(**suite) && expected(**suite)).count();
        let mut groups = None;
        if wanted && !first && peel.narrows && !peel.key_shares && both > 0 {
            groups = peel.groups.deal(is_likely_group);
            if let Some(dealt) = groups.take_if(|dealt| !dealt.iter().all(|group| is_likely_group(*group))) {
                // Nothing is expected of it, and a refusal would say nothing of either.
                peel.groups.back(&dealt);
            }
        }
        if groups.is_some() {
            peel.suites.shorten(&mut part, both);
        }
        let kind = Kind::Suites { narrowed: groups.is_some() };
        let mut question = Question::new(kind, About::Suites, version, part);
        question.asked.key_shares = peel.key_shares;
        if let Some(dealt) = groups {
            question.asked.about = About::Groups;
            question.asked.groups = Some(dealt.clone());
            question.groups = dealt;
        }
        Some(question)
    }

    fn best_below_13(&self) -> Option<TlsVersion> {
        self.peels
            .iter()
            .filter(|peel| peel.version < TlsVersion::TLS_1_3 && peel.accepted == Some(true))
            .map(|peel| peel.version)
            .max()
    }

    fn groups(&mut self) -> Option<Question> {
        let best_below = self.best_below_13();
        let key_curves: Vec<NamedGroup> = self.key_curves();
        let own = |peel: &&mut Peel| peel.version >= TlsVersion::TLS_1_3 || Some(peel.version) == best_below;
        for peel in self.peels.iter_mut().filter(own) {
            let suites = peel.ephemeral();
            if suites.is_empty() || peel.key_shares {
                continue;
            }
            let Some(part) = peel.groups.deal(is_likely_group) else { continue };
            let mut offered = part.clone();
            let is_ecdsa = |suite: &CipherSuite| suite.authentication() == Some(Authentication::Ecdsa);
            if suites.iter().all(is_ecdsa) {
                // The curve of the key must be among the groups (RFC 8422 5.1).
                offered.extend(key_curves.iter().filter(|curve| !part.contains(curve)));
            }
            let mut question = Question::new(Kind::Groups, About::Groups, peel.version, suites);
            question.asked.groups = Some(offered);
            question.groups = part;
            return Some(question);
        }
        None
    }

    /// The curves of the keys that the host has shown.
    fn key_curves(&self) -> Vec<NamedGroup> {
        let keys = self.seen.certificates.iter().filter_map(|facts| facts.key.as_ref());
        keys.filter_map(|key| key.curve.as_deref()?.parse().ok()).collect()
    }

    /// Asked with suites that are known, where there was no part left to ask with.
    fn aside(&mut self) -> Option<Question> {
        let best = self.best_below_13()?;
        let suites = self.peel(best)?.suites.found().to_vec();
        let (about, name) = self.certain_asides.pop_front().or_else(|| self.asides.pop_front())?;
        let mut question = Question::new(Kind::Aside { dealt: false }, about, best, suites);
        question.asked.server_name = name;
        Some(question)
    }

    /// Two suites in the order against which the host has not chosen yet, where every choice so far was the first that
    /// it could make.
    fn preference(&mut self) -> Option<Question> {
        for place in self.accepted() {
            let version = self.peels[place].version;
            if std::mem::replace(&mut self.peels[place].preference_asked, true) {
                continue;
            }
            let found = self.peels[place].suites.found().to_vec();
            if let Some(pair) = undecided(&self.seen.exchanges, version, &found) {
                let mut question = Question::new(Kind::Preference, About::Preference, version, pair);
                question.asked.key_shares = self.peels[place].key_shares;
                return Some(question);
            }
        }
        None
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Settled {
    Answered,
    Refused,
    Back,
    GivenUp,
}

/// Whether a ServerHello chooses from what was offered. A client's hello is measured by whoever judges it.
fn is_within(question: &Question, hello: &ServerHello) -> bool {
    let Some(version) = question.asked.version else { return true };
    let is_13 = version >= TlsVersion::TLS_1_3;
    let fits = if is_13 {
        hello.version == version
    } else {
        hello.version <= version && hello.version >= TlsVersion::SSL_3_0
    };
    let groups = question.asked.groups.as_ref();
    fits && question.suites().contains(&hello.suite)
        && hello.group.is_none_or(|group| groups.is_none_or(|groups| groups.contains(&group)))
}

/// Two accepted suites, the one that was chosen second: none where the host has already chosen a later one, or there are
/// no two.
fn undecided(exchanges: &[Exchange], version: TlsVersion, found: &[CipherSuite]) -> Option<Vec<CipherSuite>> {
    let mut pair = None;
    // Where groups or a protocol are asked about, the choice may be theirs.
    let telling = [About::Suites, About::ServerName, About::Preference];
    for exchange in exchanges.iter().filter(|exchange| telling.contains(&exchange.asked.about)) {
        let Some(hello) = exchange.answer.server_hello().filter(|hello| hello.version == version) else {
            continue;
        };
        let mut offered = exchange.asked.suites.0.iter().copied().filter(|suite| found.contains(suite));
        match offered.next() {
            Some(first) if first == hello.suite => {}
            Some(_) => return None,
            None => continue,
        }
        pair = pair.or(offered.next().map(|other| vec![other, hello.suite]));
    }
    pair.or_else(|| Some(vec![*found.get(1)?, *found.first()?]))
}
