//! Sealed licences as the stamping room makes them: CAdES-B around canonical JSON, and XML with XAdES-B.

use crate::{
    crypto::Digest,
    format::{Format, cms},
    licensing::{Container, Licence},
    pki::Certificate,
    port::KeySigner,
    report::Time,
    service::{Prepared, SealedContent, ServiceError, Stamping},
    stamp::{SealProfile, Sealer, prepare, prepare_xml, read_content, read_xml, seal, seal_xml},
};

/// Seals by the house's profile.
#[derive(Clone, Debug, Default)]
pub struct Sealing {
    profile: SealProfile,
}

impl Stamping for Sealing {
    fn prepare(
        &self,
        container: Container,
        licence: &Licence,
        signer: &dyn KeySigner,
        at: Time,
    ) -> Result<Prepared, ServiceError> {
        let certificate = Certificate::parse(signer.certificate()).map_err(internal)?;
        let sealer = Sealer { certificate: &certificate, chain: signer.chain(), algorithm: signer.algorithm() };
        match container {
            Container::Cms => {
                let (to_be_signed, token) = prepare(&self.profile, licence, &sealer, at).map_err(internal)?;
                Ok(Prepared {
                    content: token.content_digest(),
                    to_be_signed: to_be_signed.as_bytes().to_vec(),
                    seal: Box::new(move |signature| Ok(seal(token, signature).map_err(internal)?.into_bytes())),
                })
            }
            Container::Xml => {
                let (to_be_signed, token) = prepare_xml(&self.profile, licence, &sealer, at).map_err(internal)?;
                Ok(Prepared {
                    content: token.content_digest(),
                    to_be_signed: to_be_signed.as_bytes().to_vec(),
                    seal: Box::new(move |signature| seal_xml(token, signature).map_err(internal)),
                })
            }
        }
    }

    fn content(&self, sealed: &[u8]) -> Option<SealedContent> {
        if Format::detect(sealed) == Some(Format::Xmldsig) {
            let (licence, digest) = read_xml(sealed)?;
            return Some(SealedContent { licence, digest });
        }
        let parsed = cms::parse(sealed, None).ok()?;
        let content = parsed.content.as_deref()?;
        Some(SealedContent { licence: read_content(content)?, digest: Digest::sha256(content) })
    }
}

fn internal(error: impl std::fmt::Display) -> ServiceError {
    ServiceError::Internal { cause: error.to_string() }
}
