//! Pure judgement: facts in, report out. No clock, no socket, no file (architecture, "gather facts, then judge").
//!
//! The process is EN 319 102-1 §5.3: format checking, identification of the signing certificate, validation of the
//! certificate, cryptographic verification, acceptance; then our identity rule. A building block never stops the
//! others: every signer is reported with every check, and [`crate::report::judge`] alone decides.
//!
//! *Invariant:* nothing here raises an outcome to "passed" without having run the check.

pub mod budget;
mod carried;
pub mod certificate;
mod crl_validation;
mod extension_policy;
mod identity;
mod inputs;
mod level;
mod name_constraints;
mod national_policy;
mod ocsp_validation;
mod open_questions;
mod past;
mod path;
mod path_building;
pub mod policy;
mod policy_graph;
mod proof;
pub mod replay;
mod revocation;
mod signing_certificate;
mod timestamp;
mod xml;

pub use carried::evidence_in;
pub use inputs::{ContentIdentityRule, DeclaredApplicant, ServiceRules, VerificationInputs};
pub use open_questions::{OpenQuestions, StatusQuestion};

use crate::crypto::{Digest, DigestAlgorithm, PublicKey};
use crate::format::{self, Format, ParsedDocument, ParsedSignature, armour, limits, wsse};
use crate::pki::Certificate;
use crate::report::{
    CheckId, Checks, Decision, DocumentSummary, Indication, Judgement, Outcome, PathCertificate, PolicyReference,
    Reason, SOFTWARE, ScopeSummary, SignatureReport, Signer, ValidationReport, Verdict, judge, refusal,
};
use carried::Carried;
use certificate::{CertificateOutcome, Purpose};
use level::Level;

/// How far in the future a claimed signing time may lie, in seconds: clocks of applicants differ (contract §5).
const MAX_CLOCK_SKEW_SECONDS: i64 = 300;

/// Verifies one document and reports.
///
/// Total: whatever the bytes are, the answer is a report.
pub fn verify(inputs: &VerificationInputs<'_>) -> ValidationReport {
    let format = inputs.format.or_else(|| Format::detect(inputs.document)).unwrap_or(Format::Cms);
    match format {
        Format::Certificate => verify_certificate_alone(inputs),
        Format::Cms => match armour::dearmour(inputs.document) {
            Err(error) => unreadable(inputs, format, Reason::FcMalformed { what: error.to_string() }),
            Ok(octets) => match format::cms::parse(&octets, inputs.content) {
                Err(reason) => unreadable(inputs, format, reason),
                Ok(document) => verify_document(inputs, &document, None),
            },
        },
        Format::Xmldsig | Format::Wsse => xml::verify(inputs, format),
        Format::Pdf | Format::Jws => {
            unreadable(inputs, format, Reason::FcUnsupportedFormat { format: format.as_str().to_owned() })
        }
    }
}

/// Judges every signature of a parsed document.
fn verify_document(
    inputs: &VerificationInputs<'_>,
    document: &ParsedDocument<'_>,
    message: Option<&wsse::Message<'_>>,
) -> ValidationReport {
    let carried = Carried::by(document, &inputs.context);
    let required = inputs.policy.required_checks(inputs.service.and_then(|s| s.content_identity.as_ref()).is_some());
    let mut signatures: Vec<SignatureReport> = document
        .signatures
        .iter()
        .map(|signature| verify_signature(inputs, document, message, signature, &carried))
        .collect();

    // Contract §5: identity is matched by at least one signer. Another signer's mismatch is then worth a warning.
    for check in [CheckId::IdentityDeclared, CheckId::IdentityContent] {
        let holds = |s: &SignatureReport| matches!(s.checks.outcome(check), Outcome::Passed | Outcome::Warned(_));
        if signatures.len() > 1 && signatures.iter().any(holds) {
            signatures.iter_mut().for_each(|s| s.checks.downgrade(check));
        }
    }
    let judgements: Vec<Judgement> = signatures.iter().map(|s| judge(&s.checks, &required)).collect();
    for (signature, judgement) in signatures.iter_mut().zip(&judgements) {
        signature.decision = judgement.decision;
        signature.indication = judgement.verdict.indication;
        signature.sub_indication = judgement.verdict.sub_indication;
    }
    let worst = judgements.into_iter().max_by_key(|j| (j.decision, j.verdict.indication));
    let summary = DocumentSummary {
        format: document.format.as_str().to_owned(),
        detached: document.detached,
        content_digest: document.content_digest.map(|d| d.to_string()),
        ..summary(inputs, document.format)
    };
    report(inputs, summary, worst, signatures)
}

