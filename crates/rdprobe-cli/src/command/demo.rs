//! `rdprobe demo`.

use crate::Failure;
use crate::output::Output;

pub(crate) fn run(_: &mut Output) -> Result<u8, Failure> {
    Err(Failure::Fault("the demo's hosts are not built yet".into()))
}
