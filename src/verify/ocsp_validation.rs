//! The status of a certificate by OCSP responses (RFC 6960 §3.2, §4.2.2).
//!
//! *Invariant:* an answer counts only when its CertID is the certificate's under its issuer's key, its signer is that
//! issuer or a responder that the same key has authorised, and its signature verifies.

use super::certificate::{Nesting, Validator};
use super::extension_policy::{self, Position};
use super::revocation::{Answer, Evidence, MAX_CLOCK_SKEW_SECONDS, Status};
use crate::pki::crl::RevokedEntry;
use crate::pki::extension::{KeyUsage, id, purpose};
use crate::pki::ocsp::{CertStatus, SingleResponse};
use crate::pki::public_key::signature_algorithm;
use crate::pki::{Certificate, OcspResponse, SubjectPublicKeyInfo};
use crate::report::RevocationSource;

impl Validator<'_> {
    /// What the responses at hand say about a certificate: a revocation first, else the newest word.
    pub(super) fn ocsp_answer(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        anchor: &Certificate,
        nesting: &Nesting,
    ) -> Answer {
        let mut best: Option<Answer> = None;
        let mut trouble = Answer::none(self.no_data("no OCSP response about the certificate"));
        for response in &self.responses {
            let about = |single: &&SingleResponse| single.cert_id.matches(certificate, issuer.public_key_bits());
            let mut singles = response.responses.iter().filter(about).peekable();
            if singles.peek().is_none() {
                continue;
            }
            if let Err(cause) = self.check_responder(response, issuer, anchor, nesting) {
                trouble = Answer::none(cause);
                continue;
            }
            for single in singles {
                match self.single_status(response, single, certificate) {
                    Ok(status) => {
                        let answer = Answer {
                            status,
                            evidence: Some(Evidence {
                                source: RevocationSource::Ocsp,
                                this_update: single.this_update,
                                next_update: single.next_update,
                                digest: response.digest.to_string(),
                            }),
                        };
                        let order = |answer: &Answer| {
                            let revoked = matches!(answer.status, Status::Revoked { .. });
                            let time = answer.evidence.as_ref().map(|evidence| evidence.this_update);
                            (revoked, time, answer.status != Status::Good)
                        };
                        if best.as_ref().is_none_or(|best| order(&answer) > order(best)) {
                            best = Some(answer);
                        }
                    }
                    Err(status) => trouble = Answer { status, evidence: None },
                }
            }
        }
        best.unwrap_or(trouble)
    }

    fn single_status(
        &self,
        response: &OcspResponse,
        single: &SingleResponse,
        certificate: &Certificate,
    ) -> Result<Status, Status> {
        let latest = self.now.plus_seconds(MAX_CLOCK_SKEW_SECONDS);
        if single.this_update > latest || response.produced_at > latest {
            return Err(Status::Unavailable("the OCSP response is from the future".to_owned()));
        }
        let status = match response.status(single) {
            CertStatus::Revoked { at: revocation_date, reason } => {
                let revoked = RevokedEntry { revocation_date, reason, invalidity_date: single.invalidity_date };
                Status::of_revocation(&revoked, self.at, self.now)
            }
            CertStatus::Good => Status::Good,
            CertStatus::Unknown => Status::Unknown,
        };
        // A revocation stays one, however old the answer is.
        if matches!(status, Status::Revoked { .. }) {
            return Ok(status);
        }
        let policy = &self.policy.revocation;
        let is_younger_than = |age: u32| single.this_update >= self.at.plus_seconds(-i64::from(age));
        let fresh = match single.next_update {
            Some(next_update) => self.at <= next_update,
            None => is_younger_than(policy.ocsp_life_seconds),
        };
        if !fresh || !policy.maximum_ocsp_age_seconds.is_none_or(is_younger_than) {
            return Err(Status::Stale { next_update: single.next_update });
        }
        // Attack 26: a responder may forget certificates that have expired.
        let expired = certificate.not_after();
        if single.this_update > expired && single.archive_cutoff.is_none_or(|cutoff| cutoff > expired) {
            return Err(Status::Unavailable("the OCSP response was issued after the certificate expired".to_owned()));
        }
        Ok(status)
    }

    /// RFC 6960 §4.2.2.2: the issuer itself, or a certificate with id-kp-OCSPSigning that the issuer's key signed.
    fn check_responder(
        &self,
        response: &OcspResponse,
        issuer: &Certificate,
        anchor: &Certificate,
        nesting: &Nesting,
    ) -> Result<(), String> {
        if response.is_by(issuer) && self.verify_response(response, issuer.public_key()).is_ok() {
            return Ok(());
        }
        let mut cause = "no certificate of the OCSP responder is at hand".to_owned();
        let candidates = response.certificates.iter().chain(self.builder.pool.iter().copied());
        for responder in candidates.filter(|candidate| response.is_by(candidate)) {
            let checked = self
                .verify_response(response, responder.public_key())
                .and_then(|()| self.check_delegation(response, responder, issuer, anchor, nesting));
            match checked {
                Ok(()) => return Ok(()),
                Err(found) => cause = found,
            }
        }
        Err(cause)
    }

    fn check_delegation(
        &self,
        response: &OcspResponse,
        responder: &Certificate,
        issuer: &Certificate,
        anchor: &Certificate,
        nesting: &Nesting,
    ) -> Result<(), String> {
        let refuse = |cause: &str| Err(cause.to_owned());
        // "This certificate MUST be issued directly by the CA that is identified in the request."
        if responder.issuer() != issuer.subject() || self.builder.check_step(responder, issuer).is_err() {
            return refuse("the OCSP responder is not authorised by the certificate's issuer");
        }
        if !responder.extended_key_usage().is_some_and(|list| list.iter().any(|p| p == purpose::OCSP_SIGNING)) {
            return refuse("the OCSP responder's certificate is not for signing OCSP responses");
        }
        let signing = KeyUsage::DIGITAL_SIGNATURE | KeyUsage::NON_REPUDIATION;
        if responder.key_usage().is_some_and(|usage| !usage.intersects(signing)) {
            return refuse("the OCSP responder's key is not for signing");
        }
        if !responder.is_valid_at(self.at.max(response.produced_at)) {
            return refuse("the OCSP responder's certificate is not valid");
        }
        if responder.unrecognised_critical().next().is_some()
            || extension_policy::first_broken(responder, Position::Target).is_some()
        {
            return refuse("the OCSP responder's certificate is malformed");
        }
        if responder.has_ocsp_nocheck() {
            return Ok(());
        }
        if nesting.in_question.contains(responder.digest()) {
            return refuse("the OCSP responder's own status is in question");
        }
        let mut nested = nesting.clone();
        nested.in_question.push(*responder.digest());
        match self.crl_answer(responder, issuer, anchor, &nested).status {
            Status::Good => Ok(()),
            Status::Revoked { .. } | Status::OnHold { .. } | Status::Unknown => {
                refuse("the OCSP responder's certificate is revoked")
            }
            // RFC 6960 §4.2.2.2.1: an issuer that names no source of revocation asks for no check.
            Status::Stale { .. } | Status::Unavailable(_) => {
                let asks_ocsp = responder
                    .authority_information_access()
                    .is_some_and(|list| list.iter().any(|access| access.method == id::ACCESS_OCSP));
                if responder.crl_distribution_points().is_some() || asks_ocsp {
                    refuse("the status of the OCSP responder's certificate is not known")
                } else {
                    Ok(())
                }
            }
        }
    }

    fn verify_response(&self, response: &OcspResponse, key: &SubjectPublicKeyInfo) -> Result<(), String> {
        let algorithm = signature_algorithm(response.signature_algorithm()).map_err(|e| e.to_string())?;
        let parsed = key.key().map_err(|e| e.to_string())?;
        self.builder.check_algorithm(&algorithm, parsed)?;
        let question = (response.digest, *key.digest());
        if self.builder.cache.is_some_and(|cache| cache.is_known_good(&question.0, &question.1)) {
            return Ok(());
        }
        self.budgets.signatures.spend(1).map_err(|reason| reason.code().to_owned())?;
        response.verify_signature(key).map_err(|_| "the OCSP response's signature does not verify".to_owned())?;
        if let Some(cache) = self.builder.cache {
            cache.remember_good(&question.0, &question.1);
        }
        Ok(())
    }
}
