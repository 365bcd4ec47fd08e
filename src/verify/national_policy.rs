//! The rules of the Republic of Kazakhstan for verifying signatures, as policies: Order № 500/НҚ of 21.08.2026 and
//! Order № 1187 of 09.12.2015, which it replaced.
//!
//! Each point of Order 500/НҚ, the check that answers it and the test that holds it stand in `docs/policy.md`.
//!
//! *Invariant:* a national policy accepts nothing that the policy `signature` refuses, but for the key usage of p. 16.4.

use super::policy::{
    Absence, KeyUsagePolicy, Policy, RevocationPolicy, RevocationSources, Severity, SignerKeyUsage, StatusUnavailable,
};
use crate::asn1::{Oid, OidBuf, oid};
use crate::pki::Role;
use crate::pki::extension::purpose;
use crate::report::Time;

/// Policies of the national authority for signing: the general one since 2022, and before it the signatures of legal
/// entities and of natural persons. `.2` and `.4` of the same arc are for authentication.
const SIGNING_POLICIES: [Oid<'static>; 3] =
    [oid!(1, 2, 398, 3, 3, 2), oid!(1, 2, 398, 3, 3, 2, 1), oid!(1, 2, 398, 3, 3, 2, 3)];

/// How long before the moment of verification a receipt may have been made and still testify about it, in seconds.
///
/// DEVIATION: p. 19.6 asks that thisUpdate not precede the moment, which no live answer can do; the clocks of responder
/// and verifier, and the way of the answer, are given five minutes. The risk is a revocation within them.
const RECEIPT_WINDOW_SECONDS: u32 = 300;

/// 06.09.2026 at midnight in Kazakhstan (UTC+5): Order 500/НҚ is in force, Order 1187 is not.
const ORDER_500_IN_FORCE: Time = Time::from_unix(1_788_634_800);

/// `kz-500`: the check points of Order № 500/НҚ.
pub(super) fn order_500() -> Policy {
    Policy {
        id: "kz-500".to_owned(),
        // p. 8
        signing_certificate_attribute: Severity::Refuse,
        key_usage: KeyUsagePolicy {
            // p. 16.4 names the use, and either of the two keys of the profile is for signing.
            signer: SignerKeyUsage::NonRepudiationOrDigitalSignature,
            without_extended: Absence::Refused,
            ..signing_use()
        },
        revocation: RevocationPolicy {
            // p. 4 and p. 16.2
            sources: RevocationSources::OcspThenCrl,
            // p. 18.5
            stale: StatusUnavailable::Refuse,
            // p. 19.6
            maximum_ocsp_age_seconds: Some(RECEIPT_WINDOW_SECONDS),
            ..RevocationPolicy::default()
        },
        ..Policy::default()
    }
}

/// `kz-1187`: the rules for signatures made while Order № 1187 was in force.
pub(super) fn order_1187() -> Policy {
    Policy {
        id: "kz-1187".to_owned(),
        // p. 6.3: a signature is made with a key for digitalSignature and nonRepudiation.
        key_usage: KeyUsagePolicy { signer: SignerKeyUsage::NonRepudiation, ..signing_use() },
        revocation: RevocationPolicy { sources: RevocationSources::CrlThenOcsp, ..RevocationPolicy::default() },
        until: Some(ORDER_500_IN_FORCE),
        ..Policy::default()
    }
}

/// What a certificate for signing says about its use in both Orders.
fn signing_use() -> KeyUsagePolicy {
    KeyUsagePolicy {
        extended: [purpose::EMAIL_PROTECTION, purpose::DOCUMENT_SIGNING].map(OidBuf::from).into(),
        // Certificates for one system alone are refused outside it.
        excluded: [Role::TreasuryClient, Role::Notary].map(|role| OidBuf::from(role.oid())).into(),
        certificate_policies: SIGNING_POLICIES.map(OidBuf::from).into(),
        ..KeyUsagePolicy::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_orders_change_at_midnight_in_kazakhstan() {
        assert_eq!(ORDER_500_IN_FORCE.to_string(), "2026-09-05T19:00:00Z");
    }
}