fn verify_signature(
    inputs: &VerificationInputs<'_>,
    document: &ParsedDocument<'_>,
    message: Option<&wsse::Message<'_>>,
    signature: &ParsedSignature<'_>,
    carried: &Carried,
) -> SignatureReport {
    let mut checks = signature.findings.clone();
    xml::check_coverage(inputs, message, signature, &mut checks);
    if let Err(reason) = &signature.algorithm
        && matches!(reason, Reason::SavAlgorithmNotAllowed { .. })
    {
        checks.fail(CheckId::Algorithms, reason.clone());
    }
    if let Some(claimed) = signature.claimed_signing_time
        && claimed > inputs.at.plus_seconds(MAX_CLOCK_SKEW_SECONDS)
    {
        let reason = Reason::SavSigningTimeImplausible { claimed, validation_time: inputs.at };
        checks.fail(CheckId::SignedAttributes, reason);
    }
    let (embedded, at_hand) = (&carried.certificates, inputs.context.intermediates);
    let certificate = signing_certificate::identify(signature, embedded, at_hand, inputs.policy, &mut checks);
    let Some(certificate) = certificate else {
        let unreadable = signing_certificate::unreadable(signature, &document.certificates);
        checks.fail(CheckId::SigningCertificate, unreadable.unwrap_or(Reason::IscSigningCertificateMissing {}));
        return SignatureReport {
            decision: Decision::Refused,
            indication: Indication::Indeterminate,
            sub_indication: None,
            signer: None,
            algorithm: signature.algorithm.as_ref().ok().map(|a| algorithm_name(None, a)),
            claimed_signing_time: signature.claimed_signing_time,
            level: Level::B.as_str().to_owned(),
            best_signature_time: inputs.at,
            proven_by: None,
            renew_before: None,
            timestamps: Vec::new(),
            signed_digest: signed_digest(signature),
            freshness: xml::freshness(message, signature),
            scope: scope(signature),
            certification_path: Vec::new(),
            revocation: Vec::new(),
            checks,
        };
    };
    let tokens = timestamp::validate_all(document, signature, carried, inputs, &mut checks);
    // EN 319 102-1 §5.5.4 step 3; Order 500/НҚ p. 14: the time of a valid token, otherwise now.
    let best_signature_time = tokens.earliest().map_or(inputs.at, |token| token.at.min(inputs.at));
    if let Err(reason) = inputs.policy.is_in_force(best_signature_time) {
        checks.fail(CheckId::Timestamp, reason);
    }
    let outcome = past::validate_with_time(&certificate, &[carried], best_signature_time, &tokens.proofs, inputs);
    merge(&mut checks, &outcome.findings);
    let key = certificate.public_key().key();
    match (&signature.algorithm, &key) {
        (Ok(algorithm), Ok(key)) => {
            inputs.policy.check_algorithm(algorithm, key, best_signature_time, &mut checks);
            let verified = key.verify(algorithm, &signature.message, &signature.signature);
            checks.record(
                CheckId::SignatureValue,
                Outcome::from_result(verified.map_err(|_| Reason::CvSignatureInvalid {})),
            );
        }
        (_, Err(error)) => {
            checks.fail(CheckId::Algorithms, Reason::SavAlgorithmNotAllowed { algorithm: error.to_string() });
        }
        (Err(_), _) => {}
    }
    let level = level::level(&certificate, document, carried, &tokens, best_signature_time, inputs);
    let identity = certificate.identity();
    identity::check(inputs, signature, document.content.as_deref(), identity, &mut checks);
    SignatureReport {
        decision: Decision::Refused,
        indication: Indication::Indeterminate,
        sub_indication: None,
        signer: Some(signer(&certificate)),
        algorithm: signature.algorithm.as_ref().ok().map(|a| algorithm_name(key.ok(), a)),
        claimed_signing_time: signature.claimed_signing_time,
        level: level.as_str().to_owned(),
        best_signature_time,
        proven_by: tokens.earliest().map(|token| token.digest.to_string()),
        renew_before: level::lasts_until(level, &outcome.path, &tokens, inputs),
        timestamps: tokens.reports,
        signed_digest: signed_digest(signature),
        freshness: xml::freshness(message, signature),
        scope: scope(signature),
        certification_path: path(&outcome),
        revocation: outcome.revocation,
        checks,
    }
}

