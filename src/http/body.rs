//! Bodies: read whole within their limit, taken apart to the letter.
//!
//! *Invariant:* an unknown or repeated key, a stray query parameter and base64 with stray characters or bits are refused:
//! what we would silently skip, the caller believes we obey.

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

/// A JSON object of known shape and nothing else. An array of the values without their keys is none.
pub(super) fn json<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Problem> {
    if bytes.trim_ascii_start().first() == Some(&b'[') {
        return Err(Problem::new(problem::INVALID_REQUEST, "JSON: an object is expected, not an array"));
    }
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

/// base64 (RFC 4648 §4): padded, no stray bits; spaces and line breaks may stand in it, as encoders for mail write them
/// (RFC 2045 §6.8).
pub(super) fn base64(name: &str, text: &str) -> Result<Bytes, Problem> {
    let mut octets = text.as_bytes().to_vec();
    let length = base64_in_place(name, &mut octets)?;
    octets.truncate(length);
    Ok(Bytes::from(octets))
}

/// The same within the octets it stands in, so that a large document is in memory once: where it ends up.
pub(super) fn base64_in_place(name: &str, text: &mut [u8]) -> Result<usize, Problem> {
    let length = close_up(text);
    let text = text.get_mut(..length).unwrap_or_default();
    let octets = base64_simd::STANDARD.decode_inplace(text).map(|octets| octets.len());
    octets.map_err(|_| Problem::new(problem::INVALID_REQUEST, format!("`{name}` is not base64 (RFC 4648 §4)")))
}

/// Moves what is no white space to the front: how many octets there are.
fn close_up(text: &mut [u8]) -> usize {
    let Some(first) = memchr::memchr3(b'\n', b'\r', b' ', text) else { return text.len() };
    let mut length = first;
    for at in first..text.len() {
        if let Some(octet) = text.get(at).copied().filter(|octet| !matches!(octet, b'\n' | b'\r' | b' '))
            && let Some(place) = text.get_mut(length)
        {
            *place = octet;
            length += 1;
        }
    }
    length
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
        for good in ["AAECAw==", "AAEC\nAw==", "AAEC\r\nAw==\r\n", " AA EC Aw==", "AAECAw=\n="] {
            assert_eq!(base64("document", good).expect(good), &[0, 1, 2, 3][..]);
        }
        for bad in ["AAECAw", "AAECAw=", "AAECAx==", "AAEC\nAx==", "AAEC.Aw==", "AAECA===", "__8=", "====", "A", "A\n"]
        {
            assert!(base64("document", bad).is_err(), "{bad:?}");
            assert!(base64_in_place("document", &mut bad.as_bytes().to_vec()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn values_without_their_keys_are_refused() {
        #[derive(serde::Deserialize, Debug)]
        struct One {
            #[allow(dead_code)]
            a: u8,
        }
        assert!(json::<One>(b" {\"a\":1}").is_ok());
        assert!(json::<One>(b" [1]").is_err());
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
