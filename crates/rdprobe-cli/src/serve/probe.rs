//! `/probe`: one request, one probe, one page of metrics.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use rdprobe::{End, Engine};
use rdprobe_report::{Report, Target};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tracing::{debug, error};

use super::app::App;
use super::own::Refusal;
use super::{config, scrape};
use crate::exposition::Exposition;
use crate::metrics::Metrics;

/// What a request says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    target: String,
    module: Option<String>,
    /// For a person: the report and the metrics, as plain text.
    #[serde(default)]
    debug: bool,
}

/// A request that can be answered.
struct Question {
    target: Target,
    module: String,
    limit: std::time::Duration,
    config: Arc<config::Config>,
}

pub(super) async fn probe(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let header = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let exposition = scrape::exposition(header(header::ACCEPT.as_str()));
    let read = asked.map_err(|error| error.body_text()).and_then(|Query(asked)| {
        let debug = asked.debug;
        Question::read(&app, asked, header(scrape::TIMEOUT)).map(|question| (question, debug))
    });
    let (question, debug) = match read {
        Ok(read) => read,
        Err(why) => {
            app.own.refused(Refusal::BadRequest);
            return (StatusCode::BAD_REQUEST, format!("{why}\n")).into_response();
        }
    };
    let Ok(place) = Arc::clone(&app.places).try_acquire_owned() else {
        app.own.refused(Refusal::Busy);
        let why = "as many probes run as may (--max-probes): ask again\n";
        return (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], why).into_response();
    };
    // Dropped with this request, where the one who asked goes away.
    let (here, gone) = oneshot::channel::<()>();
    let module = question.module.clone();
    // A task of its own: it ends politely, whatever becomes of the request.
    let end = tokio::spawn(run(Arc::clone(&app), question, place, gone)).await;
    drop(here);
    match end {
        Ok(Some(End::Done(report))) => answer(&report, &module, exposition, debug),
        Ok(Some(End::Refused { address, reason })) => {
            app.own.refused(Refusal::NotAllowed);
            (StatusCode::FORBIDDEN, format!("{address} is not probed: {reason}\n")).into_response()
        }
        Ok(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Err(fault) => {
            error!(%fault, "a probe failed by a fault of ours");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

impl Question {
    fn read(app: &App, asked: Asked, timeout: Option<&str>) -> Result<Self, String> {
        let config = app.config();
        let target: Target = asked.target.parse().map_err(|error| format!("target: {error}"))?;
        let module = asked.module.unwrap_or_else(|| config::DEFAULT.into());
        if config.module(&module).is_none() {
            return Err(format!("no module is called {module:?}; there are {}", config.names().join(", ")));
        }
        let limit = scrape::limit(timeout, app.timeout_offset)?;
        Ok(Self { target, module, limit, config })
    }
}

/// Probes within the limit, and keeps the report.
async fn run(
    app: Arc<App>,
    question: Question,
    place: OwnedSemaphorePermit,
    gone: oneshot::Receiver<()>,
) -> Option<End> {
    let Question { target, module, limit, config } = question;
    debug!(target = target.input, module, ?limit, "probe");
    let settings = config.module(&module)?;
    let mut stopped = app.stop.subscribe();
    let probe = settings.probe(target).stop_when(async move {
        tokio::select! {
            () = tokio::time::sleep(limit) => {}
            _ = stopped.wait_for(|stopped| *stopped) => {}
            _ = gone => {}
        }
    });
    let gate = Arc::clone(&config);
    let engine = Engine::new()
        .admission(Arc::clone(&settings.admission))
        .admit(move |target, address| gate.allowed.admit(target, address));
    let end = engine.run(stream::iter([probe])).next().await?.end;
    if let End::Done(report) = &end {
        app.own.ended(&module, report.verdict.status);
        app.recent().add(&module, report);
    }
    drop(place);
    Some(end)
}

fn answer(report: &Report, module: &str, exposition: Exposition, debug: bool) -> Response {
    let metrics = Metrics::default();
    metrics.add(report, &[]);
    if debug {
        let text = format!(
            "module {module}\n\n{}\n{}",
            crate::human(report, super::pages::COLUMNS),
            metrics.write(Exposition::Text)
        );
        return text.into_response();
    }
    ([(header::CONTENT_TYPE, exposition.content_type())], metrics.write(exposition)).into_response()
}
