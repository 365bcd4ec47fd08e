//! Our own time-stamping authority, for demonstrations and closed networks.
//!
//! *Invariant:* a token is made only of a time that is proven, under a number that was never used, by a certificate that
//! is for time-stamping alone.

use super::serial::{SerialError, Serials};
use super::{ClockNotProven, GuardedClock};
use crate::asn1::OidBuf;
use crate::crypto::{Digest, DigestAlgorithm};
use crate::pki::Certificate;
use crate::pki::extension::{id, purpose};
use crate::pki::timestamp::{Accuracy, CertificateRequested, FailureInfo, NewTstInfo, TimeStampResp};
use crate::port::{KeySigner, TimestampAuthority, TimestampError, TimestampResponder};
use crate::stamp::timestamp::{Authority, accept_request, prepare_token};
use std::{io, path::Path, sync::Arc};

/// What a token says of its exactness: what [`GuardedClock`] lets a clock step, rounded up.
const ACCURACY_SECONDS: u32 = 3;

/// Why there is no authority.
#[derive(Debug, thiserror::Error)]
pub enum OwnAuthorityError {
    /// The certificate is not for time-stamping alone (RFC 3161 §2.3).
    #[error("the certificate is not for time-stamping alone: extKeyUsage must be critical and say timeStamping only")]
    Certificate,
    /// The numbers cannot be kept.
    #[error("the serial numbers cannot be kept: {0}")]
    Serials(#[from] io::Error),
}

/// A key that makes tokens.
pub struct OwnAuthority {
    signer: Arc<dyn KeySigner>,
    certificate: Certificate,
    clock: GuardedClock,
    serials: Serials,
    policy: OidBuf,
    digest: DigestAlgorithm,
}

impl OwnAuthority {
    /// The authority of a key; numbers are kept in the file.
    ///
    /// # Errors
    /// [`OwnAuthorityError`].
    pub fn new(
        signer: Arc<dyn KeySigner>,
        clock: GuardedClock,
        policy: OidBuf,
        digest: DigestAlgorithm,
        serials: &Path,
    ) -> Result<OwnAuthority, OwnAuthorityError> {
        let certificate = Certificate::parse(signer.certificate()).map_err(|_| OwnAuthorityError::Certificate)?;
        let sole = certificate.extended_key_usage().is_some_and(|list| list.iter().eq([purpose::TIME_STAMPING]));
        if !sole || !certificate.is_critical(id::EXTENDED_KEY_USAGE) {
            return Err(OwnAuthorityError::Certificate);
        }
        Ok(OwnAuthority { signer, certificate, clock, serials: Serials::open(serials)?, policy, digest })
    }

    /// Whether a token could be made now.
    ///
    /// # Errors
    /// [`ClockNotProven`].
    pub fn check(&self) -> Result<(), ClockNotProven> {
        self.clock.proven_now().map(drop)
    }

    fn make(
        &self,
        imprint: &Digest,
        nonce: Option<&[u8]>,
        certificate: CertificateRequested,
    ) -> Result<Vec<u8>, FailureInfo> {
        let at = self.clock.proven_now().map_err(|error| {
            tracing::error!(%error, "no time-stamp: the clock is not proven");
            FailureInfo::TimeNotAvailable
        })?;
        if !self.certificate.is_valid_at(at) {
            tracing::error!("no time-stamp: the authority's certificate is not valid");
            return Err(FailureInfo::SystemFailure);
        }
        let serial_number = self.serials.take(at).map_err(|error| {
            tracing::error!(%error, "no time-stamp");
            match error {
                SerialError::Clock(_) => FailureInfo::TimeNotAvailable,
                SerialError::Store(_) => FailureInfo::SystemFailure,
            }
        })?;
        let info = NewTstInfo {
            policy: self.policy.as_oid(),
            message_imprint: *imprint,
            serial_number: &serial_number,
            gen_time: at,
            accuracy: Some(Accuracy::from_seconds(ACCURACY_SECONDS)),
            nonce,
        };
        let who = Authority {
            certificate: &self.certificate,
            chain: self.signer.chain(),
            algorithm: self.signer.algorithm(),
        };
        let failed = |error: &dyn std::fmt::Display| {
            tracing::error!(%error, "no time-stamp");
            FailureInfo::SystemFailure
        };
        let prepared = prepare_token(&who, &info, certificate).map_err(|error| failed(&error))?;
        let value = self.signer.sign(prepared.to_be_signed()).map_err(|error| failed(&error))?;
        prepared.assemble(&value).map_err(|error| failed(&error))
    }
}

impl TimestampResponder for OwnAuthority {
    fn answer(&self, request: &[u8]) -> Vec<u8> {
        let made = accept_request(request, self.policy.as_oid())
            .and_then(|accepted| self.make(&accepted.imprint, accepted.nonce, accepted.certificate));
        match made {
            Ok(token) => TimeStampResp::granted(&token),
            Err(failure) => TimeStampResp::rejection(failure),
        }
    }
}

impl TimestampAuthority for OwnAuthority {
    fn digest_algorithm(&self) -> DigestAlgorithm {
        self.digest
    }

    fn token(&self, imprint: &Digest) -> Result<Vec<u8>, TimestampError> {
        self.make(imprint, None, CertificateRequested::Yes).map_err(|failure| {
            let cause = format!("our own: {failure:?}");
            match failure {
                FailureInfo::TimeNotAvailable | FailureInfo::SystemFailure => TimestampError::Unavailable { cause },
                _ => TimestampError::Refused { cause },
            }
        })
    }
}
