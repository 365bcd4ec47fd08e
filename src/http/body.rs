//! Bodies: read whole within their limit, taken apart to the letter.
//!
//! *Invariant:* an unknown or repeated key, a stray query parameter and base64 that is not canonical are refused: what we
//! would silently skip, the caller believes we obey.

use super::{
    admission::BodyArrived,
    allowance::Allowance,
    problem::{self, Problem},
};
use axum::{
    body::Bytes,
    extract::{FromRequest as _, Multipart, Query, Request, multipart::Field},
    http::{HeaderMap, header},
};
use bytes::BytesMut;
use serde::{Deserialize, de::DeserializeOwned};
use std::{collections::BTreeMap, sync::Arc};

/// The essence of a media type, lower case, without parameters; `None` where there is not exactly one.
pub(super) fn media_type(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (value, None) = (values.next()?, values.next()) else { return None };
    let essence = value.to_str().ok()?.split(';').next()?.trim();
    Some(essence.to_ascii_lowercase())
}

pub(super) fn unsupported(accepted: &str) -> Problem {
    Problem::new(problem::UNSUPPORTED_MEDIA_TYPE, format!("this call reads {accepted}"))
}

/// The whole body, within the limit and the memory that admission gave it.
pub(super) async fn read(request: Request) -> Result<BytesMut, Problem> {
    let arrived = request.extensions().get::<BodyArrived>().cloned().unwrap_or_default();
    let allowance = allowance(&request)?;
    let body = allowance.read(request).await?;
    arrived.set();
    Ok(body)
}

fn allowance(request: &Request) -> Result<Arc<Allowance>, Problem> {
    let found = request.extensions().get::<Arc<Allowance>>().map(Arc::clone);
    found.ok_or_else(|| Problem::new(problem::INTERNAL, "the body has no limit"))
}

/// A JSON value of known shape and nothing else.
pub(super) fn json<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| Problem::new(problem::INVALID_REQUEST, format!("JSON: {error}")))
}

/// Query parameters of known names, each once.
pub(super) fn query<T: DeserializeOwned>(request: &Request) -> Result<T, Problem> {
    Query::<T>::try_from_uri(request.uri())
        .map(|query| query.0)
        .map_err(|rejection| Problem::new(problem::INVALID_REQUEST, format!("query: {}", rejection.body_text())))
}

/// Refuses a query where none has a meaning.
pub(super) fn no_query(request: &Request) -> Result<(), Problem> {
    match request.uri().query() {
        None | Some("") => Ok(()),
        Some(_) => Err(Problem::new(problem::INVALID_REQUEST, "this call takes no query parameters")),
    }
}

/// Canonical base64 (RFC 4648 §4): padded, no line breaks, no stray bits.
pub(super) fn base64(name: &str, text: &str) -> Result<Bytes, Problem> {
    base64_simd::STANDARD.decode_to_vec(text).map(Bytes::from).map_err(|_| not_base64(name))
}

/// The same within the octets it stands in, so that a large document is in memory once: where it ends up.
pub(super) fn base64_in_place(name: &str, text: &mut [u8]) -> Result<usize, Problem> {
    base64_simd::STANDARD.decode_inplace(text).map(|octets| octets.len()).map_err(|_| not_base64(name))
}

fn not_base64(name: &str) -> Problem {
    Problem::new(problem::INVALID_REQUEST, format!("`{name}` is not canonical base64 (RFC 4648 §4)"))
}

/// The parts of a `multipart/form-data` body, each of a known name and given once.
pub(super) async fn multipart(
    request: Request,
    known: &[&'static str],
) -> Result<BTreeMap<&'static str, Bytes>, Problem> {
    let arrived = request.extensions().get::<BodyArrived>().cloned().unwrap_or_default();
    let allowance = allowance(&request)?;
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|rejection| Problem::new(problem::INVALID_REQUEST, rejection.body_text()))?;
    let mut parts = BTreeMap::new();
    let mut octets = 0usize;
    loop {
        let field: Option<Field<'_>> = form.next_field().await.map_err(|error| form_problem(&error))?;
        let Some(mut field) = field else { break };
        let name = field.name().unwrap_or_default();
        let Some(name) = known.iter().find(|known| **known == name).copied() else {
            return Err(Problem::new(
                problem::INVALID_REQUEST,
                format!("the parts of the form are {}", known.join(", ")),
            ));
        };
        let mut bytes = BytesMut::new();
        while let Some(part) = field.chunk().await.map_err(|error| form_problem(&error))? {
            octets = octets.saturating_add(part.len());
            allowance.charge(octets)?;
            bytes.extend_from_slice(&part);
        }
        let bytes = bytes.freeze();
        if parts.insert(name, bytes).is_some() {
            return Err(Problem::new(problem::INVALID_REQUEST, format!("the part `{name}` is given twice")));
        }
    }
    arrived.set();
    Ok(parts)
}

fn form_problem(error: &axum::extract::multipart::MultipartError) -> Problem {
    match error.status() {
        status if status == problem::BODY_TOO_LARGE.status => Problem::from_status(status),
        _ => Problem::new(problem::INVALID_REQUEST, format!("form: {}", error.body_text())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_base64_is_read() {
        assert_eq!(base64("document", "").expect("empty"), Bytes::new());
        assert_eq!(base64("document", "AAECAw==").expect("bytes"), &[0, 1, 2, 3][..]);
        for bad in
            ["AAECAw", "AAECAw=", "AAECAx==", "AAEC\nAw==", " AAECAw==", "AAECAw== ", "AAECA===", "__8=", "====", "A"]
        {
            assert!(base64("document", bad).is_err(), "{bad:?}");
            assert!(base64_in_place("document", &mut bad.as_bytes().to_vec()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_key_given_twice_or_unknown_is_refused() {
        #[derive(serde::Deserialize, Debug)]
        #[serde(deny_unknown_fields)]
        struct One {
            #[allow(dead_code)]
            a: Option<u8>,
        }
        assert!(json::<One>(b"{\"a\":1}").is_ok());
        for bad in [
            "{\"a\":1,\"a\":1}",
            "{\"a\":1,\"\\u0061\":2}",
            "{\"b\":1}",
            "{\"a\":1}x",
            "{\"a\":1",
            "[]x",
            "",
            "\u{feff}{}",
            "{\"a\":NaN}",
            "{\"a\":1,}",
        ] {
            assert_eq!(json::<One>(bad.as_bytes()).expect_err(bad).code(), problem::INVALID_REQUEST.code);
        }
        assert!(json::<One>(&[b'['; 100_000]).is_err(), "deep nesting");
    }
}
