//! Any octets, as a CMS document with and without a content beside it: a report, never a panic, and nobody who is
//! trusted by nobody is accepted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tamga::format::Format;
use tamga::report::{Decision, Time};
use tamga::verify::certificate::ValidationContext;
use tamga::verify::policy::Policy;
use tamga::verify::{DeclaredApplicant, VerificationInputs, verify};

fuzz_target!(|data: &[u8]| {
    let Some(policy) = Policy::built_in("signature") else { return };
    for content in [None, Some(&b"content"[..])] {
        let report = verify(&VerificationInputs {
            report_id: "fuzz",
            at: Time::from_unix(1_800_000_000),
            received_at: None,
            document: data,
            format: Some(Format::Cms),
            content,
            declared: DeclaredApplicant::default(),
            service: None,
            policy: &policy,
            context: ValidationContext::default(),
        });
        assert_ne!(report.decision, Decision::Accepted);
    }
});
