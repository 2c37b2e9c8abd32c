//! `rdprobe demo`: hosts that fail in telling ways, on this computer, probed as a user would.

use futures_util::stream::{self, StreamExt as _};
use rdprobe::network::Tokio;
use rdprobe::{ParseTargetError, Trust};
use rdprobe_testkit::demo::Demo;

use crate::Failure;
use crate::args::Format;
use crate::output::Output;
use crate::progress::Progress;
use crate::render::demo::{self, Shown};
use crate::render::json;
use crate::run::{Settings, runtime};

/// Exit code 0 where every host got the verdict that it should.
pub(crate) fn run(output: &mut Output) -> Result<u8, Failure> {
    let hosts = Demo::start().map_err(|error| format!("cannot start the demo's hosts: {error}"))?;
    let settings = Settings::nearby(Trust::from_roots(vec![hosts.ca.clone()]));
    let runtime = runtime(false)?;
    let result = runtime.block_on(drive(&hosts, &settings, output));
    runtime.shutdown_background();
    let shown = result?;
    Ok(if shown.iter().all(Shown::is_right) { 0 } else { crate::FAULT })
}

async fn drive(hosts: &Demo, settings: &Settings, output: &mut Output) -> Result<Vec<Shown>, Failure> {
    let human = output.prose_format() == Format::Human;
    let mut probes = Vec::new();
    for host in &hosts.hosts {
        let target = host.target.parse().map_err(|error: ParseTargetError| error.to_string())?;
        probes.push(async move { (host, settings.probe(target).run_on(&Tokio).await) });
    }
    // All at once, shown in order.
    let mut probes = std::pin::pin!(stream::iter(probes).buffered(hosts.hosts.len().max(1)));
    let mut progress = Progress::new(!human);
    let mut lingering = Vec::new();
    let mut shown = Vec::new();
    if human {
        output.write(&demo::begin(hosts.hosts.len(), output.screen))?;
    }
    loop {
        tokio::select! {
            next = probes.next() => {
                progress.erase();
                let Some((host, probed)) = next else { break };
                lingering.push(probed.lingering);
                let one = Shown::new(host, Box::new(probed.report));
                if human {
                    output.write(&demo::one(&one, output.screen))?;
                }
                shown.push(one);
            }
            () = progress.due() => progress.show("the next one is waited for"),
        }
    }
    let text = match output.prose_format() {
        Format::Json => json::pretty(&shown),
        Format::Ndjson => shown.iter().map(json::line).collect(),
        _ => demo::end(&shown, output.screen),
    };
    output.write(&text)?;
    for connections in lingering {
        connections.finish().await;
    }
    Ok(shown)
}
