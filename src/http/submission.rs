//! A document to be judged, in whichever of the three forms the caller sends it.
//!
//! *Invariant:* the three forms carry the same parameters and give the same [`Submission`].

use super::{
    Shared,
    body::{base64, base64_in_place, json, media_type, multipart, no_query, query, read, unsupported},
    problem::{self, Problem},
    workers,
};
use crate::{report::Time, service};
use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
};
use bytes::BytesMut;
use serde::Deserialize;
use std::{borrow::Cow, ops::Range, sync::Arc};
use utoipa::ToSchema;

/// The container, where the caller knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    /// By content.
    #[default]
    Auto,
    /// CMS SignedData (RFC 5652).
    Cms,
    /// XML Signature.
    Xmldsig,
    /// WS-Security in a SOAP envelope.
    Wsse,
    /// PDF.
    Pdf,
    /// JSON Web Signature.
    Jws,
    /// A bare X.509 certificate: path, validity, revocation, use and identity alone.
    Certificate,
}

/// Who the caller says the applicant is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Applicant {
    /// Individual identification number, twelve digits.
    #[schema(pattern = "^[0-9]{12}$", example = "850412300123")]
    pub(super) iin: Option<String>,
    /// Business identification number, twelve digits.
    #[schema(pattern = "^[0-9]{12}$")]
    pub(super) bin: Option<String>,
}

/// What goes with a document; as JSON the part `parameters` of a form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    pub(super) format: Option<Format>,
    pub(super) applicant: Option<Applicant>,
    /// A service of the catalogue; chooses how the IIN/BIN is read out of the signed content.
    #[schema(example = "agency-pipelines")]
    pub(super) service: Option<String>,
    /// `request` (default), `signature`, `licence`.
    #[schema(example = "request")]
    pub(super) policy: Option<String>,
    /// For auditors: judge as of this past moment (RFC 3339).
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(super) validation_time: Option<Time>,
}

/// A document and its parameters as one JSON object.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct JsonSubmission<'a> {
    /// The signed document, base64.
    #[serde(borrow)]
    #[schema(value_type = String, format = Byte)]
    document: Cow<'a, str>,
    /// The signed content, base64; only where the signature is detached.
    #[serde(borrow)]
    #[schema(value_type = Option<String>, format = Byte)]
    content: Option<Cow<'a, str>>,
    format: Option<Format>,
    applicant: Option<Applicant>,
    #[schema(example = "agency-pipelines")]
    service: Option<String>,
    #[schema(example = "request")]
    policy: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    validation_time: Option<Time>,
}

/// The parameters of a raw document, in the query.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct QueryParameters {
    /// Only with a raw document, like all of these.
    #[param(inline)]
    format: Option<Format>,
    /// The declared IIN.
    #[param(pattern = "^[0-9]{12}$")]
    iin: Option<String>,
    /// The declared BIN.
    #[param(pattern = "^[0-9]{12}$")]
    bin: Option<String>,
    /// A service of the catalogue.
    service: Option<String>,
    /// The policy.
    policy: Option<String>,
    /// For auditors: judge as of this past moment (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime)]
    validation_time: Option<Time>,
}

/// A `multipart/form-data` body.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the form")]
pub(super) struct FormSubmission {
    /// The signed document.
    #[schema(value_type = String, format = Binary)]
    document: Vec<u8>,
    /// The signed content, where the signature is detached.
    #[schema(value_type = Option<String>, format = Binary)]
    content: Option<Vec<u8>>,
    parameters: Option<Parameters>,
}

/// A document to be judged.
#[derive(Clone, Debug)]
pub(super) struct Submission {
    pub(super) document: Bytes,
    pub(super) content: Option<Bytes>,
    pub(super) parameters: Parameters,
}

/// Media types of raw documents and the container each stands for.
///
/// `text/xml` and `application/soap+xml` are what SOAP 1.1 and 1.2 are sent as.
const RAW: &[(&str, Format)] = &[
    ("application/pkcs7-mime", Format::Cms),
    ("application/xml", Format::Auto),
    ("text/xml", Format::Auto),
    ("application/soap+xml", Format::Auto),
    ("application/pdf", Format::Pdf),
];
const READABLE: &str = "application/json, multipart/form-data, application/pkcs7-mime, application/xml, text/xml, \
                        application/soap+xml and application/pdf";

impl FromRequest<Arc<Shared>> for Submission {
    type Rejection = Problem;

    async fn from_request(request: Request, shared: &Arc<Shared>) -> Result<Submission, Problem> {
        let media_type = media_type(request.headers()).ok_or_else(|| unsupported(READABLE))?;
        let submission = match media_type.as_str() {
            "application/json" => {
                no_query(&request)?;
                workers::parse(shared, read(request).await?).await?
            }
            "multipart/form-data" => {
                no_query(&request)?;
                from_form(request).await?
            }
            raw => {
                let format = RAW.iter().find(|(name, _)| *name == raw).map(|(_, format)| *format);
                let format = format.ok_or_else(|| unsupported(READABLE))?;
                let parameters = from_query(query(&request)?, format);
                Submission { document: read(request).await?.freeze(), content: None, parameters }
            }
        };
        submission.checked(shared.limits.max_document)
    }
}

