//! The declaration of a request: one text from which come the struct, its schema and its reader.

/// Declares a request: documentation, an example, and typed fields (`Option` for those that may be left out or `null`).
///
/// ```text
/// request! {
///     /// A request to settle what a query really cost.
///     #[example({ "citizen_did": "did:kaizen:alice", "actual_cost": 0.078 })]
///     pub(crate) struct ReportRequest {
///         /// Who asked and pays.
///         pub citizen_did: Did,
///         /// What it cost.
///         pub actual_cost: NotNegative,
///     }
/// }
/// ```
macro_rules! request {
    (
        $(#[doc = $about:literal])+
        #[example($example:tt)]
        pub(crate) struct $name:ident {
            $($(#[doc = $doc:literal])+ pub $field:ident: $type:ty,)*
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug)]
        pub(crate) struct $name {
            $($(#[doc = $doc])+ pub(crate) $field: $type,)*
        }

        const _: () = {
            use $crate::json::{Field, Object, Place, about, read_object};
            use serde::de::{Deserializer, Error, MapAccess};
            use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema};
            use utoipa::openapi::RefOr;

            #[derive(Default)]
            pub(crate) struct Slots {
                $($field: Option<$type>,)*
            }

            impl Object for $name {
                type Slots = Slots;
                const NAME: &'static str = stringify!($name);
                const NAMES: &'static [&'static str] = &[$(stringify!($field)),*];
                const OPTIONAL: bool = true $(&& <$type as Field>::OPTIONAL)*;

                #[allow(unused_variables, reason = "a request may have no fields")]
                fn take<'de, A: MapAccess<'de>>(
                    slots: &mut Slots,
                    name: &str,
                    map: &mut A,
                    object: &Place<'_>,
                ) -> Result<(), A::Error> {
                    match name {
                        $(stringify!($field) => object.take(&mut slots.$field, stringify!($field), map),)*
                        _ => Err(object.unknown(name, Self::NAMES)),
                    }
                }

                #[allow(unused_variables, reason = "a request may have no fields")]
                fn finish<E: Error>(slots: Slots, object: &Place<'_>) -> Result<Self, E> {
                    Ok(Self { $($field: object.finish(slots.$field, stringify!($field))?,)* })
                }

                fn schemas() -> Vec<(String, RefOr<Schema>)> {
                    let object = ObjectBuilder::new()
                        .description(Some(about(&[$($about),+])))
                        .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
                        .examples([serde_json::json!($example)]);
                    $(
                        let object = object.property(
                            stringify!($field),
                            $crate::json::described(<$type as Field>::schema(), about(&[$($doc),+])),
                        );
                        let object = if <$type as Field>::OPTIONAL { object } else { object.required(stringify!($field)) };
                    )*
                    #[allow(unused_mut, reason = "a request may have no fields")]
                    let mut schemas = vec![(Self::NAME.to_owned(), RefOr::T(Schema::Object(object.build())))];
                    $(<$type as Field>::parts(&mut schemas);)*
                    schemas
                }
            }

            impl Field for $name {
                fn read<'de, D: Deserializer<'de>>(json: D, place: &Place<'_>) -> Result<Self, D::Error> {
                    read_object(json, place)
                }

                fn schema() -> RefOr<Schema> {
                    <Self as Object>::reference()
                }

                fn parts(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                    schemas.extend(<Self as Object>::schemas());
                }
            }

            /// `null` and absence are the same.
            impl Field for Option<$name> {
                const OPTIONAL: bool = true;

                fn read<'de, D: Deserializer<'de>>(json: D, place: &Place<'_>) -> Result<Self, D::Error> {
                    $crate::json::read_optional(json, place)
                }

                fn absent() -> Option<Self> {
                    Some(None)
                }

                fn schema() -> RefOr<Schema> {
                    <$name as Object>::reference()
                }

                fn parts(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                    schemas.extend(<$name as Object>::schemas());
                }
            }
        };
    };
}
pub(crate) use request;

/// Documentation comments as one text.
pub(crate) fn about(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join("\n").trim().to_owned()
}
