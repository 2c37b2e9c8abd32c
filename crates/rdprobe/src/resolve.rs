//! The name, and the addresses to which it leads.

use std::net::IpAddr;
use std::time::Duration;

use rdprobe_report::facts::DnsFacts;
use rdprobe_report::{
    Facts, Failure, FailureEvidence, FailureKind, Limit, Millis, Step, StepOutcome, Target,
};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, sleep, timeout_at};

use crate::context::Context;
use crate::network::{Network, ResolveError, passes};

/// Addresses of one name that are probed at the most.
const MOST_ADDRESSES: usize = 8;

/// Address families to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Family {
    /// Both.
    #[default]
    Any,
    /// IPv4 alone.
    V4,
    /// IPv6 alone.
    V6,
}

impl Family {
    fn admits(self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
        }
    }
}

pub(crate) async fn resolve<N: Network>(
    context: &Context<'_, N>,
    target: &Target,
    family: Family,
    only_address: Option<IpAddr>,
) -> Step {
    let literal = only_address.or(target.ip());
    let (from, answer) = match literal {
        Some(address) => (Instant::now(), Ok(Ok(vec![address]))),
        None => resolve_patiently(context, &target.host).await,
    };
    let mut facts = DnsFacts { literal: literal.is_some(), ..DnsFacts::default() };
    let failure = match answer {
        Ok(Ok(addresses)) => {
            let probed: Vec<IpAddr> = addresses
                .iter()
                .copied()
                .filter(|address| family.admits(*address))
                .take(MOST_ADDRESSES)
                .collect();
            facts.not_probed =
                addresses.iter().copied().filter(|address| !probed.contains(address)).collect();
            facts.addresses = addresses;
            None
        }
        Ok(Err(error)) => {
            facts.resolver_error = Some(error.name);
            Some(match error.fault {
                Some(fault) => *fault,
                None => Failure::new(FailureKind::Rejected, error.detail),
            })
        }
        Err(_) => {
            let limit = if Instant::now() < context.deadline() { Limit::Phase } else { Limit::Deadline };
            let silence = FailureEvidence::Silence { silent_ms: Millis::from(from.elapsed()), limit };
            Some(Failure::new(FailureKind::Timeout, "the resolver gave no answer").with(silence))
        }
    };
    Step {
        facts: Facts::Dns(facts),
        outcome: if failure.is_none() { StepOutcome::Ok } else { StepOutcome::Failed },
        started_ms: Millis::from(from.duration_since(context.started)),
        duration_ms: Millis::from(from.elapsed()),
        bytes_sent: 0,
        bytes_received: 0,
        failure,
    }
}

/// Asks again until the deadline where our own side has no socket for it now. With the answer, when the last question
/// was asked.
async fn resolve_patiently<N: Network>(
    context: &Context<'_, N>,
    host: &str,
) -> (Instant, Result<Result<Vec<IpAddr>, ResolveError>, Elapsed>) {
    const PAUSE: Duration = Duration::from_millis(50);
    let _open = context.admit(context.admission.resolver()).await;
    loop {
        let from = Instant::now();
        let until = (from + context.timeouts.phase).min(context.deadline());
        let answer = timeout_at(until, context.network.resolve(host)).await;
        let again = matches!(&answer, Ok(Err(ResolveError { fault: Some(fault), .. })) if passes(fault));
        if !again || Instant::now() + PAUSE >= context.deadline() {
            return (from, answer);
        }
        sleep(PAUSE).await;
    }
}
