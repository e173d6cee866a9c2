//! Routes and their documentation, added together so that neither is forgotten.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use lab3_trust::Rule;
use lab3_units::Problem;
use utoipa::PartialSchema;
use utoipa::openapi::path::{HttpMethod, PathItem, Paths};
use utoipa::openapi::schema::{ComponentsBuilder, Schema};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{InfoBuilder, LicenseBuilder, OpenApiBuilder, RefOr};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::App;
use crate::http::doc::{Doc, examples};
use crate::http::guard::GuardLayer;
use crate::http::permit::{Input, Permit, permit};
use crate::http::problem::{ProblemDocument, Refused, no_such_file, no_such_method, no_such_path};
use crate::metrics::Metrics;

/// What the document begins with.
const ABOUT: &str = "Who may use which compute, and who pays whom: compute allocation and financial flows of a Hive. Amounts are MIC \
                     with at most six decimals. Errors are RFC 9457 problem documents with a stable code; each has a page under \
                     `/lab3/errors/`. The conventions are told in `docs/api.md`.";

/// Routes with their documentation.
pub(crate) struct Table<'a> {
    metrics: &'a Metrics,
    router: Router<App>,
    rows: Vec<Row>,
    paths: Paths,
    schemas: BTreeMap<String, RefOr<Schema>>,
}

/// One route, and what it asks of whoever comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Its path, with the names of what it names in braces.
    pub path: &'static str,
    /// Who may come, with what scope, and whose is what is touched.
    pub rule: Rule,
}

/// The handler behind the check. It gets the request from the check and in no other way.
fn judged<I, F, R>(
    rule: Rule,
    handler: fn(App, Permit<I>) -> F,
    refused: fn(&Problem) -> Response,
) -> impl Fn(State<App>, Request) -> Pin<Box<dyn Future<Output = Response> + Send>> + Clone + Send + Sync + 'static
where
    I: Input + 'static,
    F: Future<Output = R> + Send + 'static,
    R: IntoResponse + 'static,
{
    move |State(app), request| {
        Box::pin(async move {
            match permit(rule, &app, request).await {
                Ok(permit) => handler(app, permit).await.into_response(),
                Err(problem) => refused(&problem),
            }
        })
    }
}

fn refused(problem: &Problem) -> Response {
    Refused(problem.clone()).into_response()
}

impl<'a> Table<'a> {
    /// A table without routes.
    pub(crate) fn new(metrics: &'a Metrics) -> Self {
        let schemas = BTreeMap::from([("Problem".to_owned(), ProblemDocument::schema())]);
        Self { metrics, router: Router::new(), rows: Vec::new(), paths: Paths::new(), schemas }
    }

    /// A path that is asked.
    pub(crate) fn get<I, F, R>(self, path: &'static str, rule: Rule, handler: fn(App, Permit<I>) -> F, doc: Doc) -> Self
    where
        I: Input + 'static,
        F: Future<Output = R> + Send + 'static,
        R: IntoResponse + 'static,
    {
        let route = get(judged(rule, handler, refused)).route_layer(GuardLayer(self.metrics.route("GET", path)));
        self.row("GET", path, rule).add(HttpMethod::Get, path, route, doc.guarded(rule))
    }

    /// A path that is told to do something.
    pub(crate) fn post<I, F, R>(self, path: &'static str, rule: Rule, handler: fn(App, Permit<I>) -> F, doc: Doc) -> Self
    where
        I: Input + 'static,
        F: Future<Output = R> + Send + 'static,
        R: IntoResponse + 'static,
    {
        let route = post(judged(rule, handler, refused)).route_layer(GuardLayer(self.metrics.route("POST", path)));
        self.row("POST", path, rule).add(HttpMethod::Post, path, route, doc.guarded(rule))
    }

    /// A path of another protocol, which has a document of its own: ours does not repeat it. Refusals are in its own form.
    pub(crate) fn foreign<I, F>(
        mut self,
        method: &'static str,
        paths: &[&'static str],
        rule: Rule,
        refused: fn(&Problem) -> Response,
        handler: fn(App, Permit<I>) -> F,
    ) -> Self
    where
        I: Input + 'static,
        F: Future<Output = Response> + Send + 'static,
    {
        for path in paths {
            let layer = GuardLayer(self.metrics.route(method, path));
            let handler = judged(rule, handler, refused);
            let route = if method == "GET" { get(handler) } else { post(handler) };
            self = self.row(method, path, rule);
            self.router = self.router.route(path, route.route_layer(layer));
        }
        self
    }

    fn row(mut self, method: &'static str, path: &'static str, rule: Rule) -> Self {
        self.rows.push(Row { method, path, rule });
        self
    }

    /// What every route asks of whoever comes.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    fn add(mut self, method: HttpMethod, path: &str, route: MethodRouter<App>, doc: Doc) -> Self {
        let (operation, schemas) = doc.finish();
        let item = PathItem::new(method, operation);
        // The document has no word for a parameter that takes the rest of the path.
        self.paths.paths.entry(path.replace("{*", "{")).or_default().merge_operations(item);
        self.schemas.extend(schemas);
        self.router = self.router.route(path, route);
        self
    }

    /// The routes, with the page to try them on and answers for everything else.
    pub(crate) fn into_router(self) -> Router<App> {
        let page: Router<App> =
            SwaggerUi::new("/lab3/docs").config(Config::from("/lab3/openapi.json").try_it_out_enabled(true).deep_linking(true)).into();
        self.router.merge(page.layer(map_response(no_such_file))).fallback(no_such_path).method_not_allowed_fallback(no_such_method)
    }

    /// The document, as indented JSON.
    pub(crate) fn into_openapi(self) -> String {
        let license = LicenseBuilder::new().name("MIT OR Apache-2.0").identifier(Some("MIT OR Apache-2.0")).build();
        let info = InfoBuilder::new()
            .title("Lab 3: Resource Orchestration")
            .version(env!("CARGO_PKG_VERSION"))
            .description(Some(ABOUT))
            .license(Some(license));
        let about = "A key: `lab3_<kind>_<id>_<secret>_<checksum>`. An open Hive needs none from its own machine.";
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(about)).build();
        let components = ComponentsBuilder::new().schemas_from_iter(self.schemas).security_scheme("key", SecurityScheme::Http(bearer));
        let components = examples().fold(components, |components, (code, example)| components.example(code, example));
        let tag = |name: &str, about: &str| TagBuilder::new().name(name).description(Some(about)).build();
        let tags = [
            tag("compute", "Which provider answers a query, and what it may cost."),
            tag("energy", "When to run what, and from which source."),
            tag("finance", "Money between citizens, the PublicGoodsPool, new money."),
            tag("trust", "Who may do what: keys."),
            tag("log", "The journal as a log that outsiders check."),
            tag("desk", "The desk itself."),
        ];
        let document = OpenApiBuilder::new().info(info.build()).paths(self.paths).components(Some(components.build())).tags(Some(tags));
        // Made of strings and numbers alone, so it can be written.
        document.build().to_pretty_json().unwrap_or_default()
    }
}
