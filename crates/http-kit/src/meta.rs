//! What does every process say of itself: is it alive, is it ready, what does its API look like, what do its problems mean,
//! whose tokens does it trust?

use std::error::Error;
use std::iter::successors;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::extract::{Path, State};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{StatusCode, header};
use praxis_auth::keys::Jwks;
use praxis_auth::policy::{Rule, Verb};
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::code::Code;
use crate::problem::Problem;

/// Longest a readiness check may take; a dependency that is slower is not ready.
const READY_MAX: Duration = Duration::from_secs(3);

/// The check that fails when a dependency took longer.
const TIME: &str = "time";

/// The check that fails once the process is leaving.
const STOPPING: &str = "stopping";

/// Public, each for a reason: probes and load balancers have no token, and descriptions of the API and of its problems
/// are no secret.
pub const RULES: &[Rule] = &[
    Rule::public(Verb::Get, "/health"),
    Rule::public(Verb::Get, "/ready"),
    Rule::public(Verb::Get, "/openapi.json"),
    Rule::public(Verb::Get, "/docs"),
    Rule::public(Verb::Get, "/docs/"),
    Rule::public(Verb::Get, "/docs/{*rest}"),
    Rule::public(Verb::Get, "/problems/{code}"),
    Rule::public(Verb::Get, "/.well-known/jwks.json"),
];

/// One thing a process depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Which.
    pub name: &'static str,
    /// Whether requests can be served with it as it is.
    pub ready: bool,
    /// More, in codes and numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Check {
    /// A check with nothing more to say.
    pub const fn new(name: &'static str, ready: bool) -> Self {
        Self {
            name,
            ready,
            detail: None,
        }
    }

    /// A check that failed, saying [why].
    pub fn failed(name: &'static str, error: &(dyn Error + 'static)) -> Self {
        Self::new(name, false).saying(why(error))
    }

    /// The check, with more to say.
    #[must_use]
    pub fn saying(self, detail: impl Into<String>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..self
        }
    }
}

/// An error and what caused it, as a detail: without the cause, who runs it would learn only that something failed.
pub fn why(error: &(dyn Error + 'static)) -> String {
    let causes = successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |told, cause| format!("{told}: {cause}"))
}

/// What a process depends on, asked anew at every probe.
#[async_trait]
pub trait Readiness: Send + Sync {
    /// Each dependency; the process is ready if all are.
    async fn checks(&self) -> Vec<Check>;
}

/// The same, until the process is leaving: not ready then, so that gateways send no more.
pub fn until(leaving: CancellationToken, readiness: Arc<dyn Readiness>) -> Arc<dyn Readiness> {
    Arc::new(Until { leaving, readiness })
}

struct Until {
    leaving: CancellationToken,
    readiness: Arc<dyn Readiness>,
}

#[async_trait]
impl Readiness for Until {
    async fn checks(&self) -> Vec<Check> {
        // Nothing else is asked: a probe that waits for a dependency would tell too late.
        if self.leaving.is_cancelled() {
            return vec![Check::new(STOPPING, false)];
        }
        self.readiness.checks().await
    }
}

/// The public routes: description, browsable page (nothing of it is loaded from elsewhere), problem pages, keys, probes.
pub fn public(api: OpenApi, jwks: Jwks, readiness: Arc<dyn Readiness>) -> Router {
    let jwks = Arc::new(jwks);
    let page = SwaggerUi::new("/docs")
        .url("/openapi.json", api)
        .config(Config::default().use_base_layout());
    Router::from(page)
        .route(
            "/.well-known/jwks.json",
            get(move || async move { Json(jwks.as_ref().clone()) }),
        )
        .route("/problems/{code}", get(problem_page))
        .merge(probes(readiness, Told::Names))
}

/// What the `type` of a problem document links to. The page is shown as it is written, so that nothing has to be rendered.
async fn problem_page(Path(name): Path<String>) -> Result<Html<String>, Problem> {
    let code = Code::from_name(&name).ok_or_else(|| Problem::new(Code::NotFound))?;
    let text = code.page().replace('&', "&amp;").replace('<', "&lt;");
    Ok(Html(format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{}</title>\n<pre>\n{text}</pre>\n</html>\n",
        code.name()
    )))
}

