//! What stands for the logon in a build without it.

use std::convert::Infallible;

use rdprobe_diagnosis::Ground;
use rdprobe_protocol::Concluded;
use rdprobe_report::facts::CredsspFacts;
use rdprobe_report::{Facts, Failure, LocalFault};

use crate::channel::Channel;
use crate::context::Context;
use crate::drive::Until;
use crate::network::Network;

pub(crate) struct Ready(Infallible);

pub(crate) struct Outcome {
    pub(crate) concluded: Concluded,
    pub(crate) timed_out: bool,
}

pub(crate) async fn prepare<N: Network>(_: &Context<'_, N>, _: bool) -> Result<Ready, String> {
    Err("this build has no logon".into())
}

pub(crate) async fn run<N: Network>(
    _: &Context<'_, N>,
    _: &mut Channel<N::Stream>,
    ready: Ready,
    _: &Ground,
    _: &[Facts],
    _: Until,
) -> Outcome {
    match ready.0 {}
}

pub(crate) fn not_tried<N: Network>(_: &Context<'_, N>, why: String) -> Concluded {
    let facts = CredsspFacts { not_tried: Some(why.clone()), ..CredsspFacts::default() };
    Concluded {
        facts: Facts::Credssp(Box::new(facts)),
        failure: Some(Failure::local(LocalFault::Options, why)),
    }
}
