//! Tokens of the national time-stamping authority.

use crate::scene::{failure, first_token, judge, stamped};
use std::path::PathBuf;
use tamga::crypto::DigestAlgorithm;
use tamga::pki::Certificate;
use tamga::pki::timestamp::{ID_CT_TST_INFO, TimeStampResp, TstInfo};
use tamga::report::{CheckId, Outcome, Time, TimestampOutcome};
use tamga::verify::certificate::ValidationContext;
use tamga::verify::policy::Severity;

/// The folder of national material; `None`, said aloud, where it is not at hand.
fn corpus() -> Option<PathBuf> {
    let root = std::env::var_os("TAMGA_CORPUS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"), PathBuf::from);
    let folder = root.join("kz");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no corpus folder kz; set TAMGA_CORPUS");
    None
}

fn certificate(bytes: &[u8]) -> Certificate {
    Certificate::parse(&tamga::format::armour::dearmour(bytes).unwrap()).unwrap()
}

/// CAdES-T of July 2026: the token is over this signature, its own signature holds, and its authority is the production
/// one. There is no list of that authority at hand, so the time is not confirmed, and nothing stands against it.
#[test]
fn tokens_of_cades_t_are_intact() {
    let Some(folder) = corpus() else { return };
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let documents = [read("cms/gost2015/individual_attached.der"), read("cms/gost2015/legal_entity_attached.der")];
    let anchors =
        [certificate(&read("ca/test/nca_gost2022_test.cer")), certificate(&read("ca/prod/nca_gost_2022.pem"))];
    let context = ValidationContext { trust_anchors: &anchors, ..ValidationContext::default() };
    let at: Time = "2026-08-15T00:00:00Z".parse().unwrap();
    for (document, other) in documents.iter().zip(documents.iter().rev()) {
        let report = judge(document, at, Severity::Warn, context);
        let token = first_token(&report);
        assert_eq!(token.outcome, TimestampOutcome::Unconfirmed, "{:?}", token.code);
        assert_eq!(token.code.as_deref(), Some("tsp-revocation-unavailable"));
        assert_eq!(token.policy.as_deref(), Some("1.2.398.3.3.2.6.4"));
        assert!(token.gen_time.unwrap().to_string().starts_with("2026-07"), "{:?}", token.gen_time);
        let checks = &report.signatures[0].checks;
        assert_eq!(checks.outcome(CheckId::SignatureValue), &Outcome::Passed);
        assert_eq!(checks.outcome(CheckId::ContentDigest), &Outcome::Passed);

        // The other document's token at this signature.
        let parsed = tamga::format::cms::parse(other, None).unwrap();
        let moved = stamped(document, parsed.signatures[0].signature_timestamps[0]);
        assert_eq!(failure(&judge(&moved, at, Severity::Warn, context)), Some("tsp-imprint-mismatch"));
    }
}

/// The response of 2022 and its token: read to the end. Its imprint is SHA-1, which proves nothing today.
#[test]
fn the_response_of_2022_carries_its_token() {
    let Some(folder) = corpus() else { return };
    let response = std::fs::read(folder.join("tsp/response.der")).unwrap();
    let token = std::fs::read(folder.join("tsp/token.der")).unwrap();
    assert_eq!(TimeStampResp::parse(&response), Ok(TimeStampResp::Granted(&token)));
    let parsed = tamga::format::cms::parse_signed_data(&token, ID_CT_TST_INFO, None).unwrap();
    let info = TstInfo::parse(parsed.content.as_deref().unwrap()).unwrap();
    assert_eq!(info.gen_time.to_string(), "2022-09-18T13:20:14Z");
    assert_eq!(info.policy.to_string(), "1.2.398.3.3.2.6.1");
    assert_eq!(info.message_imprint.known().unwrap().algorithm(), DigestAlgorithm::Sha1);
    assert_eq!(info.nonce, Some(&[1, 0x83, 0x50, 0xc0, 0x22, 0xd7][..]));
}