/// The routes of the admin port: probes and metrics. Not to be reached from outside.
pub fn admin(
    readiness: Arc<dyn Readiness>,
    metrics: impl Fn() -> String + Clone + Send + Sync + 'static,
) -> Router {
    let scrape = move || async move { ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], metrics()) };
    probes(readiness, Told::Details).route("/metrics", get(scrape))
}

/// What a probe's answer holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    /// Which dependencies there are, and whether each is ready: for anyone.
    Names,
    /// What was found of each, in the words of databases too: for those who run it.
    Details,
}

fn probes(readiness: Arc<dyn Readiness>, told: Told) -> Router {
    Router::new()
        .route(
            "/health",
            get(|| async { Json(serde_json::json!({ "status": "alive" })) }),
        )
        .route("/ready", get(ready))
        .with_state((readiness, told))
}

async fn ready(State((readiness, told)): State<(Arc<dyn Readiness>, Told)>) -> Response {
    let mut checks = match tokio::time::timeout(READY_MAX, readiness.checks()).await {
        Ok(checks) => checks,
        Err(_) => vec![Check::new(TIME, false).saying("a dependency does not answer")],
    };
    tell(&checks);
    let ready = checks.iter().all(|check| check.ready);
    if told == Told::Names {
        for check in &mut checks {
            check.detail = None;
        }
    }
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (
        status,
        Json(serde_json::json!({ "ready": ready, "checks": checks })),
    )
        .into_response()
}

