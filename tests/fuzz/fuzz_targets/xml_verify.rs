//! Any octets, as an XML document for the whole verifier, with and without a rule of the service: a report, never a
//! panic; nobody who is trusted by nobody is accepted; what is said to be signed is there.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tamga::format::Format;
use tamga::report::{Decision, Time};
use tamga::verify::certificate::ValidationContext;
use tamga::verify::policy::Policy;
use tamga::verify::{ContentIdentityRule, DeclaredApplicant, ServiceRules, VerificationInputs, replay, verify};

fuzz_target!(|data: &[u8]| {
    let Some(policy) = Policy::built_in("signature") else { return };
    let rules = ServiceRules {
        content_identity: Some(ContentIdentityRule {
            xml_iin: Some("/form/application/iin".into()),
            xml_bin: Some("/form/application/@bin".into()),
            ..ContentIdentityRule::default()
        }),
        xml_element: Some("/form/application".into()),
        ..ServiceRules::default()
    };
    for (service, content) in [(None, None), (Some(&rules), None), (None, Some(&b"<content/>"[..]))] {
        let mut report = verify(&VerificationInputs {
            report_id: "fuzz",
            at: Time::from_unix(1_800_000_000),
            received_at: None,
            document: data,
            format: Some(Format::Xmldsig),
            content,
            declared: DeclaredApplicant::default(),
            service,
            policy: &policy,
            context: ValidationContext::default(),
        });
        assert_ne!(report.decision, Decision::Accepted);
        assert!(replay::takes(&report).is_empty(), "only an accepted message is remembered");
        assert!(report.signatures.iter().filter_map(|s| s.scope.as_ref()).all(|scope| scope.path.starts_with('/')));
        replay::refuse(&mut report);
        assert_ne!(report.decision, Decision::Accepted);
    }
});
