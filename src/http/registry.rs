//! Requests and licences: what is registered, stamped and changed.

use super::{
    body,
    call::{Call, json_value, must_accept_json, quality},
    problem::{self, Problem},
    submission::{FormSubmission, JsonSubmission, QueryParameters, Submission},
    verifications::no_parameters,
};
use crate::{
    licensing::{Container, DocumentKind, LicenceAction, LicenceNumber, LicenceTerms, RequestNumber},
    port::LicenceRecord,
    report::{Time, ValidationReport},
    service::{LicenceView, Novelty, RequestView, StampOrder, StateOrder},
};
use axum::{
    body::Bytes,
    extract::{Path, RawQuery, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// Longest number anybody can mean.
const MAX_NUMBER: usize = crate::licensing::MAX_NUMBER_LEN;

/// A registered request.
#[derive(Serialize, ToSchema)]
pub(super) struct Registration<'a> {
    number: &'a RequestNumber,
    registered_at: Time,
    /// The report that accepted it.
    #[schema(value_type = ValidationReport)]
    verification: &'a RawValue,
}

/// Verify a request and register it. The same signed document again keeps its number and answers 200.
#[utoipa::path(
    post, path = "/v1/requests", tag = "registry",
    params(QueryParameters),
    request_body(content(
        (JsonSubmission<'_> = "application/json"), (FormSubmission = "multipart/form-data"),
        (Vec<u8> = "application/pkcs7-mime"), (String = "application/xml"), (Vec<u8> = "application/pdf"),
    )),
    responses(
        (status = 201, description = "registered", body = Registration<'_>),
        (status = 200, description = "was registered before", body = Registration<'_>),
        (status = 422, description = "not acceptable: `refusal` and `verification` say why", body = super::openapi::ProblemDetails, content_type = "application/problem+json")
    )
)]
pub(super) async fn register(call: Call, headers: HeaderMap, submission: Submission) -> Result<Response, Problem> {
    must_accept_json(&headers)?;
    let caller = call.caller()?;
    let submission = submission.into_service();
    let registered = call.run(move |cases| cases.register_request(&caller, &submission)).await?;
    let report = std::str::from_utf8(&registered.verification).ok().and_then(|text| serde_json::from_str(text).ok());
    let verification = report.ok_or_else(|| Problem::new(problem::INTERNAL, "the report cannot be written"))?;
    let record = &registered.record;
    let answer = Registration { number: &record.number, registered_at: record.registered_at, verification };
    let status = match registered.novelty {
        Novelty::New => StatusCode::CREATED,
        Novelty::Before => StatusCode::OK,
    };
    Ok(located(json_value(status, &answer)?, "/v1/requests/", &record.number.0))
}

/// State and history of a request.
#[utoipa::path(
    get, path = "/v1/requests/{number}", tag = "registry",
    params(("number" = String, Path)),
    responses((status = 200, description = "the request as it is now", body = RequestView))
)]
pub(super) async fn request(
    call: Call,
    headers: HeaderMap,
    Path(number): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    must_accept_json(&headers)?;
    no_parameters(query.as_deref())?;
    let number = RequestNumber(known_form(number, "request")?);
    let caller = call.caller()?;
    json_value(StatusCode::OK, &call.run(move |cases| cases.request(&caller, &number)).await?)
}

/// What an officer decides about a registered request.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes `StampOrder`")]
pub(super) struct Order {
    /// The registered request.
    request: RequestNumber,
    #[schema(inline)]
    #[allow(clippy::struct_field_names)]
    #[serde(flatten)]
    terms: LicenceTerms,
}

