//! Lists of objects, of bounded length.

use std::fmt;
use std::marker::PhantomData;

use lab3_units::{Code, Problem};
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayBuilder, Schema};

use super::Place;
use super::field::{Field, Value, mistyped, read_optional};
use super::schema::nullable;

/// From `MIN` to `MAX` of something.
#[derive(Clone, Debug)]
pub(crate) struct List<T, const MIN: usize, const MAX: usize>(pub(crate) Vec<T>);

impl<T: Field, const MIN: usize, const MAX: usize> Field for List<T, MIN, MAX> {
    fn read<'de, D: Deserializer<'de>>(json: D, place: &Place<'_>) -> Result<Self, D::Error> {
        json.deserialize_any(Items::<T, MIN, MAX>(place, PhantomData)).map(Self)
    }

    fn schema() -> RefOr<Schema> {
        let list = ArrayBuilder::new().items(T::schema()).min_items(Some(MIN)).max_items(Some(MAX));
        RefOr::T(Schema::Array(list.build()))
    }

    fn parts(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::parts(schemas);
    }
}

/// `null` and absence are the same.
impl<T: Field, const MIN: usize, const MAX: usize> Field for Option<List<T, MIN, MAX>> {
    const OPTIONAL: bool = true;

    fn read<'de, D: Deserializer<'de>>(json: D, place: &Place<'_>) -> Result<Self, D::Error> {
        read_optional(json, place)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn schema() -> RefOr<Schema> {
        match List::<T, MIN, MAX>::schema() {
            RefOr::T(schema) => RefOr::T(nullable(schema)),
            reference @ RefOr::Ref(_) => reference,
        }
    }

    fn parts(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::parts(schemas);
    }
}

struct Items<'a, T, const MIN: usize, const MAX: usize>(&'a Place<'a>, PhantomData<T>);

impl<T, const MIN: usize, const MAX: usize> Items<'_, T, MIN, MAX> {
    fn mistyped<E: Error>(&self, found: &str) -> E {
        self.0.refuse(Problem::new(Code::FIELD_TYPE, format!("Here belongs a list; this is {found}.")))
    }

    fn out_of_range<E: Error>(&self) -> E {
        self.0.refuse(Problem::new(Code::FIELD_RANGE, format!("The list must have {MIN} to {MAX} items. Send more in further requests.")))
    }
}

impl<'de, T: Field, const MIN: usize, const MAX: usize> Visitor<'de> for Items<'_, T, MIN, MAX> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
        let mut items = Vec::new();
        loop {
            let place = self.0.item(items.len());
            let item = list.next_element_seed(Value(&place, PhantomData)).inspect_err(|error| place.malformed(error))?;
            match item {
                Some(_) if items.len() == MAX => return Err(self.out_of_range()),
                Some(item) => items.push(item),
                None if items.len() < MIN => return Err(self.out_of_range()),
                None => return Ok(items),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<Vec<T>, A::Error> {
        Err(self.mistyped("an object"))
    }

    mistyped!(mistyped: visit_bool(bool) "true or false", visit_i64(i64) "a number", visit_u64(u64) "a number",
        visit_f64(f64) "a number", visit_str(&str) "a string");
}
