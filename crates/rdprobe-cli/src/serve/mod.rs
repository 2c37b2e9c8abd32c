//! `rdprobe serve`: a multi-target exporter for Prometheus.
//!
//! A request names a target and a module; it is probed there and then, and answered with metrics. What may be asked,
//! and of whom, is decided by the pure parts ([`allow`], [`scrape`], [`guard`], [`config`]); [`probe`] runs it.

pub(crate) mod allow;
mod app;
pub(crate) mod config;
mod guard;
mod html;
mod own;
mod pages;
mod probe;
mod process;
mod recent;
pub(crate) mod reference;
mod routes;
mod scrape;
mod server;

use std::path::Path;
use std::sync::Arc;

use rdprobe::Admission;
use tokio::net::TcpListener;
use tracing::info;

use crate::Failure;
use crate::args::ServeArguments;
use crate::output::Output;
use crate::run::runtime;
use app::App;
use config::{Config, File, Ground};

/// Connections beside those of the probes that run: refused requests, pages, those that ask nothing.
const SPARE_CONNECTIONS: usize = 128;

pub(crate) fn run(arguments: &ServeArguments, output: &mut Output) -> Result<u8, Failure> {
    let connections = usize::from(arguments.max_probes) + SPARE_CONNECTIONS;
    let ground = Ground {
        allow: arguments.allow.clone(),
        exposed: !arguments.listen.ip().is_loopback(),
        admission: Arc::new(Admission::leaving(connections)),
        #[cfg(feature = "logon")]
        credentials: arguments.credentials.as_deref().map(crate::args::Credentials::read).transpose()?,
    };
    if let Some(file) = &arguments.check {
        output.write(&check(file, &ground)?)?;
        return Ok(0);
    }
    // From here on a name that no file has is wrong.
    #[cfg(feature = "logon")]
    let ground = Ground { credentials: Some(ground.credentials.unwrap_or_default()), ..ground };
    let app = Arc::new(App::new(arguments, ground)?);
    let runtime = runtime(true)?;
    let outcome = runtime.block_on(async {
        let signals = server::Signals::new();
        let listener = TcpListener::bind(arguments.listen)
            .await
            .map_err(|error| format!("cannot listen on {}: {error}", arguments.listen))?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        info!("listening on http://{address}, modules {}", app.config().names().join(", "));
        let routes = routes::router(Arc::clone(&app));
        server::run(app, listener, signals, routes, connections, arguments.grace).await;
        Ok::<_, String>(())
    });
    // A resolver that hangs is not waited for.
    runtime.shutdown_background();
    outcome?;
    Ok(0)
}

/// What is said of a good file.
fn check(path: &Path, ground: &Ground) -> Result<String, String> {
    let file = File::read(Some(path))?;
    let rules = file.allow.len();
    let config = Config::new(file, ground).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(format!("{}: good; modules {}; {rules} rules in allow\n", path.display(), config.names().join(", ")))
}
