//! What the applicant does: writes a request and signs it.

use crate::{
    demonstration::Credential,
    pki::Certificate,
    report::Time,
    service::signing::{self, SigningOrder},
    stamp::Encapsulation,
};
use serde_json::json;

/// The content of a request, in the form the service's rule reads.
pub(super) fn request(service: &str, iin: Option<&str>, bin: Option<&str>) -> Vec<u8> {
    let mut applicant = serde_json::Map::new();
    for (name, number) in [("iin", iin), ("bin", bin)] {
        if let Some(number) = number {
            applicant.insert(name.into(), number.into());
        }
    }
    let content = json!({
        "demonstration": crate::demonstration::MARK,
        "service": service,
        "applicant": applicant,
        "activity": "магистральдық газ құбырларын пайдалану",
        // Two requests are never the same document.
        "nonce": uuid::Uuid::now_v7(),
    });
    content.to_string().into_bytes()
}

/// The same as a portal's XML form.
pub(super) fn xml_request(service: &str, iin: &str) -> Vec<u8> {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<request><demonstration>{}</demonstration><service>{service}</service>\
         <applicant><iin>{iin}</iin></applicant><activity>магистральдық газ құбырларын пайдалану</activity>\
         <nonce>{}</nonce></request>\n",
        crate::demonstration::MARK,
        uuid::Uuid::now_v7()
    )
    .into_bytes()
}

/// An XML form signed enveloped, as `tamga sign --format xml` does it.
pub(super) fn sign_xml(
    credential: &Credential,
    chain: &[Vec<u8>],
    content: &[u8],
    at: Time,
) -> Result<Vec<u8>, String> {
    let certificate = Certificate::parse(&credential.certificate).map_err(|error| error.to_string())?;
    let key = crate::adapter::demonstration_folder::private_key(credential).map_err(|error| error.to_string())?;
    let order = SigningOrder { content, encapsulation: Encapsulation::Attached, certificate: &certificate, chain, at };
    Ok(signing::sign_xml(&order, &key).map_err(|error| error.to_string())?.document)
}

/// The content signed, attached, as `tamga sign` does it.
pub(super) fn sign(credential: &Credential, chain: &[Vec<u8>], content: &[u8], at: Time) -> Result<Vec<u8>, String> {
    let certificate = Certificate::parse(&credential.certificate).map_err(|error| error.to_string())?;
    let key = crate::adapter::demonstration_folder::private_key(credential).map_err(|error| error.to_string())?;
    let order = SigningOrder { content, encapsulation: Encapsulation::Attached, certificate: &certificate, chain, at };
    // A warning about an expired key is what one of the steps is about.
    Ok(signing::sign_cms(&order, &key).map_err(|error| error.to_string())?.document)
}

/// The document with one character of the content changed.
pub(super) fn alter_content(document: &[u8]) -> Vec<u8> {
    let needle = b"nonce";
    let mut altered = document.to_vec();
    let position = altered.windows(needle.len()).position(|window| window == needle);
    if let Some(octet) = position.and_then(|position| altered.get_mut(position)) {
        *octet = b'N';
    }
    altered
}

/// The XML document with one character of the content changed.
pub(super) fn alter_xml(document: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(document).replacen("магистральдық", "Магистральдық", 1).into_bytes()
}

/// The document with the last octet of the signature's value changed.
pub(super) fn alter_signature(document: &[u8]) -> Vec<u8> {
    let mut altered = document.to_vec();
    if let Some(octet) = altered.last_mut() {
        *octet ^= 1;
    }
    altered
}
