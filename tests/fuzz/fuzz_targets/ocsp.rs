//! Any octets: refused, or a response whose answers can be read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tamga::pki::OcspResponse;

fuzz_target!(|data: &[u8]| {
    let Ok(response) = OcspResponse::parse(data) else { return };
    for single in &response.responses {
        let _ = response.status(single);
    }
    for certificate in &response.certificates {
        let _ = (response.is_by(certificate), response.verify_signature(certificate.public_key()));
    }
});
