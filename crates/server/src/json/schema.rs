//! Small changes to schemas that utoipa's builders do not offer.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};

/// The same schema, with what it means here.
pub(crate) fn described(schema: RefOr<Schema>, text: String) -> RefOr<Schema> {
    match schema {
        RefOr::Ref(mut reference) => {
            reference.description = text;
            RefOr::Ref(reference)
        }
        RefOr::T(mut schema) => {
            match &mut schema {
                Schema::Object(object) => object.description = Some(text),
                Schema::Array(array) => array.description = Some(text),
                Schema::OneOf(one_of) => one_of.description = Some(text),
                _ => {}
            }
            RefOr::T(schema)
        }
    }
}

/// The same schema, or `null`.
pub(crate) fn nullable(mut schema: Schema) -> Schema {
    match &mut schema {
        Schema::Object(object) => {
            if let SchemaType::Type(only) = &object.schema_type {
                object.schema_type = SchemaType::from_iter([only.clone(), Type::Null]);
            }
            if let Some(words) = &mut object.enum_values {
                words.push(serde_json::Value::Null);
            }
        }
        Schema::Array(list) => {
            if let SchemaType::Type(only) = &list.schema_type {
                list.schema_type = SchemaType::from_iter([only.clone(), Type::Null]);
            }
        }
        Schema::OneOf(one_of) => one_of.items.push(RefOr::T(Schema::Object(ObjectBuilder::new().schema_type(Type::Null).build()))),
        _ => {}
    }
    schema
}
