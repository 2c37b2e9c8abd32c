//! The JSON Schema of the report.

use rdprobe_report::Report;

use crate::Failure;
use crate::output::Output;
use crate::render::json;

pub(crate) fn run(output: &mut Output) -> Result<u8, Failure> {
    output.write(&text())?;
    Ok(0)
}

pub(crate) fn text() -> String {
    json::pretty(&schemars::schema_for!(Report))
}