/// Base64 in a body that has been read.
enum Encoded {
    /// Where it stands.
    Within(Range<usize>),
    /// It was written with escapes.
    Apart(String),
}

impl Encoded {
    fn of(body: &[u8], text: Cow<'_, str>) -> Encoded {
        match text {
            Cow::Borrowed(text) => {
                let start = (text.as_ptr() as usize).saturating_sub(body.as_ptr() as usize);
                Encoded::Within(start..start + text.len())
            }
            Cow::Owned(text) => Encoded::Apart(text),
        }
    }

    /// Decodes within the body where it stands there; then where the octets are.
    fn decode(self, name: &str, body: &mut BytesMut) -> Result<Decoded, Problem> {
        match self {
            Encoded::Within(range) => {
                let start = range.start;
                let octets = base64_in_place(name, body.get_mut(range).unwrap_or_default())?;
                Ok(Decoded::Within(start..start + octets))
            }
            Encoded::Apart(text) => base64(name, &text).map(Decoded::Apart),
        }
    }
}

enum Decoded {
    Within(Range<usize>),
    Apart(Bytes),
}

impl Decoded {
    fn octets(self, body: &Bytes) -> Bytes {
        match self {
            Decoded::Within(range) => body.slice(range),
            Decoded::Apart(octets) => octets,
        }
    }
}

impl Submission {
    /// A submission from a JSON body, whose octets become the document's.
    pub(super) fn from_json(mut body: BytesMut) -> Result<Submission, Problem> {
        let JsonSubmission { document, content, format, applicant, service, policy, validation_time } = json(&body)?;
        let parameters = Parameters { format, applicant, service, policy, validation_time };
        let document = Encoded::of(&body, document);
        let content = content.map(|content| Encoded::of(&body, content));
        let document = document.decode("document", &mut body)?;
        let content = content.map(|content| content.decode("content", &mut body)).transpose()?;
        let body = body.freeze();
        Ok(Submission {
            document: document.octets(&body),
            content: content.map(|content| content.octets(&body)),
            parameters,
        })
    }
}

async fn from_form(request: Request) -> Result<Submission, Problem> {
    let mut parts = multipart(request, &["document", "content", "parameters"]).await?;
    let document = parts
        .remove("document")
        .ok_or_else(|| Problem::new(problem::INVALID_REQUEST, "the form has no part `document`"))?;
    let parameters = parts.get("parameters").map(|bytes| json(bytes)).transpose()?.unwrap_or_default();
    Ok(Submission { document, content: parts.remove("content"), parameters })
}

fn from_query(query: QueryParameters, by_media_type: Format) -> Parameters {
    let QueryParameters { format, iin, bin, service, policy, validation_time } = query;
    let applicant = (iin.is_some() || bin.is_some()).then_some(Applicant { iin, bin });
    Parameters { format: Some(format.unwrap_or(by_media_type)), applicant, service, policy, validation_time }
}

/// A sealed licence as JSON.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LicenceSubmission {
    /// The sealed licence, base64.
    #[schema(value_type = String, format = Byte)]
    document: String,
    #[serde(skip)]
    #[schema(ignore)]
    octets: Bytes,
}

/// A sealed licence as a `multipart/form-data` body.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the form")]
pub(super) struct LicenceForm {
    /// The sealed licence.
    #[schema(value_type = String, format = Binary)]
    document: Vec<u8>,
}

impl FromRequest<Arc<Shared>> for LicenceSubmission {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Arc<Shared>) -> Result<LicenceSubmission, Problem> {
        no_query(&request)?;
        let media_type = media_type(request.headers());
        match media_type.as_deref() {
            Some("application/json") => {
                let bytes = read(request).await?;
                let submission: LicenceSubmission = json(&bytes)?;
                let octets = base64("document", &submission.document)?;
                Ok(LicenceSubmission { octets, ..submission })
            }
            Some("multipart/form-data") => {
                let mut parts = multipart(request, &["document"]).await?;
                let missing = || Problem::new(problem::INVALID_REQUEST, "the form has no part `document`");
                let octets = parts.remove("document").ok_or_else(missing)?;
                Ok(LicenceSubmission { document: String::new(), octets })
            }
            Some(raw) if RAW.iter().any(|(name, _)| *name == raw) => {
                Ok(LicenceSubmission { document: String::new(), octets: read(request).await?.freeze() })
            }
            _ => Err(unsupported(READABLE)),
        }
    }
}

impl LicenceSubmission {
    /// The octets to be judged.
    pub(super) fn into_document(self) -> Bytes {
        self.octets
    }
}

