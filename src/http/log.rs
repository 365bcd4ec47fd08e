//! The transparency log for anyone: C2SP `tlog-tiles` below `/log`.

use super::{
    call::{Call, json_value, must_accept_json},
    problem::{self, Problem},
    registry::known_form,
    verifications::no_parameters,
};
use crate::{licensing::LicenceNumber, service::LicenceProof, transparency::Tile};
use axum::{
    extract::{Path, RawQuery},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};

/// A tile never changes, and what is not full grows under another name.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const NOT_KEPT: HeaderValue = HeaderValue::from_static("no-cache");

/// The last checkpoint of the journal: a signed note (C2SP tlog-checkpoint).
#[utoipa::path(
    get, path = "/log/checkpoint", tag = "public",
    responses((status = 200, description = "a signed note", body = String, content_type = "text/plain"), (status = 404, description = "none yet"))
)]
pub(super) async fn checkpoint(call: Call, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    no_parameters(query.as_deref())?;
    let published = call.run(|cases| cases.log_checkpoint()).await?;
    let published = published.ok_or_else(|| Problem::new(problem::NOT_FOUND, "nothing has been published yet"))?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        (header::CACHE_CONTROL, NOT_KEPT),
    ];
    Ok((headers, published.note).into_response())
}

/// A tile of the tree: `{level}/{index}`, or `entries/{index}`, with `.p/{width}` where it is not full (C2SP tlog-tiles).
#[utoipa::path(
    get, path = "/log/tile/{*tile}", tag = "public",
    params(("tile" = String, Path, description = "may contain slashes: `0/x001/234.p/5`")),
    responses(
        (status = 200, description = "the tile", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 404, description = "the published tree has no such tile")
    )
)]
pub(super) async fn tile(call: Call, Path(path): Path<String>, RawQuery(query): RawQuery) -> Result<Response, Problem> {
    no_parameters(query.as_deref())?;
    let unknown = || Problem::new(problem::NOT_FOUND, "the published tree has no such tile");
    let tile = Tile::from_path(&path).ok_or_else(unknown)?;
    let octets = call.run(move |cases| cases.log_tile(&tile)).await?.ok_or_else(unknown)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (header::CACHE_CONTROL, FOR_EVER),
    ];
    Ok((headers, octets).into_response())
}

/// Everything the log has about a licence, each entry with its inclusion proof under a signed checkpoint.
#[utoipa::path(
    get, path = "/v1/licences/{number}/proof", tag = "registry",
    params(("number" = String, Path)),
    responses((status = 200, description = "entries and their proofs", body = LicenceProof))
)]
pub(super) async fn licence_proof(
    call: Call,
    headers: HeaderMap,
    Path(number): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    must_accept_json(&headers)?;
    no_parameters(query.as_deref())?;
    let number = LicenceNumber(known_form(number, "licence")?);
    let caller = call.caller()?;
    json_value(StatusCode::OK, &call.run(move |cases| cases.licence_proof(&caller, &number)).await?)
}