/// Stamp the result of a registered request: a licence, permit or order, or with `reasons` a reasoned refusal.
#[utoipa::path(
    post, path = "/v1/licences", tag = "registry", request_body = Order,
    responses((status = 201, description = "stamped", body = LicenceRecord))
)]
pub(super) async fn stamp(call: Call, headers: HeaderMap, request: Request) -> Result<Response, Problem> {
    must_accept_json(&headers)?;
    let (order, body) = order::<StampOrder>(request).await?;
    let (caller, key) = (call.caller()?, call.idempotency(&body));
    let answer = call.seal(move |cases| cases.stamp_licence(&caller, &order, key.as_ref())).await?;
    stamped(&answer)
}

/// Stamp a licence in the place of another.
#[utoipa::path(
    post, path = "/v1/licences/{number}/reissue", tag = "registry",
    params(("number" = String, Path, description = "the licence to be replaced")), request_body = Order,
    responses((status = 201, description = "stamped under a new number", body = LicenceRecord))
)]
pub(super) async fn reissue(
    call: Call,
    headers: HeaderMap,
    Path(number): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    must_accept_json(&headers)?;
    let number = LicenceNumber(known_form(number, "licence")?);
    let (order, body) = order::<StampOrder>(request).await?;
    let (caller, key) = (call.caller()?, call.idempotency(&body));
    let answer = call.seal(move |cases| cases.reissue(&caller, &number, &order, key.as_ref())).await?;
    stamped(&answer)
}

/// Seal the same content once more; the document says that it is a duplicate.
#[utoipa::path(
    post, path = "/v1/licences/{number}/duplicate", tag = "registry",
    params(("number" = String, Path)),
    responses((status = 201, description = "stamped under the licence's own number", body = LicenceRecord))
)]
pub(super) async fn duplicate(
    call: Call,
    headers: HeaderMap,
    Path(number): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    must_accept_json(&headers)?;
    let number = LicenceNumber(known_form(number, "licence")?);
    let body = body::read(request).await?.freeze();
    if !body.is_empty() && body::json::<Nothing>(&body).is_err() {
        return Err(Problem::new(problem::INVALID_REQUEST, "this call takes no body, or an empty JSON object"));
    }
    let (caller, key) = (call.caller()?, call.idempotency(&body));
    let answer = call.seal(move |cases| cases.duplicate(&caller, &number, key.as_ref())).await?;
    stamped(&answer)
}

/// An empty JSON object.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

macro_rules! state_changes {
    ($($name:ident, $path:literal, $action:ident, $doc:literal;)+) => {$(
        #[doc = $doc]
        #[utoipa::path(
            post, path = $path, tag = "registry",
            params(("number" = String, Path)), request_body = Option<StateOrder>,
            responses((status = 200, description = "the licence as it is now", body = LicenceView))
        )]
        pub(super) async fn $name(call: Call, headers: HeaderMap, Path(number): Path<String>, request: Request) -> Result<Response, Problem> {
            change_state(call, &headers, number, LicenceAction::$action, request).await
        }
    )+};
}

state_changes! {
    suspend, "/v1/licences/{number}/suspend", Suspend, "Suspend a licence.";
    resume, "/v1/licences/{number}/resume", Resume, "Put a suspended licence in force again.";
    terminate, "/v1/licences/{number}/terminate", Terminate, "End a licence for good.";
}

async fn change_state(
    call: Call,
    headers: &HeaderMap,
    number: String,
    action: LicenceAction,
    request: Request,
) -> Result<Response, Problem> {
    must_accept_json(headers)?;
    let number = LicenceNumber(known_form(number, "licence")?);
    let order = if body::media_type(request.headers()).is_none() {
        let body = body::read(request).await?;
        if !body.is_empty() {
            return Err(body::unsupported("application/json"));
        }
        StateOrder::default()
    } else {
        order::<StateOrder>(request).await?.0
    };
    let caller = call.caller()?;
    json_value(StatusCode::OK, &call.run(move |cases| cases.change_state(&caller, &number, action, order)).await?)
}

