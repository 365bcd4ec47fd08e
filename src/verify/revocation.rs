//! The status of every certificate below the trust anchor (RFC 5280 §6.3, RFC 6960; EN 319 102-1 §5.2.5).
//!
//! Sources are asked in the order of the policy; a revocation that is proven by any of them stands, whatever another
//! says. No usable answer is no answer: it never passes.
//!
//! *Invariant:* a status is "good" only by a list or response whose signer is authorised, that is in scope and fresh.

use super::certificate::{Nesting, Validator};
use super::path::Finding;
use super::policy::{RevocationSources, StatusUnavailable};
use crate::pki::Certificate;
use crate::pki::crl::{CrlReason, RevokedEntry};
use crate::report::{CheckId, Reason, RevocationEvidence, RevocationSource, RevocationStatus, Time};

/// How far ahead of our clock a source's clock may be, in seconds.
pub(super) const MAX_CLOCK_SKEW_SECONDS: i64 = 300;

/// Sources that were asked in vain and are named in a reason.
const MAX_CAUSES: usize = 4;

/// What is known about one certificate.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Status {
    /// Not revoked.
    Good,
    /// Revoked for good; `since` is when it takes effect, which an invalidityDate may put before.
    Revoked { at: Time, since: Time, reason: CrlReason },
    /// On hold.
    OnHold { since: Time },
    /// The responder does not know the certificate.
    Unknown,
    /// The newest usable answer is too old.
    Stale { next_update: Option<Time> },
    /// No usable answer.
    Unavailable(String),
}

impl Status {
    /// Whether a source has said something usable.
    pub(super) fn is_answer(&self) -> bool {
        !matches!(self, Status::Stale { .. } | Status::Unavailable(_))
    }

    /// What a revocation means at a time: one that comes later than a time in the past leaves it alone where its reason
    /// is benign (`validation.md` §3; Order 500/НҚ p. 14). Where the certificate is said to have become invalid before
    /// it was revoked (invalidityDate, RFC 5280 §5.3.2), that is when it comes.
    pub(super) fn of_revocation(revoked: &RevokedEntry, at: Time, now: Time) -> Status {
        let date = revoked.revocation_date;
        let since = revoked.invalidity_date.map_or(date, |invalid| invalid.min(date));
        let is_later = since > at && at < now;
        match revoked.reason.unwrap_or(CrlReason::Unspecified) {
            CrlReason::RemoveFromCrl => Status::Good,
            CrlReason::CertificateHold if is_later => Status::Good,
            CrlReason::CertificateHold => Status::OnHold { since: date },
            reason if is_later && reason.is_benign_afterwards() => Status::Good,
            reason => Status::Revoked { at: date, since, reason },
        }
    }
}

/// A source's word about one certificate.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: Status,
    pub(super) evidence: Option<Evidence>,
}

/// What an answer rests on.
#[derive(Clone, Debug)]
pub(super) struct Evidence {
    pub(super) source: RevocationSource,
    pub(super) this_update: Time,
    pub(super) next_update: Option<Time>,
    pub(super) digest: String,
}

impl Answer {
    pub(super) fn none(cause: impl Into<String>) -> Answer {
        Answer { status: Status::Unavailable(cause.into()), evidence: None }
    }
}

/// What is known about the certificates of a path.
#[derive(Debug, Default)]
pub(super) struct PathStatus {
    /// The worst first.
    pub(super) findings: Vec<Finding>,
    pub(super) evidence: Vec<RevocationEvidence>,
}

