//! Judging documents.

use super::{
    call::{Call, json_text, json_value, must_accept_json},
    problem::{self, Problem},
    submission::{FormSubmission, JsonSubmission, LicenceForm, LicenceSubmission, QueryParameters, Submission},
};
use crate::{
    report::{Decision, ValidationReport},
    service::RegistryFinding,
};
use axum::{
    extract::{Path, RawQuery},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

/// Verify one document. A verdict is always a 200, whatever it is.
#[utoipa::path(
    post, path = "/v1/verifications", tag = "verification",
    params(QueryParameters),
    request_body(content(
        (JsonSubmission<'_> = "application/json"), (FormSubmission = "multipart/form-data"),
        (Vec<u8> = "application/pkcs7-mime"), (String = "application/xml"), (Vec<u8> = "application/pdf"),
    )),
    responses((status = 200, description = "the report", body = ValidationReport))
)]
pub(super) async fn verify(call: Call, headers: HeaderMap, submission: Submission) -> Result<Response, Problem> {
    must_accept_json(&headers)?;
    let verified = call.verify(submission).await?;
    Ok(json_text(StatusCode::OK, verified.json))
}

/// The stored report, byte for byte as it was answered.
#[utoipa::path(
    get, path = "/v1/verifications/{id}", tag = "verification",
    params(("id" = Uuid, Path, description = "`id` of the report")),
    responses((status = 200, description = "the report", body = ValidationReport))
)]
pub(super) async fn stored(
    call: Call,
    headers: HeaderMap,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    must_accept_json(&headers)?;
    no_parameters(query.as_deref())?;
    let unknown = || Problem::new(problem::NOT_FOUND, "there is no report of this id");
    let id = Uuid::try_parse(&id).map_err(|_| unknown())?;
    let caller = call.caller()?;
    let report = call.run(move |cases| cases.report(&caller, id)).await?.ok_or_else(unknown)?;
    Ok(json_text(StatusCode::OK, report))
}

/// Refuses a query where none has a meaning.
pub(super) fn no_parameters(query: Option<&str>) -> Result<(), Problem> {
    match query {
        None | Some("") => Ok(()),
        Some(_) => Err(Problem::new(problem::INVALID_REQUEST, "this call takes no query parameters")),
    }
}

/// What is known about a licence that somebody presents.
#[derive(Serialize, ToSchema)]
pub(super) struct LicenceVerification<'a> {
    /// Whether the document may be relied on as a licence of this authority; whether it is in force, `registry` says.
    decision: Decision,
    /// The verdict on the seal.
    #[schema(value_type = ValidationReport)]
    verification: &'a RawValue,
    /// What the registry says about it.
    registry: &'a RegistryFinding,
}

/// Verify a licence: its seal, its state in the registry, the evidence. For anyone, so many times a minute.
#[utoipa::path(
    post, path = "/v1/licence-verifications", tag = "public",
    request_body(content(
        (LicenceSubmission = "application/json"), (LicenceForm = "multipart/form-data"),
        (Vec<u8> = "application/pkcs7-mime"), (String = "application/xml"), (Vec<u8> = "application/pdf"),
    )),
    responses((status = 200, description = "the verdict on the seal, and what the registry says", body = LicenceVerification<'_>))
)]
pub(super) async fn licence(
    call: Call,
    headers: HeaderMap,
    submission: LicenceSubmission,
) -> Result<Response, Problem> {
    must_accept_json(&headers)?;
    let document = submission.into_document();
    let found = call.run(move |cases| cases.verify_licence(&document)).await?;
    let report = std::str::from_utf8(&found.verified.json).ok().and_then(|text| serde_json::from_str(text).ok());
    let verification = report.ok_or_else(|| Problem::new(problem::INTERNAL, "the report cannot be written"))?;
    json_value(
        StatusCode::OK,
        &LicenceVerification { decision: found.decision(), verification, registry: &found.registry },
    )
}