impl Format {
    const fn as_str(self) -> &'static str {
        match self {
            Format::Auto => "auto",
            Format::Cms => "cms",
            Format::Xmldsig => "xmldsig",
            Format::Wsse => "wsse",
            Format::Pdf => "pdf",
            Format::Jws => "jws",
            Format::Certificate => "certificate",
        }
    }
}

impl Submission {
    /// As the use cases take it.
    pub(super) fn into_service(self) -> service::Submission {
        let Parameters { format, applicant, service, policy, validation_time } = self.parameters;
        let applicant = applicant.unwrap_or_default();
        service::Submission {
            document: self.document,
            content: self.content,
            parameters: service::VerificationParameters {
                format: format.map(|format| format.as_str().to_owned()),
                applicant: service::Applicant { iin: applicant.iin, bin: applicant.bin },
                service,
                policy,
                validation_time,
            },
        }
    }

    pub(super) fn checked(self, max_document: u64) -> Result<Submission, Problem> {
        let too_large = |bytes: &Bytes| u64::try_from(bytes.len()).unwrap_or(u64::MAX) > max_document;
        if too_large(&self.document) || self.content.as_ref().is_some_and(too_large) {
            return Err(Problem::new(
                problem::BODY_TOO_LARGE,
                format!("the limit of a document is {max_document} bytes"),
            ));
        }
        if let Some(Applicant { iin, bin }) = &self.parameters.applicant {
            for (name, number) in [("iin", iin), ("bin", bin)] {
                let twelve_digits = |text: &String| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
                if number.as_ref().is_some_and(|text| !twelve_digits(text)) {
                    return Err(Problem::new(problem::INVALID_PARAMETER, format!("`{name}` is twelve digits")));
                }
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_form_carries_every_parameter() {
        let body = r#"{"document": "AAE=", "content": "Ag==", "format": "cms", "applicant": {"iin": "850412300123", "bin": null},
            "service": "agency-pipelines", "policy": "request", "validation_time": "2026-11-22T02:00:00Z"}"#;
        let submission = Submission::from_json(body.as_bytes().into()).expect("valid").checked(10).expect("valid");
        assert_eq!(submission.document, &[0, 1][..]);
        assert_eq!(submission.content.as_deref(), Some(&[2][..]));
        let parameters = submission.parameters;
        assert_eq!(parameters.format, Some(Format::Cms));
        assert_eq!(parameters.applicant.expect("given").iin.as_deref(), Some("850412300123"));
        assert_eq!(parameters.validation_time.map(|time| time.to_string()).as_deref(), Some("2026-11-22T02:00:00Z"));
    }

    #[test]
    fn base64_with_escapes_and_in_any_order_is_the_same_octets() {
        for body in [
            r#"{"content": "Ag==", "document": "AA\/+"}"#,
            r#"{"document": "\u0041A/+", "content": "A\u0067=="}"#,
            r#"{"document":"AA/+","content":"Ag=="}"#,
        ] {
            let submission = Submission::from_json(body.as_bytes().into()).expect("valid");
            assert_eq!((&submission.document[..], submission.content.as_deref()), (&[0, 15, 254][..], Some(&[2][..])));
        }
    }

    #[test]
    fn nothing_but_the_document_is_required() {
        let submission = Submission::from_json(br#"{"document": ""}"#[..].into()).expect("valid");
        assert_eq!(submission.parameters, Parameters::default());
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for bad in [
            r#"{}"#,
            r#"[]"#,
            r#"{"document": null}"#,
            r#"{"document": 1}"#,
            r#"{"document": "AA"}"#,
            r#"{"document": "AAE=", "document": "AAE="}"#,
            r#"{"document": "AAE=", "Content": "AAE="}"#,
            r#"{"document": "AAE=", "format": "CMS"}"#,
            r#"{"document": "AAE=", "format": "asn1"}"#,
            r#"{"document": "AAE=", "applicant": "850412300123"}"#,
            r#"{"document": "AAE=", "applicant": {"iin": 850412300123}}"#,
            r#"{"document": "AAE=", "applicant": {"iin": "850412300123", "iin": "850412300124"}}"#,
            r#"{"document": "AAE=", "applicant": {"name": "x"}}"#,
            r#"{"document": "AAE=", "applicant": {"iin": "85041230012"}}"#,
            r#"{"document": "AAE=", "applicant": {"iin": "８50412300123"}}"#,
            r#"{"document": "AAE=", "applicant": {"bin": " 50412300123"}}"#,
            r#"{"document": "AAE=", "applicant": {"bin": ""}}"#,
            r#"{"document": "AAE=", "validation_time": "yesterday"}"#,
            r#"{"document": "AAE=", "validation_time": 1}"#,
            r#"{"document": "AAECAwQFBgcICQoL"}"#,
        ] {
            assert!(
                Submission::from_json(bad.as_bytes().into()).and_then(|submission| submission.checked(10)).is_err(),
                "{bad}"
            );
        }
    }
}
