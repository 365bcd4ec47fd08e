//! Sealed licences as the stamping room makes them: CAdES-B around canonical JSON.

use crate::{
    format::cms,
    licensing::Licence,
    pki::Certificate,
    port::KeySigner,
    report::Time,
    service::{Prepared, ServiceError, Stamping},
    stamp::{SealProfile, Sealer, prepare, read_content, seal},
};

/// Seals by the house's profile.
#[derive(Clone, Debug, Default)]
pub struct Sealing {
    profile: SealProfile,
}

impl Stamping for Sealing {
    fn prepare(&self, licence: &Licence, signer: &dyn KeySigner, at: Time) -> Result<Prepared, ServiceError> {
        let certificate = Certificate::parse(signer.certificate()).map_err(internal)?;
        let sealer = Sealer { certificate: &certificate, chain: signer.chain(), algorithm: signer.algorithm() };
        let (to_be_signed, token) = prepare(&self.profile, licence, &sealer, at).map_err(internal)?;
        Ok(Prepared {
            content: token.content_digest(),
            to_be_signed: to_be_signed.as_bytes().to_vec(),
            seal: Box::new(move |signature| Ok(seal(token, signature).map_err(internal)?.into_bytes())),
        })
    }

    fn content(&self, sealed: &[u8]) -> Option<Licence> {
        read_content(cms::parse(sealed, None).ok()?.content.as_deref()?)
    }
}

fn internal(error: impl std::fmt::Display) -> ServiceError {
    ServiceError::Internal { cause: error.to_string() }
}