impl Validator<'_> {
    /// The status of every certificate of a path, target first.
    pub(super) fn check_revocation(
        &self,
        certificates: &[Certificate],
        anchor: &Certificate,
        nesting: &Nesting,
    ) -> PathStatus {
        let mut path_status = PathStatus::default();
        let issuers = certificates.iter().skip(1).chain([anchor]);
        for (position, (certificate, issuer)) in certificates.iter().zip(issuers).enumerate() {
            let answer = self.status(certificate, issuer, anchor, nesting);
            path_status.findings.extend(self.finding(position, &answer.status));
            path_status.evidence.extend(answer.evidence.map(|evidence| RevocationEvidence {
                certificate: position,
                status: match answer.status {
                    Status::Good => RevocationStatus::Good,
                    Status::Revoked { .. } | Status::OnHold { .. } => RevocationStatus::Revoked,
                    Status::Unknown | Status::Stale { .. } | Status::Unavailable(_) => RevocationStatus::Unknown,
                },
                source: evidence.source,
                this_update: evidence.this_update,
                next_update: evidence.next_update,
                digest: evidence.digest,
            }));
        }
        path_status.findings.sort_by_key(|(_, reason)| match reason {
            Reason::RevRevoked { .. } | Reason::RevCaRevoked { .. } => 0,
            Reason::RevUnknown {} => 1,
            Reason::RevOnHold { .. } => 2,
            Reason::RevStale { .. } => 3,
            _ => 4,
        });
        path_status
    }

    fn finding(&self, position: usize, status: &Status) -> Option<Finding> {
        let is_refused = |silence: StatusUnavailable| silence == StatusUnavailable::Refuse;
        let unavailable_is_refused = is_refused(self.policy.revocation.unavailable);
        let stale_is_refused = unavailable_is_refused || is_refused(self.policy.revocation.stale);
        let reason = match status.clone() {
            Status::Good => return None,
            Status::Revoked { at, reason, .. } => {
                let reason = reason.as_str().to_owned();
                match position {
                    0 => Reason::RevRevoked { revoked_at: at, reason },
                    certificate => Reason::RevCaRevoked { certificate, revoked_at: at, reason },
                }
            }
            Status::OnHold { since } => Reason::RevOnHold { certificate: position, since },
            Status::Unknown => Reason::RevUnknown {},
            Status::Stale { .. } if stale_is_refused => Reason::RevUnknown {},
            Status::Unavailable(_) if unavailable_is_refused => Reason::RevUnknown {},
            Status::Stale { next_update } => {
                Reason::RevStale { certificate: position, next_update, validation_time: self.at }
            }
            Status::Unavailable(cause) => Reason::RevUnavailable { certificate: position, cause },
        };
        Some((CheckId::Revocation, reason))
    }

    /// What the sources of the policy say about one certificate.
    pub(super) fn status(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        anchor: &Certificate,
        nesting: &Nesting,
    ) -> Answer {
        let ocsp = || self.ocsp_answer(certificate, issuer, anchor, nesting);
        let crl = || self.crl_answer(certificate, issuer, anchor, nesting);
        let (answer, ask) = match self.policy.revocation.sources {
            RevocationSources::Crl => (crl(), false),
            RevocationSources::Ocsp => {
                let answer = ocsp();
                let ask = !answer.status.is_answer();
                (answer, ask)
            }
            RevocationSources::OcspThenCrl => {
                let (by_response, by_list) = (ocsp(), crl());
                let ask = !by_response.status.is_answer();
                (in_order(by_response, by_list), ask)
            }
            RevocationSources::CrlThenOcsp => {
                let (by_list, by_response) = (crl(), ocsp());
                let ask = !by_list.status.is_answer() && !by_response.status.is_answer();
                (in_order(by_list, by_response), ask)
            }
            RevocationSources::Both => {
                let (by_response, by_list) = (ocsp(), crl());
                let ask = !by_response.status.is_answer();
                (both(by_response, by_list), ask)
            }
        };
        // A revocation stands, whatever a responder would say.
        if let Some(questions) = self.questions.filter(|_| ask && !matches!(answer.status, Status::Revoked { .. })) {
            questions.ask_status(certificate, issuer);
        }
        answer
    }

    /// What to say where a source has nothing.
    pub(super) fn no_data(&self, what: &str) -> String {
        let causes = self.unavailable.iter().take(MAX_CAUSES).map(|u| format!("; {}: {}", u.source, u.cause));
        std::iter::once(what.to_owned()).chain(causes).collect()
    }
}

