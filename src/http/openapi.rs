//! The description of the service, made from its types and its table of rules.

use super::{
    Shared,
    access::{Access, RULES, Repetition},
};
use axum::{
    Router,
    http::header,
    response::{IntoResponse as _, Response},
    routing::get,
};
use serde::Serialize;
use std::sync::{Arc, LazyLock};
use utoipa::{
    OpenApi, ToSchema,
    openapi::{
        Content, Ref, Required, ResponseBuilder,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem},
        schema::{ObjectBuilder, Type},
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};
use utoipa_swagger_ui::SwaggerUi;

/// What every answer of 400 and above looks like (RFC 9457).
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "describes what `Problem` renders")]
pub(super) struct ProblemDetails {
    /// `urn:tamga:problem:` and the code.
    r#type: String,
    title: String,
    status: u16,
    /// What is wrong with this call.
    detail: String,
    /// Stable name of the kind of problem.
    code: String,
    /// The same as the `x-request-id` header.
    request_id: String,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tamga",
        description = "Verifies signed requests, registers them, stamps licences and verifies them again.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    paths(description, docs),
    components(schemas(ProblemDetails)),
    tags(
        (name = "verification", description = "Judging documents"),
        (name = "registry", description = "Requests and licences"),
        (name = "public", description = "For anyone who holds a licence"),
        (name = "operations", description = "For those who run the service")
    )
)]
struct Preamble;

/// What stands before the calls.
pub(super) fn preamble() -> utoipa::openapi::OpenApi {
    let mut api = Preamble::openapi();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("a token made by `tamga token create`"))
        .build();
    api.components.get_or_insert_default().add_security_scheme("bearer", SecurityScheme::Http(bearer));
    api
}

/// The whole description: the calls as their handlers say, who may make them as the table of rules says.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut api = super::calls().into_openapi();
    // A parameter that takes several segments is written `{*name}` in a route and `{name}` in a description.
    let described = |path: &str| path.replace("{*", "{");
    let paths = std::mem::take(&mut api.paths.paths);
    api.paths.paths = paths.into_iter().map(|(path, item)| (described(&path), item)).collect();
    for rule in RULES {
        let Some(operation) =
            api.paths.paths.get_mut(&described(rule.path)).and_then(|item| operation_mut(item, &rule.method))
        else {
            continue;
        };
        if let Access::Roles(roles) = rule.access {
            operation.security = Some(vec![SecurityRequirement::new("bearer", Vec::<String>::new())]);
            let roles: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
            let line = format!("For: {}.", roles.join(", "));
            operation.description = Some(match operation.description.take() {
                Some(text) => format!("{text}\n\n{line}"),
                None => line,
            });
        }
        if rule.repetition == Repetition::NeedsKey {
            operation.parameters.get_or_insert_default().push(idempotency_key().into());
        }
        let problem = ResponseBuilder::new()
            .description("a problem; `code` says which")
            .content("application/problem+json", Content::new(Some(Ref::from_schema_name("ProblemDetails"))))
            .build();
        operation.responses.responses.insert("default".into(), problem.into());
    }
    api
}

fn idempotency_key() -> Parameter {
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::True)
        .description(Some("1 to 128 visible ASCII characters; the same key gives the same answer"))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(128))))
        .build()
}

fn operation_mut<'a>(item: &'a mut PathItem, method: &axum::http::Method) -> Option<&'a mut Operation> {
    match method.as_str() {
        "GET" => item.get.as_mut(),
        "POST" => item.post.as_mut(),
        _ => None,
    }
}

/// The description as text, made once.
pub(crate) static TEXT: LazyLock<String> = LazyLock::new(|| openapi().to_pretty_json().unwrap_or_default());

/// This description.
#[utoipa::path(
    get, path = "/openapi.json", tag = "operations",
    responses((status = 200, description = "OpenAPI 3.1", body = Object))
)]
async fn description() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str()).into_response()
}

/// This description for a person to read and try.
#[utoipa::path(
    get, path = "/docs", tag = "operations",
    responses(
        (status = 200, description = "a page that needs no network", body = String, content_type = "text/html"),
        (status = 303, description = "the page is at `/docs/`")
    )
)]
#[allow(dead_code, reason = "describes what `SwaggerUi` serves")]
fn docs() {}

/// `/openapi.json`, and `/docs`, which reads it without any network.
pub(super) fn pages() -> Router<Arc<Shared>> {
    let docs: Router<Arc<Shared>> = SwaggerUi::new("/docs")
        .config(utoipa_swagger_ui::Config::new(["/openapi.json"]).validator_url("none").try_it_out_enabled(true))
        .into();
    Router::new().route("/openapi.json", get(description)).merge(docs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_of_the_table_is_described() {
        let api = openapi();
        for rule in RULES {
            // What a page loads is no call.
            if rule.path.starts_with("/docs/") {
                continue;
            }
            let item = api.paths.paths.get(&rule.path.replace("{*", "{"));
            let operation = item.and_then(|item| match rule.method.as_str() {
                "GET" => item.get.as_ref(),
                _ => item.post.as_ref(),
            });
            assert!(operation.is_some(), "{} {}", rule.method, rule.path);
        }
    }

    #[test]
    fn every_response_has_its_description() {
        // OpenAPI 3.1.0 §4.8.17: REQUIRED.
        let api: serde_json::Value = serde_json::from_str(&TEXT).expect("JSON");
        for (path, item) in api["paths"].as_object().expect("paths") {
            for (method, operation) in item.as_object().expect("methods") {
                for (status, response) in operation["responses"].as_object().expect("responses") {
                    assert!(response["description"].is_string(), "{method} {path} {status}");
                }
            }
        }
    }
}
