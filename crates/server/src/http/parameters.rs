//! What a path and its query say: strict as the body is, and declared once.

use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::http::Uri;
use axum::http::request::Parts;
use lab3_trust::Principal;
use lab3_units::{Code, Problem};
use percent_encoding::percent_decode_str;
use utoipa::openapi::path::Parameter as Documented;

use crate::App;
use crate::http::body::check_no_query;
use crate::http::permit::{Input, Touches, Touching};
use crate::json::{Parameter, nearest};

/// A request that says nothing beside its path. Refuses a query.
pub(crate) struct Plain;

impl Input for Plain {
    async fn read(request: Request, _: &App, _: &Principal) -> Result<Self, Problem> {
        check_no_query(request.uri())?;
        Ok(Self)
    }

    fn touches(&self) -> Touches<'_> {
        Touches::Nothing
    }
}

/// The one thing a path names: `/balance/{citizen_did}`. Refuses a query.
pub(crate) struct Named<T>(pub(crate) T);

impl<T: Parameter + Touching + Send> Input for Named<T> {
    async fn read(request: Request, app: &App, _: &Principal) -> Result<Self, Problem> {
        named(&mut request.into_parts().0, app).await.map(Self)
    }

    fn touches(&self) -> Touches<'_> {
        self.0.touches()
    }
}

/// Reads what the path names. Refuses a query.
pub(crate) async fn named<T: Parameter>(parts: &mut Parts, app: &App) -> Result<T, Problem> {
    check_no_query(&parts.uri)?;
    name(parts, app).await
}

async fn name<T: Parameter>(parts: &mut Parts, app: &App) -> Result<T, Problem> {
    let broken = |_| Problem::new(Code::DID_MALFORMED, "The path's escapes (such as %3A) do not spell UTF-8.");
    let params = RawPathParams::from_request_parts(parts, app).await.map_err(broken)?;
    let (name, text) = params.iter().next().unwrap_or_default();
    T::parse(text).map_err(|problem| problem.in_field(name.to_owned()))
}

/// What a query says. Made by [`parameters!`].
pub(crate) trait Query: Sized {
    /// The names of the parameters.
    const NAMES: &'static [&'static str];

    /// Reads every pair of the query.
    fn read(pairs: Pairs<'_>) -> Result<Self, Problem>;

    /// What the API's document says of them.
    fn documented() -> Vec<Documented>;
}

/// A query on its own.
pub(crate) struct Asked<Q>(pub(crate) Q);

impl<Q: Query + Touching + Send> Input for Asked<Q> {
    async fn read(request: Request, _: &App, _: &Principal) -> Result<Self, Problem> {
        Ok(Self(read_query(request.uri())?))
    }

    fn touches(&self) -> Touches<'_> {
        self.0.touches()
    }
}

fn read_query<Q: Query>(uri: &Uri) -> Result<Q, Problem> {
    Q::read(Pairs(uri.query().unwrap_or_default()))
}

/// What a path names, and a query.
pub(crate) struct NamedAsked<T, Q>(pub(crate) T, pub(crate) Q);

impl<T: Parameter + Touching + Send, Q: Query + Send> Input for NamedAsked<T, Q> {
    async fn read(request: Request, app: &App, _: &Principal) -> Result<Self, Problem> {
        let mut parts = request.into_parts().0;
        let query = read_query(&parts.uri)?;
        name(&mut parts, app).await.map(|named| Self(named, query))
    }

    fn touches(&self) -> Touches<'_> {
        self.0.touches()
    }
}

/// The pairs of a query, as they were sent.
pub(crate) struct Pairs<'a>(&'a str);

impl Pairs<'_> {
    /// Hands each pair on, decoded.
    pub(crate) fn each(&self, mut take: impl FnMut(&str, &str) -> Result<(), Problem>) -> Result<(), Problem> {
        for pair in self.0.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decoded(name, "")?;
            take(&name, &decoded(value, &name)?)?;
        }
        Ok(())
    }
}

fn decoded(text: &str, name: &str) -> Result<String, Problem> {
    let text = text.replace('+', " ");
    let broken = |_| Problem::new(Code::PARAMETER, "The query's escapes (such as %3A) do not spell UTF-8.").in_field(name.to_owned());
    percent_decode_str(&text).decode_utf8().map(std::borrow::Cow::into_owned).map_err(broken)
}

/// Fills a parameter's slot, which must be empty.
pub(crate) fn fill<T: Parameter>(slot: &mut Option<T>, name: &str, value: &str) -> Result<(), Problem> {
    if slot.is_some() {
        return Err(Problem::new(Code::PARAMETER, "The parameter stands twice. Send it once.").in_field(name.to_owned()));
    }
    *slot = Some(T::parse(value).map_err(|problem| problem.in_field(name.to_owned()))?);
    Ok(())
}

/// Refuses a parameter that is not one of `known`.
pub(crate) fn unknown(name: &str, known: &[&str]) -> Problem {
    let help = nearest(name, known).map_or_else(|| format!("Known are: {}.", known.join(", ")), |near| format!("Did you mean {near}?"));
    let shown: String = name.chars().filter(|letter| !letter.is_control()).take(64).collect();
    Problem::new(Code::PARAMETER, format!("There is no parameter of that name here. {help}")).in_field(shown)
}

/// Declares a query's parameters: all of them may be left out.
macro_rules! parameters {
    (
        $(#[doc = $about:literal])+
        pub(crate) struct $name:ident {
            $($(#[doc = $doc:literal])+ pub $field:ident: Option<$type:ty>,)+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, Default)]
        pub(crate) struct $name {
            $($(#[doc = $doc])+ pub(crate) $field: Option<$type>,)+
        }

        impl $crate::http::parameters::Query for $name {
            const NAMES: &'static [&'static str] = &[$(stringify!($field)),+];

            fn read(pairs: $crate::http::parameters::Pairs<'_>) -> Result<Self, lab3_units::Problem> {
                use $crate::http::parameters::{fill, unknown};
                let mut query = Self::default();
                pairs.each(|name, value| match name {
                    $(stringify!($field) => fill(&mut query.$field, stringify!($field), value),)+
                    _ => Err(unknown(name, Self::NAMES)),
                })?;
                Ok(query)
            }

            fn documented() -> Vec<utoipa::openapi::path::Parameter> {
                use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
                vec![$(
                    ParameterBuilder::new()
                        .name(stringify!($field))
                        .parameter_in(ParameterIn::Query)
                        .description(Some($crate::json::about(&[$($doc),+])))
                        .schema(Some(<$type as $crate::json::Parameter>::schema()))
                        .build(),
                )+]
            }
        }
    };
}
pub(crate) use parameters;