/// The first source's word, else the second's; a revocation by either stands, and a hold gives way only to what is newer.
fn in_order(first: Answer, second: Answer) -> Answer {
    let this_update = |answer: &Answer| answer.evidence.as_ref().map(|evidence| evidence.this_update);
    match (&first.status, &second.status) {
        (Status::Revoked { .. }, _) => first,
        (_, Status::Revoked { .. }) => second,
        (Status::Good, Status::OnHold { .. }) if this_update(&second) > this_update(&first) => second,
        (Status::OnHold { .. }, Status::Good) if this_update(&second) > this_update(&first) => second,
        (first_status, second_status) => {
            let stale = |status: &Status| matches!(status, Status::Stale { .. });
            if first_status.is_answer() {
                first
            } else if second_status.is_answer() || (stale(second_status) && !stale(first_status)) {
                second
            } else if let (Status::Unavailable(one), Status::Unavailable(other)) = (first_status, second_status) {
                if one == other { first } else { Answer::none(format!("{one}; {other}")) }
            } else {
                first
            }
        }
    }
}

/// Both sources must say "good"; else the worse word.
fn both(first: Answer, second: Answer) -> Answer {
    let rank = |status: &Status| match status {
        Status::Good => 0,
        Status::Unavailable(_) => 1,
        Status::Stale { .. } => 2,
        Status::OnHold { .. } => 3,
        Status::Unknown => 4,
        Status::Revoked { .. } => 5,
    };
    if rank(&second.status) > rank(&first.status) { second } else { first }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: Status, this_update: i64) -> Answer {
        let evidence = status.is_answer().then(|| Evidence {
            source: RevocationSource::Crl,
            this_update: Time::from_unix(this_update),
            next_update: None,
            digest: String::new(),
        });
        Answer { status, evidence }
    }

    const REVOKED: Status =
        Status::Revoked { at: Time::from_unix(5), since: Time::from_unix(5), reason: CrlReason::KeyCompromise };
    const HOLD: Status = Status::OnHold { since: Time::from_unix(5) };

    #[test]
    fn a_revocation_stands_whatever_another_source_says() {
        assert_eq!(in_order(answer(Status::Good, 9), answer(REVOKED, 1)).status, REVOKED);
        assert_eq!(in_order(answer(REVOKED, 1), answer(Status::Good, 9)).status, REVOKED);
        assert_eq!(both(answer(Status::Unknown, 1), answer(REVOKED, 9)).status, REVOKED);
    }

    #[test]
    fn a_hold_gives_way_to_what_is_newer() {
        assert_eq!(in_order(answer(Status::Good, 9), answer(HOLD, 1)).status, Status::Good);
        assert_eq!(in_order(answer(Status::Good, 1), answer(HOLD, 9)).status, HOLD);
        assert_eq!(in_order(answer(HOLD, 1), answer(Status::Good, 9)).status, Status::Good);
    }

    #[test]
    fn unknown_is_an_answer_and_silence_is_none() {
        assert_eq!(in_order(answer(Status::Unknown, 1), answer(Status::Good, 9)).status, Status::Unknown);
        let silent = || Answer::none("silent");
        assert_eq!(in_order(silent(), answer(Status::Good, 1)).status, Status::Good);
        let stale = Answer { status: Status::Stale { next_update: None }, evidence: None };
        assert_eq!(in_order(silent(), stale.clone()).status, stale.status);
        assert!(!both(silent(), answer(Status::Good, 1)).status.is_answer());
    }

    #[test]
    fn only_benign_reasons_leave_the_past_alone() {
        let (early, late) = (Time::from_unix(10), Time::from_unix(20));
        let invalid = |reason, at, invalidity_date| {
            let revoked = RevokedEntry { revocation_date: Time::from_unix(15), reason, invalidity_date };
            Status::of_revocation(&revoked, at, late)
        };
        let status = |reason, at| invalid(reason, at, None);
        let superseded = |date| invalid(Some(CrlReason::Superseded), early, Some(Time::from_unix(date)));
        assert!(matches!(superseded(9), Status::Revoked { .. }), "invalid before the time in question");
        assert_eq!(superseded(11), Status::Good);
        assert_eq!(superseded(99), Status::Good, "a date after the revocation says nothing");
        assert_eq!(status(Some(CrlReason::Superseded), early), Status::Good);
        assert!(matches!(status(Some(CrlReason::KeyCompromise), early), Status::Revoked { .. }));
        assert!(matches!(status(None, early), Status::Revoked { .. }));
        assert!(matches!(status(Some(CrlReason::Superseded), late), Status::Revoked { .. }));
        assert_eq!(status(Some(CrlReason::CertificateHold), early), Status::Good);
    }
}
