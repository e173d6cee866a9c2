//! Around every route: counts it, times it, and turns a panic into a refusal.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use lab3_units::{Code, Problem};
use tower::{Layer, Service};

use crate::http::problem::Refused;
use crate::metrics::RouteMetrics;

/// Puts a [`Guard`] around a route.
#[derive(Clone)]
pub(crate) struct GuardLayer(pub(crate) RouteMetrics);

impl<S> Layer<S> for GuardLayer {
    type Service = Guard<S>;

    fn layer(&self, inner: S) -> Guard<S> {
        Guard { inner, metrics: self.0.clone() }
    }
}

/// A route that is counted, timed and caught.
#[derive(Clone)]
pub(crate) struct Guard<S> {
    inner: S,
    metrics: RouteMetrics,
}

impl<S> Service<Request> for Guard<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let started = Instant::now();
        let answering = self.inner.call(request);
        let metrics = self.metrics.clone();
        Box::pin(async move {
            let response = caught(answering).await;
            metrics.count(response.status().as_u16(), started.elapsed());
            Ok(response)
        })
    }
}

/// The answer, or the refusal that stands for a panic. Handlers keep nothing a panic could leave half-done: what changes,
/// changes in the engine.
async fn caught(answering: impl Future<Output = Result<Response, Infallible>>) -> Response {
    let mut answering = pin!(answering);
    let answer = poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| answering.as_mut().poll(context))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    });
    match answer.await {
        Ok(Ok(response)) => response,
        Err(_) => {
            tracing::error!("a handler panicked; the panic's own message stands above");
            let detail = "Something went wrong on our side, and nothing of it is the request's fault. The log says more; \
                          repeating with the same Idempotency-Key is safe.";
            Refused(Problem::new(Code::INTERNAL, detail)).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;
    use crate::metrics::Metrics;

    async fn panics() {
        panic!("as the test wants it");
    }

    #[tokio::test]
    async fn a_panic_becomes_a_refusal_and_the_desk_goes_on() {
        let metrics = Metrics::default();
        let route = metrics.route("GET", "/panic");
        let router: Router = Router::new().route("/panic", get(panics).route_layer(GuardLayer(route.clone())));
        for asked in 1..=2 {
            let response = router.clone().oneshot(Request::get("/panic").body(Body::empty()).unwrap()).await.unwrap();
            assert_eq!(response.status(), 500);
            let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
            assert!(str::from_utf8(&body).unwrap().contains("\"code\":\"L3-0099\""));
            assert_eq!(route.counted(), [0, 0, asked]);
        }
    }
}
