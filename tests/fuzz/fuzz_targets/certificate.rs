//! Any octets: refused, or a certificate whose every accessor answers, that validates without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tamga::pki::{Certificate, Identity};
use tamga::report::Time;
use tamga::verify::certificate::{Material, Purpose, ValidationContext, validate_certificate};
use tamga::verify::policy::Policy;

fuzz_target!(|data: &[u8]| {
    let Ok(certificate) = Certificate::parse(data) else { return };
    assert_eq!(certificate.raw(), data);
    assert_eq!(certificate.subject() == certificate.issuer(), certificate.subject().canonical() == certificate.issuer().canonical());
    let _ = (certificate.subject().to_string(), Identity::of(&certificate), certificate.extensions().count());
    let own = [certificate.clone()];
    let context = ValidationContext { intermediates: &own, ..ValidationContext::default() };
    for anchors in [&[][..], &own[..]] {
        let context = ValidationContext { trust_anchors: anchors, ..context };
        let at = Time::from_unix(1_800_000_000);
        let policy = Policy::default();
        validate_certificate(&certificate, &Material::default(), Purpose::DocumentSignature, at, &policy, &context);
    }
});
