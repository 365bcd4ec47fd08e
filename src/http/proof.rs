//! Proof that lasts, over HTTP: extending documents, and time-stamps for others.

use super::{
    Shared,
    body::{base64, json, media_type, no_query, read, unsupported},
    call::{Call, json_value, must_accept_json},
    problem::{self, Problem},
};
use crate::{
    report::ValidationReport,
    service::{ExtensionOrder, extension::Level},
};
use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use base64::Engine as _;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// A level of proof (EN 319 122-1 §6).
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum To {
    /// A time-stamp over the signature.
    T,
    /// And certificates and revocation data.
    Lt,
    /// And an archive time-stamp over everything; of a document that has one, a new one.
    Lta,
}

/// A document to be extended.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExtensionSubmission {
    /// The signed document (CMS), base64.
    #[schema(value_type = String, format = Byte)]
    document: String,
    /// The signed content, base64; only where the signature is detached.
    #[schema(value_type = Option<String>, format = Byte)]
    content: Option<String>,
    /// The level it shall have.
    to: To,
    /// The policy under which it must be accepted; `signature` by default.
    #[schema(example = "signature")]
    policy: Option<String>,
}

/// A document that was extended.
#[derive(Serialize, ToSchema)]
pub(super) struct Extension {
    /// CMS in DER, base64.
    #[schema(value_type = String, format = Byte)]
    document: String,
    /// The report on it.
    verification: ValidationReport,
}

/// Extend a document so that its proof lasts. It must be accepted as it is.
#[utoipa::path(
    post, path = "/v1/extensions", tag = "verification",
    request_body = ExtensionSubmission,
    responses((status = 200, description = "the extended document and the report on it", body = Extension))
)]
pub(super) async fn extend(call: Call, headers: HeaderMap, request: Request) -> Result<Response, Problem> {
    must_accept_json(&headers)?;
    no_query(&request)?;
    if media_type(request.headers()).as_deref() != Some("application/json") {
        return Err(unsupported("application/json"));
    }
    let bytes = read(request).await?;
    let submission: ExtensionSubmission = json(&bytes)?;
    let octets = |name: &str, text: &str| base64(name, text).map(|bytes| Arc::from(bytes.as_ref()));
    let order = ExtensionOrder {
        document: octets("document", &submission.document)?,
        content: submission.content.as_deref().map(|content| octets("content", content)).transpose()?,
        to: match submission.to {
            To::T => Level::T,
            To::Lt => Level::Lt,
            To::Lta => Level::Lta,
        },
        policy: submission.policy,
    };
    let caller = call.caller()?;
    let extended = call.run(move |cases| cases.extend_document(&caller, &order)).await?;
    let document = base64::engine::general_purpose::STANDARD.encode(&extended.document);
    json_value(StatusCode::OK, &Extension { document, verification: extended.report })
}

/// A TimeStampReq.
#[derive(ToSchema)]
pub(super) struct TimestampRequest {
    #[schema(ignore)]
    octets: Bytes,
}

impl FromRequest<Arc<Shared>> for TimestampRequest {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Arc<Shared>) -> Result<TimestampRequest, Problem> {
        no_query(&request)?;
        match media_type(request.headers()).as_deref() {
            Some("application/timestamp-query") => Ok(TimestampRequest { octets: read(request).await?.freeze() }),
            _ => Err(unsupported("application/timestamp-query")),
        }
    }
}

/// A time-stamp over a digest (RFC 3161 §3.4), where our own authority runs. For anyone, so many times a minute.
#[utoipa::path(
    post, path = "/tsa", tag = "public",
    request_body(content((Vec<u8> = "application/timestamp-query"))),
    responses((status = 200, description = "TimeStampResp", body = Vec<u8>, content_type = "application/timestamp-reply"))
)]
pub(super) async fn timestamp(call: Call, request: TimestampRequest) -> Result<Response, Problem> {
    let answer = call.run(move |cases| Ok(cases.answer_timestamp(&request.octets))).await?;
    let answer = answer.ok_or_else(|| Problem::new(problem::NOT_FOUND, "there is no time-stamping authority here"))?;
    let kind = HeaderValue::from_static("application/timestamp-reply");
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, kind)], answer).into_response())
}
