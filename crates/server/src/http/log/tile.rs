//! `GET /lab3/log/tile/{path}`: pieces of the journal's tree, and of the journal.
//!
//! Hashes tell nobody what was done; records do. So they are two routes, with a rule each.

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use lab3_tlog::{TILE_WIDTH, Tile, TileKind, encode_entries};
use lab3_trust::Principal;
use lab3_units::{Code, Problem};

use crate::App;
use crate::http::body::check_no_query;
use crate::http::doc::Doc;
use crate::http::permit::{Input, Permit, Touches};
use crate::http::problem::Refused;
use crate::json::Parameter;

/// Where the log stands.
const LOG: &str = "/lab3/log/";

/// A tile, by the rest of its path.
pub(crate) struct TilePath(Tile);

impl Input for TilePath {
    async fn read(request: Request, _: &App, _: &Principal) -> Result<Self, Problem> {
        check_no_query(request.uri())?;
        tile(request.uri()).map(Self)
    }

    fn touches(&self) -> Touches<'_> {
        Touches::Nothing
    }
}

/// A tile of records, by the rest of its path.
pub(crate) struct RecordsPath(Tile);

impl Input for RecordsPath {
    async fn read(request: Request, _: &App, _: &Principal) -> Result<Self, Problem> {
        check_no_query(request.uri())?;
        tile(request.uri()).map(Self)
    }

    fn touches(&self) -> Touches<'_> {
        Touches::Records
    }
}

fn tile(uri: &Uri) -> Result<Tile, Problem> {
    let unknown = || {
        let detail = "There is no such tile. Write its place as C2SP's tiled logs do: tile/0/x001/234, tile/0/000.p/17, tile/data/005.";
        Problem::new(Code::ID_MALFORMED, detail).in_field("path")
    };
    uri.path().strip_prefix(LOG).and_then(Tile::parse).ok_or_else(unknown)
}

/// What the documents say a tile's path is.
pub(crate) struct Place;

impl Parameter for Place {
    fn parse(_: &str) -> Result<Self, Problem> {
        Ok(Self)
    }

    fn schema() -> utoipa::openapi::schema::Schema {
        utoipa::openapi::schema::ObjectBuilder::new().schema_type(utoipa::openapi::schema::Type::String).examples(["000.p/17"]).into()
    }
}

pub(crate) fn doc() -> Doc {
    Doc::new("log", "log_tile", "Hashes of the journal's tree")
        .about("C2SP tlog-tiles: up to 256 hashes of 32 bytes. Leaf `n`, from 0, is record `n + 1`.")
        .names::<Place>("path", "The tile's level, number and, for one that is not full, `.p/` and its width.", Code::ID_MALFORMED)
        .asks_engine()
        .answers_bytes("The hashes")
}

pub(crate) fn data_doc() -> Doc {
    Doc::new("log", "log_records", "Records of the journal, as they stand in the leaves")
        .about(
            "Up to 256 records, each four bytes of length (big-endian) and its bytes. docs/journal.md says how to read them. The Hive's rule \
             `log.readers` says who may: everybody, members, or auditors.",
        )
        .names::<Place>("path", "The tile's number and, for one that is not full, `.p/` and its width.", Code::ID_MALFORMED)
        .asks_engine()
        .answers_bytes("The records")
}

pub(crate) async fn hashes(app: App, permit: Permit<TilePath>) -> Result<Response, Refused> {
    let (_, TilePath(tile)) = permit.open();
    let TileKind::Hashes { level } = tile.kind() else { return Err(not_here()) };
    let first = tile.index() * u64::from(TILE_WIDTH);
    // A tile's hashes are roots of subtrees of 256^level leaves.
    let height = level.checked_mul(8).ok_or_else(not_here)?;
    let nodes = app.engine().log().nodes(height, first..first + u64::from(tile.width())).await?;
    Ok(answer(tile, nodes.concat()))
}

pub(crate) async fn records(app: App, permit: Permit<RecordsPath>) -> Result<Response, Refused> {
    let (_, RecordsPath(tile)) = permit.open();
    if tile.kind() != TileKind::Data {
        return Err(not_here());
    }
    let first = tile.index() * u64::from(TILE_WIDTH) + 1;
    let entries = app.engine().log().entries(first..first + u64::from(tile.width())).await?;
    let bundle = encode_entries(&entries).map_err(|error| Problem::new(Code::INTERNAL, error.to_string()))?;
    Ok(answer(tile, bundle))
}

fn not_here() -> Refused {
    Problem::new(Code::ID_MALFORMED, "There is no such tile.").in_field("path").into()
}

/// A tile never changes once it is full, nor does what it has before.
fn answer(tile: Tile, bytes: impl Into<Bytes>) -> Response {
    let mut response = bytes.into().into_response();
    let age = if tile.width() == TILE_WIDTH { "max-age=31536000, immutable" } else { "no-cache" };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(age));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    response
}