/// A certificate alone, as condition 3 has it before signing: the signature checks do not apply.
fn verify_certificate_alone(inputs: &VerificationInputs<'_>) -> ValidationReport {
    let parsed = limits::check_limit("document bytes", inputs.document.len(), limits::MAX_CERTIFICATE_BYTES)
        .and_then(|()| {
            armour::dearmour(inputs.document).map_err(|error| Reason::FcMalformed { what: error.to_string() })
        })
        .and_then(|der| {
            inputs
                .context
                .parse_certificate(&der)
                .map_err(|error| Reason::FcMalformed { what: format!("certificate: {error}") })
        });
    let certificate = match parsed {
        Ok(certificate) => certificate,
        Err(reason) => return unreadable(inputs, Format::Certificate, reason),
    };
    let mut checks = Checks::default();
    checks.pass(CheckId::DocumentFormat);
    checks.pass(CheckId::SigningCertificate);
    if let Err(reason) = inputs.policy.is_in_force(inputs.at) {
        checks.fail(CheckId::Timestamp, reason);
    }
    let outcome = certificate::validate(&certificate, &[], Purpose::DocumentSignature, inputs);
    merge(&mut checks, &outcome.findings);
    identity::check_declared(inputs, certificate.identity(), &mut checks);
    // What nobody has signed with yet: the key must be one whose signatures would be accepted.
    let key = certificate.public_key().key();
    let allowed = match &key {
        Ok(key) => inputs.policy.key_is_allowed(key, inputs.at),
        Err(error) => Err(error.to_string()),
    };
    let reason = |algorithm| Reason::SavAlgorithmNotAllowed { algorithm };
    checks.record(CheckId::Algorithms, Outcome::from_result(allowed.map_err(reason)));
    let judgement = judge(&checks, &inputs.policy.required_certificate_checks());
    let signature = SignatureReport {
        decision: judgement.decision,
        indication: judgement.verdict.indication,
        sub_indication: judgement.verdict.sub_indication,
        signer: Some(signer(&certificate)),
        algorithm: key.ok().map(PublicKey::name),
        claimed_signing_time: None,
        level: Level::B.as_str().to_owned(),
        best_signature_time: inputs.at,
        proven_by: None,
        renew_before: None,
        timestamps: Vec::new(),
        signed_digest: None,
        freshness: None,
        scope: None,
        certification_path: path(&outcome),
        revocation: outcome.revocation,
        checks,
    };
    report(inputs, summary(inputs, Format::Certificate), Some(judgement), vec![signature])
}

fn merge(checks: &mut Checks, findings: &Checks) {
    for (id, found) in findings.iter() {
        checks.record(id, found.clone());
    }
}

/// In XML the canonical SignedInfo stands for all that is signed; in CMS the content has a digest of its own.
fn signed_digest(signature: &ParsedSignature<'_>) -> Option<String> {
    signature.element.map(|_| Digest::sha256(&signature.message).to_string())
}

fn scope(signature: &ParsedSignature<'_>) -> Option<ScopeSummary> {
    signature.scope.as_ref().map(|scope| ScopeSummary {
        path: scope.path.clone(),
        name: scope.name.clone(),
        whole_document: scope.whole_document,
    })
}