/// What the last probe found, as a metric. Where time ran out nothing was found of the dependencies: theirs stay.
fn tell(checks: &[Check]) {
    let is_passed = |name: &&str| checks.iter().all(|check| check.name != *name);
    let passed = [TIME, STOPPING].into_iter().filter(is_passed);
    let found = checks.iter().map(|check| (check.name, check.ready));
    for (name, ready) in found.chain(passed.map(|name| (name, true))) {
        metrics::gauge!("praxis_ready", "check" => name).set(f64::from(u8::from(ready)));
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use axum::body::{Body, to_bytes};
    use http::Request;
    use metrics_exporter_prometheus::PrometheusBuilder;
    use praxis_auth::policy::PolicyTable;
    use tower::ServiceExt as _;
    use utoipa::openapi::OpenApiBuilder;

    use super::*;

    struct Fixed(Vec<Check>);

    #[async_trait]
    impl Readiness for Fixed {
        async fn checks(&self) -> Vec<Check> {
            self.0.clone()
        }
    }

    #[derive(Debug, thiserror::Error)]
    #[error("unavailable")]
    struct Unavailable(#[source] io::Error);

    struct Hanging;

    #[async_trait]
    impl Readiness for Hanging {
        async fn checks(&self) -> Vec<Check> {
            std::future::pending().await
        }
    }

    async fn status(router: &Router, path: &str) -> StatusCode {
        let request = Request::get(path).body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap().status()
    }

    fn routes(checks: Vec<Check>) -> Router {
        public(
            OpenApiBuilder::new().build(),
            Jwks { keys: Vec::new() },
            Arc::new(Fixed(checks)),
        )
    }

    #[tokio::test]
    async fn ready_is_every_dependency_ready() {
        let good = || Check::new("a", true);
        assert_eq!(status(&routes(vec![good()]), "/ready").await, StatusCode::OK);
        let bad = Check::new("b", false).saying("down");
        assert_eq!(
            status(&routes(vec![good(), bad]), "/ready").await,
            StatusCode::SERVICE_UNAVAILABLE
        );
    }

    #[tokio::test]
    async fn what_was_found_of_a_dependency_is_told_on_the_admin_port_only() {
        let checks = vec![Check::new("log", false).saying("Marker at position 7")];
        let admin = admin(Arc::new(Fixed(checks.clone())), String::new);
        for (routes, tells) in [(routes(checks), false), (admin, true)] {
            let request = Request::get("/ready").body(Body::empty()).unwrap();
            let response = routes.oneshot(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            let body = to_bytes(response.into_body(), 10_000).await.unwrap();
            let text = String::from_utf8(body.to_vec()).unwrap();
            assert!(text.contains(r#""name":"log""#), "{text}");
            assert_eq!(text.contains("Marker"), tells, "{text}");
        }
    }

    #[test]
    fn why_ends_with_the_cause() {
        let refused = Unavailable(io::Error::other(Unavailable(io::ErrorKind::TimedOut.into())));
        let detail = Check::failed("log", &refused).detail;
        assert_eq!(detail.as_deref(), Some("unavailable: unavailable: timed out"));
    }

    #[tokio::test]
    async fn who_is_leaving_is_not_ready_and_asks_no_dependency() {
        let leaving = CancellationToken::new();
        let ready = until(leaving.clone(), Arc::new(Fixed(vec![Check::new("a", true)])));
        assert_eq!(status(&admin(ready, String::new), "/ready").await, StatusCode::OK);
        leaving.cancel();
        let hanging = admin(until(leaving, Arc::new(Hanging)), String::new);
        assert_eq!(status(&hanging, "/ready").await, StatusCode::SERVICE_UNAVAILABLE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_dependency_that_hangs_is_not_ready() {
        let admin = admin(Arc::new(Hanging), String::new);
        assert_eq!(status(&admin, "/ready").await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(status(&admin, "/health").await, StatusCode::OK);
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_probe_is_a_metric_that_names_what_is_not_ready() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let _telling = metrics::set_default_local_recorder(&recorder);
        let told = || {
            let text = recorder.handle().render();
            let mut lines: Vec<String> = text
                .lines()
                .filter_map(|line| line.strip_prefix("praxis_ready"))
                .map(str::to_owned)
                .collect();
            lines.sort();
            lines.join(" ")
        };
        let leaving = CancellationToken::new();
        let fixed = |log| Fixed(vec![Check::new("log", log), Check::new("keys", true)]);
        let left = until(leaving.clone(), Arc::new(fixed(true)));
        leaving.cancel();
        let probes: [(Arc<dyn Readiness>, &str); 4] = [
            (
                Arc::new(fixed(false)),
                r#"{check="keys"} 1 {check="log"} 0 {check="stopping"} 1 {check="time"} 1"#,
            ),
            (
                Arc::new(Hanging),
                r#"{check="keys"} 1 {check="log"} 0 {check="stopping"} 1 {check="time"} 0"#,
            ),
            (
                Arc::new(fixed(true)),
                r#"{check="keys"} 1 {check="log"} 1 {check="stopping"} 1 {check="time"} 1"#,
            ),
            (
                left,
                r#"{check="keys"} 1 {check="log"} 1 {check="stopping"} 0 {check="time"} 1"#,
            ),
        ];
        for (readiness, is_told) in probes {
            status(&admin(readiness, String::new), "/ready").await;
            assert_eq!(told(), is_told);
        }
    }

    #[tokio::test]
    async fn the_type_of_every_problem_leads_to_its_page() {
        let routes = routes(Vec::new());
        for code in Code::ALL {
            let link = Problem::new(code).document(None).problem_type;
            let request = Request::get(&link).body(Body::empty()).unwrap();
            let response = routes.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK, "{link}");
            assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
            let page = to_bytes(response.into_body(), 100_000).await.unwrap();
            let page = String::from_utf8(page.to_vec()).unwrap();
            assert!(
                page.contains(&format!("# {}: {}", code.name(), code.title())),
                "{page}"
            );
        }
        assert_eq!(
            status(&routes, "/problems/no-such-code").await,
            StatusCode::NOT_FOUND
        );
    }

    #[tokio::test]
    async fn every_rule_has_a_route() {
        PolicyTable::try_new(RULES.iter().copied()).unwrap();
        let routes = routes(Vec::new());
        for rule in RULES {
            let path = rule
                .path
                .replace("{*rest}", "swagger-ui.css")
                .replace("{code}", "not-found");
            let status = status(&routes, &path).await;
            assert!(
                status.is_success() || status.is_redirection(),
                "{path} answers {status}"
            );
        }
    }
}
