//! Every code, by phase.

use crate::Failure;
use crate::output::Output;
use crate::render::codes;

pub(crate) fn run(output: &mut Output) -> Result<u8, Failure> {
    let text = codes::list(output.prose_format(), output.screen);
    output.write(&text)?;
    Ok(0)
}
