//! What each exchange of an enumeration proves: an answer, a refusal, or nothing.

use rdprobe_report::facts::{About, Answer, Exchange, Exchanges, ServerHello, TlsFacts};
use rdprobe_report::{CipherSuite, Facts, HelloProfile, NamedGroup, Phase, Purpose, TlsVersion};

use crate::view::{View, answered, tls, tls_facts};

/// The exchanges of the address's enumeration, and what other handshakes there were seen to choose.
pub(super) struct Ledger<'a> {
    pub(super) seen: &'a Exchanges,
    pub(super) others: Vec<&'a TlsFacts>,
}

impl<'a> Ledger<'a> {
    pub(super) fn of(view: View<'a>) -> Option<Self> {
        let attempt = view.attempts().find(|attempt| attempt.recipe.purpose == Purpose::TlsEnumeration)?;
        let Facts::Tls(facts) = &attempt.step(Phase::Tls)?.facts else { return None };
        let seen = facts.exchanges.as_deref()?;
        let others = view.attempts().filter(|attempt| answered(attempt)).filter_map(tls).map(tls_facts);
        Some(Self { seen, others: others.collect() })
    }

    /// Every exchange with its number.
    pub(super) fn exchanges(&self) -> impl Iterator<Item = (usize, &'a Exchange)> {
        self.seen.exchanges.iter().enumerate()
    }

    /// The ServerHellos that choose from what was offered.
    pub(super) fn hellos(&self) -> impl Iterator<Item = (&'a Exchange, &'a ServerHello)> {
        self.seen.exchanges.iter().filter_map(|exchange| Some((exchange, answer(exchange)?)))
    }

    /// Whether everything that was offered was refused. An alert that speaks of the offer says so, another one where a
    /// later hello was answered, and so does an answer from outside the offer. Hanging up says it where the host hung up on a hello that was alone too, and answered one that
    /// was asked later: else a limit or a ban looks the same.
    pub(super) fn is_refused(&self, place: usize) -> bool {
        let Some(exchange) = self.seen.exchanges.get(place) else { return false };
        match &exchange.answer {
            Answer::ServerHello(_) => answer(exchange).is_none(),
            Answer::NotReached { .. } => false,
            alert if alert.refuses_the_offer() => true,
            Answer::Alert { .. } => self.is_answered_after(place),
            _ => {
                let hangs_up = self.exchanges().take(place + 1).any(|(earlier, other)| {
                    other.alone && is_hang_up(&other.answer) && self.is_answered_after(earlier)
                });
                hangs_up && self.is_answered_after(place)
            }
        }
    }

    fn is_answered_after(&self, place: usize) -> bool {
        self.hellos().any(|(exchange, _)| exchange.began_after as usize > place)
    }

    /// Version, suite and group of every handshake that was answered, within the enumeration or before it.
    pub(super) fn chosen(&self) -> impl Iterator<Item = (TlsVersion, CipherSuite, Option<NamedGroup>)> {
        let others = self.others.iter().filter_map(|facts| Some((facts.version?, facts.suite?, facts.group)));
        self.hellos().map(|(_, hello)| (hello.version, hello.suite, hello.group)).chain(others)
    }

    /// The suites that are known to be accepted under this version, ascending.
    pub(super) fn accepted(&self, version: TlsVersion) -> Vec<CipherSuite> {
        let mut suites: Vec<CipherSuite> =
            self.chosen().filter(|(other, ..)| *other == version).map(|(_, suite, _)| suite).collect();
        suites.sort_unstable();
        suites.dedup();
        suites
    }

    /// The questions for suites that were refused whole, by the highest version that they offered.
    pub(super) fn refused_suites(&self) -> impl Iterator<Item = (TlsVersion, &'a [CipherSuite])> {
        self.exchanges()
            .filter(|(_, exchange)| exchange.asked.about == About::Suites)
            .filter(|(place, _)| self.is_refused(*place))
            .filter_map(|(_, exchange)| Some((exchange.asked.version?, &exchange.asked.suites.0[..])))
    }
}

fn is_hang_up(answer: &Answer) -> bool {
    !matches!(answer, Answer::ServerHello(_) | Answer::NotReached { .. } | Answer::Alert { .. })
}

/// The ServerHello of an exchange, where it chooses from what was offered.
fn answer(exchange: &Exchange) -> Option<&ServerHello> {
    let hello = exchange.answer.server_hello()?;
    let asked = &exchange.asked;
    let within = match (asked.version, asked.client.as_deref().and_then(HelloProfile::client)) {
        (Some(version), _) => {
            let fits = match version >= TlsVersion::TLS_1_3 {
                true => hello.version == version,
                false => hello.version <= version,
            };
            fits && asked.suites.0.contains(&hello.suite)
        }
        (None, Some(client)) => client.offers(hello.version, hello.suite),
        (None, None) => false,
    };
    within.then_some(hello)
}
