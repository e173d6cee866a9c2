//! Routes and their documentation, added together so that neither is forgotten.

use std::collections::BTreeMap;

use axum::Router;
use axum::handler::Handler;
use axum::middleware::map_response;
use axum::routing::{MethodRouter, get, post};
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
use crate::http::problem::{ProblemDocument, no_such_file, no_such_method, no_such_path};
use crate::metrics::Metrics;

/// What the document begins with.
const ABOUT: &str = "Who may use which compute, and who pays whom: compute allocation and financial flows of a Hive. Amounts are MIC \
                     with at most six decimals. Errors are RFC 9457 problem documents with a stable code; each has a page under \
                     `/lab3/errors/`. The conventions are told in `docs/api.md`.";

/// Routes with their documentation.
pub(crate) struct Table<'a> {
    metrics: &'a Metrics,
    router: Router<App>,
    paths: Paths,
    schemas: BTreeMap<String, RefOr<Schema>>,
}

impl<'a> Table<'a> {
    /// A table without routes.
    pub(crate) fn new(metrics: &'a Metrics) -> Self {
        let schemas = BTreeMap::from([("Problem".to_owned(), ProblemDocument::schema())]);
        Self { metrics, router: Router::new(), paths: Paths::new(), schemas }
    }

    /// A path that is asked.
    pub(crate) fn get<T: 'static>(self, path: &'static str, handler: impl Handler<T, App>, doc: Doc) -> Self {
        let route = get(handler).route_layer(GuardLayer(self.metrics.route("GET", path)));
        self.add(HttpMethod::Get, path, route, doc)
    }

    /// A path that is told to do something.
    pub(crate) fn post<T: 'static>(self, path: &'static str, handler: impl Handler<T, App>, doc: Doc) -> Self {
        let route = post(handler).route_layer(GuardLayer(self.metrics.route("POST", path)));
        self.add(HttpMethod::Post, path, route, doc)
    }

    /// A path of another protocol, which has a document of its own: ours does not repeat it.
    pub(crate) fn foreign<T: 'static>(
        mut self,
        method: &'static str,
        paths: &[&'static str],
        handler: impl Handler<T, App> + Copy,
    ) -> Self {
        for path in paths {
            let layer = GuardLayer(self.metrics.route(method, path));
            let route = if method == "GET" { get(handler) } else { post(handler) };
            self.router = self.router.route(path, route.route_layer(layer));
        }
        self
    }

    fn add(mut self, method: HttpMethod, path: &str, route: MethodRouter<App>, doc: Doc) -> Self {
        let (operation, schemas) = doc.finish();
        let item = PathItem::new(method, operation);
        self.paths.paths.insert(path.to_owned(), item);
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
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("The operator's token.")).build();
        let components = ComponentsBuilder::new().schemas_from_iter(self.schemas).security_scheme("operator", SecurityScheme::Http(bearer));
        let components = examples().fold(components, |components, (code, example)| components.example(code, example));
        let tag = |name: &str, about: &str| TagBuilder::new().name(name).description(Some(about)).build();
        let tags = [
            tag("compute", "Which provider answers a query, and what it may cost."),
            tag("finance", "Money between citizens, the PublicGoodsPool, new money."),
            tag("desk", "The desk itself."),
        ];
        let document = OpenApiBuilder::new().info(info.build()).paths(self.paths).components(Some(components.build())).tags(Some(tags));
        // Made of strings and numbers alone, so it can be written.
        document.build().to_pretty_json().unwrap_or_default()
    }
}