/// `RSA-2048 with SHA-256`, as the report has it.
fn algorithm_name(key: Option<&PublicKey>, algorithm: &crate::crypto::SignatureAlgorithm) -> String {
    let digest = algorithm.digest().map_or("", DigestAlgorithm::name);
    let scheme = match (key, algorithm) {
        (Some(key), crate::crypto::SignatureAlgorithm::RsaPss { .. }) => format!("{} PSS", key.name()),
        (Some(key), crate::crypto::SignatureAlgorithm::Ecdsa(_)) => format!("ECDSA {}", key.name()),
        (Some(key), _) => key.name(),
        (None, _) => algorithm.scheme().to_owned(),
    };
    if digest.is_empty() { scheme } else { format!("{scheme} with {digest}") }
}

fn signer(certificate: &Certificate) -> Signer {
    let identity = certificate.identity();
    Signer {
        common_name: identity.common_name.clone(),
        iin: identity.iin.one().map(|iin| iin.as_str().to_owned()),
        bin: identity.bin.one().map(|bin| bin.as_str().to_owned()),
        organisation: identity.organisation.clone(),
        roles: identity.roles.iter().map(|role| role.as_str().to_owned()).collect(),
        serial_number: certificate.serial_number_text().to_owned(),
        issuer: certificate.issuer_text().to_owned(),
        not_before: certificate.not_before(),
        not_after: certificate.not_after(),
        certificate_digest: certificate.digest_text().to_owned(),
    }
}

fn path(outcome: &CertificateOutcome) -> Vec<PathCertificate> {
    path_certificates(&outcome.path, outcome.reaches_trust_anchor)
}

fn path_certificates(path: &[Certificate], reaches_trust_anchor: bool) -> Vec<PathCertificate> {
    let last = path.len().saturating_sub(1);
    let row = |(position, certificate): (usize, &Certificate)| PathCertificate {
        subject: certificate.subject_text().to_owned(),
        serial_number: certificate.serial_number_text().to_owned(),
        digest: certificate.digest_text().to_owned(),
        trust_anchor: reaches_trust_anchor && position == last,
    };
    path.iter().enumerate().map(row).collect()
}

fn summary(inputs: &VerificationInputs<'_>, format: Format) -> DocumentSummary {
    DocumentSummary {
        format: format.as_str().to_owned(),
        detached: false,
        size: inputs.document.len() as u64,
        digest: Digest::sha256(inputs.document).to_string(),
        content_digest: None,
    }
}

/// The report about a document that cannot be read: no signature, one reason.
fn unreadable(inputs: &VerificationInputs<'_>, format: Format, reason: Reason) -> ValidationReport {
    let judgement = Judgement { decision: Decision::Refused, verdict: reason.verdict(), reason: Some(reason) };
    report(inputs, summary(inputs, format), Some(judgement), Vec::new())
}

fn report(
    inputs: &VerificationInputs<'_>,
    document: DocumentSummary,
    judgement: Option<Judgement>,
    signatures: Vec<SignatureReport>,
) -> ValidationReport {
    // A document without a judged signature proves nothing.
    let judgement = judgement.unwrap_or_else(|| {
        let reason = Reason::FcNoSignature {};
        Judgement { decision: Decision::Refused, verdict: reason.verdict(), reason: Some(reason) }
    });
    let Judgement { decision, verdict: Verdict { indication, sub_indication }, reason } = judgement;
    ValidationReport {
        id: inputs.report_id.to_owned(),
        software: SOFTWARE.to_owned(),
        policy: policy_reference(inputs),
        decision,
        retryable: decision == Decision::Undetermined,
        indication,
        sub_indication,
        validation_time: inputs.at,
        // All signatures are proven to have existed at the latest of their times.
        best_signature_time: signatures.iter().map(|s| s.best_signature_time).max().unwrap_or(inputs.at),
        document,
        refusal: reason.as_ref().map(refusal),
        signatures,
    }
}

fn policy_reference(inputs: &VerificationInputs<'_>) -> PolicyReference {
    let policy = inputs.policy;
    let digest = inputs.context.cache.map_or_else(|| policy.digest(), |cache| cache.policy_digest(policy));
    PolicyReference { id: policy.id.clone(), version: policy.version.clone(), digest }
}
