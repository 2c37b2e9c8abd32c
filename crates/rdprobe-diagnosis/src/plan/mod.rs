//! What to ask next. Pure: observations in, recipes out.
//!
//! Each file here looks at one address and lists the questions whose answers can still change the verdict, the
//! deciding ones first. They list freely and without memory: what was asked already is struck out here, and what
//! may not start yet is held back.

mod credssp;
mod enumeration;
mod first;
mod repeat;
mod silent;
mod tls;
mod udp;
mod usual_port;
mod x224;

pub use enumeration::{MOST_CONNECTIONS, decides, is_enumeration};
pub use udp::next_syn_version;

use rdprobe_report::{Ask, Attempt, Depth, Observations, Offer, Options, Protocols, Purpose, Recipe};

use crate::silence;
use crate::view::View;

/// Attempts on one address, at the most.
pub const MOST_ATTEMPTS: usize = 16;
/// Connections to one address at once, at the most, unless told otherwise: xrdp's backlog is two.
pub const MOST_AT_ONCE: usize = Options::PARALLEL as usize;

/// The attempts to start now. Called whenever an attempt ends or has been silent for [`silence_ms`]; empty and nothing
/// in flight means that the probe is done.
pub fn plan(seen: &Observations) -> Vec<Recipe> {
    let planned: Vec<Recipe> = views(seen).flat_map(on_address).collect();
    if planned.iter().any(over_tcp) {
        return planned;
    }
    planned.into_iter().chain(usual_port::wanted(seen)).chain(enumeration::wanted(seen)).collect()
}

/// `id`s of the attempts in flight whose silence is waited for no longer.
pub fn given_up(seen: &Observations) -> Vec<u32> {
    views(seen).flat_map(silent::given_up).collect()
}

/// For how long a step of this attempt is waited for before its silence raises questions, in milliseconds.
pub fn silence_ms(seen: &Observations, attempt: &Attempt) -> f64 {
    silence::least_ms(View::new(seen, attempt.recipe.address))
}

/// What could still have told something and was not asked: the plan's ceiling was reached, or the probe was ended.
pub(crate) fn not_asked(seen: &Observations) -> Vec<Recipe> {
    let open = |view: View<'_>| {
        let silent = silent::ended(view);
        let wanted = silent.map_or_else(|| questions(view), |silent| silent::last(view, silent));
        wanted.into_iter().filter(move |recipe| !asked(view, recipe)).collect::<Vec<_>>()
    };
    views(seen)
        .filter(|view| seen.cut_short || issued(*view).count() >= MOST_ATTEMPTS)
        .flat_map(open)
        .collect()
}

fn views(seen: &Observations) -> impl Iterator<Item = View<'_>> {
    seen.addresses().into_iter().map(move |address| View::new(seen, address))
}

fn on_address(view: View<'_>) -> Vec<Recipe> {
    if let Some((attempt, phase)) = silent::in_flight(view) {
        let wanted = udp::wanted(view).into_iter().chain(silent::questions(view, attempt, phase));
        return schedule(view, wanted, silent::MOST_BESIDE.min(most_at_once(view)));
    }
    if let Some(silent) = silent::ended(view) {
        let wanted = udp::wanted(view).into_iter().chain(silent::last(view, silent));
        return schedule(view, wanted, silent::MOST_BESIDE.min(most_at_once(view)));
    }
    schedule(view, questions(view).into_iter(), most_at_once(view))
}

/// Side by side: fewer where the user allows fewer, and never more than the questions were made for.
fn most_at_once(view: View<'_>) -> usize {
    usize::try_from(view.seen.options.parallel).unwrap_or(MOST_AT_ONCE).clamp(1, MOST_AT_ONCE)
}

/// Every question whose answer can still change the verdict, whether it was asked already or not.
fn questions(view: View<'_>) -> Vec<Recipe> {
    let wanted: [fn(View<'_>) -> Vec<Recipe>; 6] =
        [udp::wanted, first::wanted, repeat::wanted, x224::wanted, tls::wanted, credssp::wanted];
    wanted.into_iter().flat_map(|questions| questions(view)).collect()
}

/// The phase at which a deciding attempt has been silent for long, and for how many milliseconds.
pub(crate) fn silent_phase(view: View<'_>) -> Option<(rdprobe_report::Phase, f64)> {
    let (attempt, phase) = silent::in_flight(view)?;
    Some((phase, attempt.waiting?.silent_ms.0))
}

fn over_tcp(recipe: &Recipe) -> bool {
    matches!(recipe.ask, Ask::Tcp { .. })
}

/// The attempts over TCP on this address, those that came to count for nothing among them.
fn issued<'a>(view: View<'a>) -> impl Iterator<Item = &'a Attempt> {
    view.seen
        .attempts
        .iter()
        .filter(move |attempt| attempt.recipe.address == view.address && over_tcp(&attempt.recipe))
}

fn asked(view: View<'_>, recipe: &Recipe) -> bool {
    view.attempts().any(|attempt| attempt.recipe.asks_like(recipe))
}

/// Strikes out what was asked already and holds back what may not start yet.
fn schedule(view: View<'_>, wanted: impl Iterator<Item = Recipe>, most_at_once: usize) -> Vec<Recipe> {
    let mut open = issued(view).filter(|attempt| attempt.in_flight()).count();
    let mut total = issued(view).count();
    let alone_now = issued(view).any(|attempt| attempt.in_flight() && attempt.recipe.alone);

    let mut starting: Vec<Recipe> = Vec::new();
    for recipe in wanted {
        if asked(view, &recipe) || starting.iter().any(|other| other.asks_like(&recipe)) {
            continue;
        }
        if !over_tcp(&recipe) {
            starting.push(recipe);
            continue;
        }
        let waits = alone_now || open >= most_at_once || (recipe.alone && open > 0);
        if waits || total >= MOST_ATTEMPTS {
            // What comes later in the list would only delay this one.
            break;
        }
        let alone = recipe.alone;
        starting.push(recipe);
        open += 1;
        total += 1;
        if alone {
            break;
        }
    }
    starting
}

impl View<'_> {
    /// The offer that the user's client makes.
    pub(crate) fn usual_protocols(self) -> Protocols {
        if self.seen.options.no_nla { Protocols::SSL } else { Protocols::DEFAULT }
    }

    fn offer(self, protocols: Option<Protocols>) -> Offer {
        let options = &self.seen.options;
        Offer {
            protocols,
            flags: 0,
            cookie: options.cookie.clone(),
            routing_token: options.routing_token.clone(),
        }
    }

    /// How far beyond the security layer it was asked to go, where the host wants no CredSSP.
    fn beyond_tls(self) -> Option<Depth> {
        let options = &self.seen.options;
        match (options.licensing, options.mcs) {
            (true, _) => Some(Depth::Licensing),
            (false, true) => Some(Depth::Mcs),
            (false, false) => None,
        }
    }

    /// One TCP attempt with an offer of these protocols.
    fn recipe(
        self,
        purpose: Purpose,
        protocols: Option<Protocols>,
        hello: Option<&str>,
        depth: Depth,
    ) -> Recipe {
        let ask = Ask::Tcp { offer: Some(self.offer(protocols)), hello: hello.map(Into::into), depth };
        Recipe { purpose, address: self.address, alone: false, beside: None, patience_ms: None, ask }
    }

    /// One hello after the usual offer.
    fn hello(self, purpose: Purpose, hello: &str) -> Recipe {
        self.recipe(purpose, Some(self.usual_protocols()), Some(hello), Depth::Tls)
    }
}
