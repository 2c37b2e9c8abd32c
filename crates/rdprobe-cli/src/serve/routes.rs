//! Which request is answered by whom, and what every answer says of itself.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};

use super::app::App;
use super::own::Refusal;
use super::{guard, pages, probe, scrape};

/// With every answer: nothing on a page runs, loads from elsewhere, is kept or stands in a frame.
const HEADERS: [(HeaderName, &str); 5] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
];

pub(super) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(pages::index))
        .route("/style.css", get(pages::style))
        .route("/recent/{id}", get(recent))
        .route("/probe", get(probe::probe))
        .route("/metrics", get(metrics))
        .route("/-/healthy", get(async || "healthy\n"))
        .route("/-/reload", post(reload))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), around))
        .with_state(app)
}

/// `/recent/7` for people, `/recent/7.json` for programs.
async fn recent(state: State<Arc<App>>, axum::extract::Path(name): axum::extract::Path<String>) -> Response {
    let (id, json) = match name.strip_suffix(".json") {
        Some(id) => (id.parse(), true),
        None => (name.parse(), false),
    };
    match id {
        Ok(id) if json => pages::json(&state, id),
        Ok(id) => pages::report(&state, id),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn metrics(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let exposition = scrape::exposition(accept);
    ([(header::CONTENT_TYPE, exposition.content_type())], app.metrics(exposition)).into_response()
}

async fn reload(State(app): State<Arc<App>>) -> Response {
    match app.reload() {
        Ok(modules) => format!("reloaded: modules {modules}\n").into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("not reloaded: {error}\n")).into_response(),
    }
}

async fn around(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let admitted = guard::admit(request.method(), request.uri(), request.headers(), app.is_exposed());
    let mut response = match admitted {
        Ok(()) => next.run(request).await,
        Err(refusal) => {
            app.own.refused(Refusal::BadRequest);
            refusal.into_response()
        }
    };
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