/// A licence as the registry has it, with its history.
#[utoipa::path(
    get, path = "/v1/licences/{number}", tag = "registry",
    params(("number" = String, Path)),
    responses((status = 200, description = "the licence as it is now", body = LicenceView))
)]
pub(super) async fn licence(
    call: Call,
    headers: HeaderMap,
    Path(number): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    must_accept_json(&headers)?;
    no_parameters(query.as_deref())?;
    let number = LicenceNumber(known_form(number, "licence")?);
    let caller = call.caller()?;
    json_value(StatusCode::OK, &call.run(move |cases| cases.licence(&caller, &number)).await?)
}

/// Which of a licence's documents.
#[derive(serde::Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DocumentQuery {
    /// The original where it is not given; `duplicate` is the last duplicate.
    #[param(inline)]
    kind: Option<DocumentKind>,
}

/// Media types of the containers that licences are sealed in; the first of equally wanted ones is served.
const SEALED: [(&str, Container); 3] =
    [("application/pkcs7-mime", Container::Cms), ("application/xml", Container::Xml), ("text/xml", Container::Xml)];

/// What the caller takes of [`SEALED`], most wanted first.
fn wanted(headers: &HeaderMap) -> Vec<(&'static str, Container)> {
    let mut wanted: Vec<(f32, (&str, Container))> = SEALED
        .into_iter()
        .map(|entry| (quality(headers, entry.0), entry))
        .filter(|(weight, _)| *weight > 0.0)
        .collect();
    wanted.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    wanted.into_iter().map(|(_, entry)| entry).collect()
}

/// The sealed document. `Accept` chooses the container: CMS where nothing else is asked for, or XML.
#[utoipa::path(
    get, path = "/v1/licences/{number}/document", tag = "registry",
    params(("number" = String, Path), DocumentQuery),
    responses((status = 200, description = "the sealed octets", content(
        (Vec<u8> = "application/pkcs7-mime"), (String = "application/xml"), (String = "text/xml"),
    )))
)]
pub(super) async fn document(
    call: Call,
    headers: HeaderMap,
    Path(number): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let not_acceptable = |detail: &str| Problem::new(problem::NOT_ACCEPTABLE, detail);
    let wanted = wanted(&headers);
    if wanted.is_empty() {
        return Err(not_acceptable("the document is sealed as application/pkcs7-mime and application/xml"));
    }
    let DocumentQuery { kind } = body::query(&request)?;
    let number = LicenceNumber(known_form(number, "licence")?);
    let caller = call.caller()?;
    let containers: Vec<Container> = wanted.iter().map(|(_, container)| *container).collect();
    let sealed = call.run(move |cases| cases.licence_document(&caller, &number, kind, &containers)).await?;
    let Some((container, document)) = sealed else {
        return Err(not_acceptable("this document was sealed as application/pkcs7-mime alone"));
    };
    let media_type =
        wanted.iter().find(|entry| entry.1 == container).map_or("application/octet-stream", |entry| entry.0);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (header::VARY, HeaderValue::from_static("accept")),
    ];
    Ok((headers, document).into_response())
}

/// A JSON body and its octets.
async fn order<T: serde::de::DeserializeOwned>(request: Request) -> Result<(T, Bytes), Problem> {
    body::no_query(&request)?;
    if body::media_type(request.headers()).as_deref() != Some("application/json") {
        return Err(body::unsupported("application/json"));
    }
    let body = body::read(request).await?.freeze();
    Ok((body::json(&body)?, body))
}

/// A number that cannot exist is not looked up.
pub(super) fn known_form(number: String, what: &str) -> Result<String, Problem> {
    let fits = number.len() <= MAX_NUMBER && number.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(number) } else { Err(Problem::new(problem::NOT_FOUND, format!("no {what} has this number"))) }
}

fn stamped(record: &LicenceRecord) -> Result<Response, Problem> {
    Ok(located(json_value(StatusCode::CREATED, record)?, "/v1/licences/", &record.number.0))
}

fn located(mut response: Response, folder: &str, number: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(&format!("{folder}{number}")) {
        response.headers_mut().insert(header::LOCATION, value);
    }
    response
}
