//! What to ask next. Pure: observations in, recipes out.
//!
//! Each file here looks at one address and lists the questions whose answers can still change the verdict, the
//! deciding ones first. They list freely and without memory: what was asked already is struck out here, and what
//! may not start yet is held back.

mod credssp;
mod first;
mod repeat;
mod tls;
mod udp;
mod x224;

pub(crate) use x224::failure_code;

use rdprobe_report::{Ask, Depth, Observations, Offer, Protocols, Purpose, Recipe};

use crate::view::View;

/// Attempts on one address, at the most.
pub const MOST_ATTEMPTS: usize = 12;
/// Connections to one address at once, at the most: xrdp's backlog is two.
pub const MOST_AT_ONCE: usize = 4;

/// The attempts to start now. Called whenever an attempt ends; empty and nothing in flight means that the probe is
/// done.
pub fn plan(seen: &Observations) -> Vec<Recipe> {
    seen.addresses().into_iter().flat_map(|address| on_address(View::new(seen, address))).collect()
}

fn on_address(view: View<'_>) -> Vec<Recipe> {
    let wanted: [fn(View<'_>) -> Vec<Recipe>; 6] =
        [udp::wanted, first::wanted, repeat::wanted, x224::wanted, tls::wanted, credssp::wanted];
    let wanted = wanted.into_iter().flat_map(|questions| questions(view));
    schedule(view, wanted)
}

/// Strikes out what was asked already and holds back what may not start yet.
fn schedule(view: View<'_>, wanted: impl Iterator<Item = Recipe>) -> Vec<Recipe> {
    let over_tcp = |recipe: &Recipe| matches!(recipe.ask, Ask::Tcp { .. });
    let issued: Vec<_> = view.attempts().filter(|attempt| over_tcp(&attempt.recipe)).collect();
    let mut open = issued.iter().filter(|attempt| attempt.in_flight()).count();
    let mut total = issued.len();
    let alone_now = issued.iter().any(|attempt| attempt.in_flight() && attempt.recipe.alone);

    let mut starting: Vec<Recipe> = Vec::new();
    for recipe in wanted {
        let known = view.attempts().any(|attempt| attempt.recipe == recipe) || starting.contains(&recipe);
        if known {
            continue;
        }
        if !over_tcp(&recipe) {
            starting.push(recipe);
            continue;
        }
        let waits = alone_now || open >= MOST_AT_ONCE || (recipe.alone && open > 0);
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

    /// One TCP attempt with an offer of these protocols.
    fn recipe(
        self,
        purpose: Purpose,
        protocols: Option<Protocols>,
        hello: Option<&str>,
        depth: Depth,
    ) -> Recipe {
        let ask = Ask::Tcp { offer: Some(self.offer(protocols)), hello: hello.map(Into::into), depth };
        Recipe { purpose, address: self.address, alone: false, beside: None, ask }
    }

    /// One hello after the usual offer.
    fn hello(self, purpose: Purpose, hello: &str) -> Recipe {
        self.recipe(purpose, Some(self.usual_protocols()), Some(hello), Depth::Tls)
    }
}
