//! Any octets: refused, or a response whose answers can be read and judged for the certificates that it carries.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tamga::pki::OcspResponse;
use tamga::report::Time;
use tamga::verify::certificate::{Material, Purpose, ValidationContext, validate_certificate};
use tamga::verify::policy::Policy;

fuzz_target!(|data: &[u8]| {
    let Ok(response) = OcspResponse::parse(data) else { return };
    assert_eq!(response.raw(), data);
    for single in &response.responses {
        let _ = response.status(single);
    }
    let responses = [response.clone()];
    for certificate in &response.certificates {
        let _ = (response.is_by(certificate), response.verify_signature(certificate.public_key()));
        let context = ValidationContext {
            trust_anchors: &response.certificates,
            responses: &responses,
            ..ValidationContext::default()
        };
        let at = Time::from_unix(1_800_000_000);
        let purpose = Purpose::OcspResponder;
        validate_certificate(certificate, &Material::default(), purpose, at, &Policy::default(), &context);
    }
});
