//! Signature algorithms by AlgorithmIdentifier and by URI.

use super::DigestAlgorithm;
use crate::asn1::{Element, Error, Oid, Reader, Tag, encode, oid};

/// `AlgorithmIdentifier ::= SEQUENCE { algorithm OBJECT IDENTIFIER, parameters ANY DEFINED BY algorithm OPTIONAL }`
/// (RFC 5280 §4.1.1.2), borrowed.
#[derive(Clone, Copy, Debug)]
pub struct AlgorithmIdentifier<'a> {
    /// The algorithm.
    pub algorithm: Oid<'a>,
    /// Its parameters, if the field is there.
    pub parameters: Option<Element<'a>>,
}

impl<'a> AlgorithmIdentifier<'a> {
    /// Reads the identifier that comes next.
    ///
    /// # Errors
    /// Anything but a SEQUENCE of an OID and at most one element.
    pub fn parse(reader: &mut Reader<'a>) -> Result<AlgorithmIdentifier<'a>, Error> {
        AlgorithmIdentifier::from_contents(reader.sequence()?)
    }

    /// Reads the contents of an (implicitly tagged) identifier.
    ///
    /// # Errors
    /// As [`AlgorithmIdentifier::parse`].
    pub fn from_contents(mut inner: Reader<'a>) -> Result<AlgorithmIdentifier<'a>, Error> {
        let algorithm = inner.oid()?;
        let parameters = if inner.is_empty() { None } else { Some(inner.element()?) };
        inner.finish()?;
        Ok(AlgorithmIdentifier { algorithm, parameters })
    }

    /// Whether the parameters are absent or NULL: what every algorithm here but PSS and the EC keys asks for.
    pub fn has_no_parameters(&self) -> bool {
        self.parameters.is_none_or(|p| p.null().is_ok())
    }
}

/// The byte order in which a GOST 34.10 signature travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GostByteOrder {
    /// Kazakhstan's: `r` then `s`, little-endian each.
    Kazakh,
    /// RFC 9215's: `s` then `r`, big-endian each.
    Tc26,
}

/// A signature algorithm with everything that its identifier fixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 (RFC 8017 §8.2).
    RsaPkcs1(DigestAlgorithm),
    /// RSASSA-PSS (RFC 8017 §8.1), MGF1 with the same digest.
    RsaPss {
        /// Message digest and MGF1 digest.
        digest: DigestAlgorithm,
        /// Salt length in bytes, as declared; it is verified to be exactly this.
        salt_len: u16,
    },
    /// ECDSA (FIPS 186-5), signature as `Ecdsa-Sig-Value` (RFC 3279 §2.2.3).
    Ecdsa(DigestAlgorithm),
    /// Ed25519 (RFC 8032), pure.
    Ed25519,
    /// GOST 34.310-2004 over GOST 34.311-95.
    Gost2004,
    /// GOST 34.10-2015, 256 or 512 bits by its digest.
    Gost2015 {
        /// Streebog-256 or Streebog-512.
        digest: DigestAlgorithm,
        /// How `r` and `s` are laid out.
        order: GostByteOrder,
    },
}

/// Why an algorithm cannot be used; each is refused by name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AlgorithmError {
    /// Known, and too weak or never supported on purpose: MD5, SHA-1, DSA.
    #[error("{0}")]
    NotAllowed(&'static str),
    /// An identifier that no algorithm is registered under.
    #[error("unknown algorithm {0}")]
    Unknown(String),
    /// Parameters that the algorithm does not allow.
    #[error("parameters of {0}")]
    Parameters(&'static str),
    /// The digest in the identifier and the digest declared beside it differ.
    #[error("digest mismatch: {0}")]
    DigestMismatch(&'static str),
}

const RSA_ENCRYPTION: Oid<'static> = oid!(1, 2, 840, 113549, 1, 1, 1);
const RSASSA_PSS: Oid<'static> = oid!(1, 2, 840, 113549, 1, 1, 10);
const MGF1: Oid<'static> = oid!(1, 2, 840, 113549, 1, 1, 8);
const EC_PUBLIC_KEY: Oid<'static> = oid!(1, 2, 840, 10045, 2, 1);
const ED25519: Oid<'static> = oid!(1, 3, 101, 112);
const GOST2004_KEY: Oid<'static> = oid!(1, 2, 398, 3, 10, 1, 1, 1, 1);
const GOST2015_256_KEY: Oid<'static> = oid!(1, 2, 398, 3, 10, 1, 1, 2, 1);
const GOST2015_512_KEY: Oid<'static> = oid!(1, 2, 398, 3, 10, 1, 1, 2, 2);
const TC26_256_KEY: Oid<'static> = oid!(1, 2, 643, 7, 1, 1, 1, 1);
const TC26_512_KEY: Oid<'static> = oid!(1, 2, 643, 7, 1, 1, 1, 2);

use DigestAlgorithm::{Gost34311, Sha1, Sha224, Sha256, Sha384, Sha512, Streebog256, Streebog512};

/// Identifiers that fix digest and scheme, with the URI of XML Signature where there is one.
const REGISTRY: &[(Oid<'static>, &str, SignatureAlgorithm)] = &[
    (
        oid!(1, 2, 840, 113549, 1, 1, 11),
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        SignatureAlgorithm::RsaPkcs1(Sha256),
    ),
    (
        oid!(1, 2, 840, 113549, 1, 1, 12),
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
        SignatureAlgorithm::RsaPkcs1(Sha384),
    ),
    (
        oid!(1, 2, 840, 113549, 1, 1, 13),
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
        SignatureAlgorithm::RsaPkcs1(Sha512),
    ),
    (
        oid!(1, 2, 840, 10045, 4, 3, 2),
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
        SignatureAlgorithm::Ecdsa(Sha256),
    ),
    (
        oid!(1, 2, 840, 10045, 4, 3, 3),
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
        SignatureAlgorithm::Ecdsa(Sha384),
    ),
    (
        oid!(1, 2, 840, 10045, 4, 3, 4),
        "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512",
        SignatureAlgorithm::Ecdsa(Sha512),
    ),
    (ED25519, "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519", SignatureAlgorithm::Ed25519),
    (
        oid!(1, 2, 398, 3, 10, 1, 1, 2, 3, 2),
        "urn:ietf:params:xml:ns:pkigovkz:xmlsec:algorithms:gostr34102015-gostr34112015-512",
        SignatureAlgorithm::Gost2015 { digest: Streebog512, order: GostByteOrder::Kazakh },
    ),
    (
        oid!(1, 2, 398, 3, 10, 1, 1, 2, 3, 1),
        "urn:ietf:params:xml:ns:pkigovkz:xmlsec:algorithms:gostr34102015-gostr34112015-256",
        SignatureAlgorithm::Gost2015 { digest: Streebog256, order: GostByteOrder::Kazakh },
    ),
    (
        oid!(1, 2, 398, 3, 10, 1, 1, 1, 2),
        "http://www.w3.org/2001/04/xmldsig-more#gost34310-gost34311",
        SignatureAlgorithm::Gost2004,
    ),
    (
        oid!(1, 2, 643, 7, 1, 1, 3, 3),
        "",
        SignatureAlgorithm::Gost2015 { digest: Streebog512, order: GostByteOrder::Tc26 },
    ),
    (
        oid!(1, 2, 643, 7, 1, 1, 3, 2),
        "",
        SignatureAlgorithm::Gost2015 { digest: Streebog256, order: GostByteOrder::Tc26 },
    ),
];

/// Identifiers refused by name.
const REFUSED: &[(Oid<'static>, &str)] = &[
    (oid!(1, 2, 840, 113549, 1, 1, 2), "RSA with MD2"),
    (oid!(1, 2, 840, 113549, 1, 1, 4), "RSA with MD5"),
    (oid!(1, 2, 840, 113549, 1, 1, 5), "RSA with SHA-1"),
    (oid!(1, 3, 14, 3, 2, 29), "RSA with SHA-1"),
    (oid!(1, 2, 840, 113549, 1, 1, 14), "RSA with SHA-224"),
    (oid!(1, 2, 840, 10045, 4, 1), "ECDSA with SHA-1"),
    (oid!(1, 2, 840, 10045, 4, 3, 1), "ECDSA with SHA-224"),
    (oid!(1, 2, 840, 10040, 4, 1), "DSA"),
    (oid!(1, 2, 840, 10040, 4, 3), "DSA with SHA-1"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 3, 1), "DSA with SHA-224"),
    (oid!(2, 16, 840, 1, 101, 3, 4, 3, 2), "DSA with SHA-256"),
    (oid!(1, 3, 6, 1, 4, 1, 6801, 1, 2, 2), "GOST 34.310 under 1.3.6.1.4.1.6801.1.2.2"),
    (oid!(1, 3, 101, 113), "Ed448"),
];

const REFUSED_URIS: &[(&str, &str)] = &[
    ("http://www.w3.org/2000/09/xmldsig#rsa-sha1", "RSA with SHA-1"),
    ("http://www.w3.org/2000/09/xmldsig#dsa-sha1", "DSA with SHA-1"),
    ("http://www.w3.org/2009/xmldsig11#dsa-sha256", "DSA with SHA-256"),
    ("http://www.w3.org/2001/04/xmldsig-more#rsa-md5", "RSA with MD5"),
    ("http://www.w3.org/2001/04/xmldsig-more#rsa-sha224", "RSA with SHA-224"),
    ("http://www.w3.org/2001/04/xmldsig-more#rsa-ripemd160", "RSA with RIPEMD-160"),
    ("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1", "ECDSA with SHA-1"),
    ("http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha224", "ECDSA with SHA-224"),
    ("http://www.w3.org/2000/09/xmldsig#hmac-sha1", "HMAC"),
    ("http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", "HMAC"),
    ("http://www.w3.org/2001/04/xmldsig-more#hmac-sha384", "HMAC"),
    ("http://www.w3.org/2001/04/xmldsig-more#hmac-sha512", "HMAC"),
];

const PSS_URIS: &[(&str, DigestAlgorithm)] = &[
    ("http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1", Sha256),
    ("http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1", Sha384),
    ("http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1", Sha512),
];

impl SignatureAlgorithm {
    /// The algorithm of a certificate, CRL or response: the identifier says everything.
    ///
    /// # Errors
    /// As the variants of [`AlgorithmError`] say.
    pub fn from_identifier(identifier: &AlgorithmIdentifier<'_>) -> Result<SignatureAlgorithm, AlgorithmError> {
        if identifier.algorithm == RSASSA_PSS {
            return pss(identifier.parameters.as_ref());
        }
        if let Some((_, _, algorithm)) = REGISTRY.iter().find(|row| row.0 == identifier.algorithm) {
            let right = match algorithm {
                // RFC 8410 §3: parameters MUST be absent.
                SignatureAlgorithm::Ed25519 => identifier.parameters.is_none(),
                // RFC 4055 §5 and RFC 5758 §3.2 ask for NULL and for absence; signers mix them up harmlessly.
                _ => identifier.has_no_parameters(),
            };
            return if right { Ok(*algorithm) } else { Err(AlgorithmError::Parameters(algorithm.scheme())) };
        }
        Err(match REFUSED.iter().find(|row| row.0 == identifier.algorithm) {
            Some((_, name)) => AlgorithmError::NotAllowed(name),
            None => AlgorithmError::Unknown(identifier.algorithm.to_string()),
        })
    }

    /// The algorithm of a CMS SignerInfo, where `signatureAlgorithm` may name the key alone and leave the digest to
    /// `digestAlgorithm` (RFC 3370 §3.2; signers of the national CA from 2018 to 2021 do the same with GOST keys).
    ///
    /// # Errors
    /// As [`SignatureAlgorithm::from_identifier`], and [`AlgorithmError::DigestMismatch`] when the identifier fixes
    /// another digest than `digest` (RFC 5652 §5.4; attack 13).
    pub fn from_signer_info(
        identifier: &AlgorithmIdentifier<'_>,
        digest: DigestAlgorithm,
    ) -> Result<SignatureAlgorithm, AlgorithmError> {
        let by_key = |algorithm: SignatureAlgorithm| {
            if matches!(digest, Sha1 | Sha224) { Err(AlgorithmError::NotAllowed(digest.name())) } else { Ok(algorithm) }
        };
        let algorithm = match identifier.algorithm {
            RSA_ENCRYPTION if matches!(digest, Sha1 | Sha224 | Sha256 | Sha384 | Sha512) => {
                if !identifier.has_no_parameters() {
                    return Err(AlgorithmError::Parameters("RSA"));
                }
                by_key(SignatureAlgorithm::RsaPkcs1(digest))?
            }
            EC_PUBLIC_KEY if matches!(digest, Sha1 | Sha224 | Sha256 | Sha384 | Sha512) => {
                by_key(SignatureAlgorithm::Ecdsa(digest))?
            }
            GOST2004_KEY => SignatureAlgorithm::Gost2004,
            GOST2015_256_KEY => SignatureAlgorithm::Gost2015 { digest: Streebog256, order: GostByteOrder::Kazakh },
            GOST2015_512_KEY => SignatureAlgorithm::Gost2015 { digest: Streebog512, order: GostByteOrder::Kazakh },
            TC26_256_KEY => SignatureAlgorithm::Gost2015 { digest: Streebog256, order: GostByteOrder::Tc26 },
            TC26_512_KEY => SignatureAlgorithm::Gost2015 { digest: Streebog512, order: GostByteOrder::Tc26 },
            _ => SignatureAlgorithm::from_identifier(identifier)?,
        };
        match algorithm.digest() {
            Some(fixed) if fixed != digest => Err(AlgorithmError::DigestMismatch(digest.name())),
            // RFC 8419 §3.1: with signed attributes the digest of Ed25519 MUST be SHA-512.
            None if digest != Sha512 => Err(AlgorithmError::DigestMismatch(digest.name())),
            _ => Ok(algorithm),
        }
    }

    /// The algorithm of an XML `SignatureMethod`. ECDSA signatures there are `r‖s` and must be re-encoded first
    /// ([`ecdsa_der_from_fixed`]).
    ///
    /// # Errors
    /// [`AlgorithmError::NotAllowed`] by name, [`AlgorithmError::Unknown`].
    pub fn from_uri(uri: &str) -> Result<SignatureAlgorithm, AlgorithmError> {
        if let Some((_, _, algorithm)) = REGISTRY.iter().find(|row| !row.1.is_empty() && row.1 == uri) {
            return Ok(*algorithm);
        }
        if let Some((_, digest)) = PSS_URIS.iter().find(|row| row.0 == uri) {
            // RFC 9231 §2.3.10: the salt is as long as the digest.
            return Ok(SignatureAlgorithm::RsaPss { digest: *digest, salt_len: pss_salt_len(*digest) });
        }
        Err(match REFUSED_URIS.iter().find(|row| row.0 == uri) {
            Some((_, name)) => AlgorithmError::NotAllowed(name),
            None => AlgorithmError::Unknown(uri.to_owned()),
        })
    }

    /// The message digest, where the algorithm has one apart from itself (Ed25519 has not).
    pub const fn digest(&self) -> Option<DigestAlgorithm> {
        match self {
            SignatureAlgorithm::RsaPkcs1(digest)
            | SignatureAlgorithm::RsaPss { digest, .. }
            | SignatureAlgorithm::Ecdsa(digest)
            | SignatureAlgorithm::Gost2015 { digest, .. } => Some(*digest),
            SignatureAlgorithm::Gost2004 => Some(Gost34311),
            SignatureAlgorithm::Ed25519 => None,
        }
    }

    /// How `r` and `s` of a GOST signature are laid out; GOST 34.310-2004 is registered in Kazakhstan alone.
    pub(super) const fn gost_byte_order(&self) -> GostByteOrder {
        match self {
            SignatureAlgorithm::Gost2015 { order, .. } => *order,
            _ => GostByteOrder::Kazakh,
        }
    }

    /// The scheme's name without key size and digest.
    pub const fn scheme(&self) -> &'static str {
        match self {
            SignatureAlgorithm::RsaPkcs1(_) => "RSA",
            SignatureAlgorithm::RsaPss { .. } => "RSA-PSS",
            SignatureAlgorithm::Ecdsa(_) => "ECDSA",
            SignatureAlgorithm::Ed25519 => "Ed25519",
            SignatureAlgorithm::Gost2004 => "GOST 34.310-2004",
            SignatureAlgorithm::Gost2015 { .. } => "GOST 34.10-2015",
        }
    }

    /// The OID under which the algorithm is written; PSS needs parameters besides.
    pub fn oid(&self) -> Option<Oid<'static>> {
        match self {
            SignatureAlgorithm::RsaPss { .. } => Some(RSASSA_PSS),
            other => REGISTRY.iter().find(|row| row.2 == *other).map(|row| row.0),
        }
    }

    /// The AlgorithmIdentifier in DER; `None` for a combination that no identifier stands for.
    ///
    /// RSA with PKCS#1 padding has NULL parameters (RFC 4055 §5), ECDSA and Ed25519 none (RFC 5758 §3.2, RFC 8410 §3),
    /// the national algorithms NULL, as their authority writes them.
    pub fn to_identifier(&self) -> Option<Vec<u8>> {
        let oid = encode::oid(self.oid()?);
        Some(match self {
            SignatureAlgorithm::Ecdsa(_)
            | SignatureAlgorithm::Ed25519
            | SignatureAlgorithm::Gost2015 { order: GostByteOrder::Tc26, .. } => encode::sequence(&[&oid]),
            SignatureAlgorithm::RsaPss { digest, salt_len } => {
                let hash = encode::sequence(&[&encode::oid(digest.oid()?), &encode::null()]);
                let mask = encode::sequence(&[&encode::oid(MGF1), &hash]);
                let parameters = encode::sequence(&[
                    &encode::explicit(0, &hash),
                    &encode::explicit(1, &mask),
                    &encode::explicit(2, &encode::small_unsigned((*salt_len).into())),
                ]);
                encode::sequence(&[&oid, &parameters])
            }
            _ => encode::sequence(&[&oid, &encode::null()]),
        })
    }

    /// The URI under which the algorithm is written in XML.
    pub fn uri(&self) -> Option<&'static str> {
        match self {
            SignatureAlgorithm::RsaPss { digest, .. } => PSS_URIS.iter().find(|row| row.1 == *digest).map(|row| row.0),
            other => REGISTRY.iter().find(|row| row.2 == *other && !row.1.is_empty()).map(|row| row.1),
        }
    }
}

/// The salt length that is written: as long as the digest (RFC 8017 §9.1, note 4).
pub const fn pss_salt_len(digest: DigestAlgorithm) -> u16 {
    match digest {
        Sha384 => 48,
        Sha512 => 64,
        _ => 32,
    }
}

/// ```text
/// RSASSA-PSS-params ::= SEQUENCE {
///     hashAlgorithm      [0] HashAlgorithm      DEFAULT sha1,
///     maskGenAlgorithm   [1] MaskGenAlgorithm   DEFAULT mgf1SHA1,
///     saltLength         [2] INTEGER            DEFAULT 20,
///     trailerField       [3] TrailerField       DEFAULT trailerFieldBC }
/// ```
/// (RFC 4055 §3.1). Only MGF1 with the same digest and the one defined trailer are taken.
fn pss(parameters: Option<&Element<'_>>) -> Result<SignatureAlgorithm, AlgorithmError> {
    // RFC 4055 §3.3: in a signature the parameters MUST be there; their defaults are SHA-1.
    let parameters = parameters.ok_or(AlgorithmError::Parameters("RSA-PSS"))?;
    let malformed = |_: Error| AlgorithmError::Parameters("RSA-PSS");
    let mut reader = parameters.expect(Tag::SEQUENCE).and_then(|p| p.reader()).map_err(malformed)?;
    let mut explicit = |n: u8| -> Result<Option<Reader<'_>>, Error> {
        reader.optional(Tag::context_constructed(n))?.map(|e| e.reader()).transpose()
    };
    let digest_of = |identifier: AlgorithmIdentifier<'_>| {
        if !identifier.has_no_parameters() {
            return Err(AlgorithmError::Parameters("RSA-PSS"));
        }
        DigestAlgorithm::from_oid(identifier.algorithm)
            .ok_or_else(|| AlgorithmError::Unknown(identifier.algorithm.to_string()))
    };
    let digest = match explicit(0).map_err(malformed)? {
        None => Sha1,
        Some(mut inner) => {
            let identifier = AlgorithmIdentifier::parse(&mut inner).map_err(malformed)?;
            inner.finish().map_err(malformed)?;
            digest_of(identifier)?
        }
    };
    let mask_digest = match explicit(1).map_err(malformed)? {
        None => Sha1,
        Some(mut inner) => {
            let mask = AlgorithmIdentifier::parse(&mut inner).map_err(malformed)?;
            inner.finish().map_err(malformed)?;
            if mask.algorithm != MGF1 {
                return Err(AlgorithmError::NotAllowed("RSA-PSS with another mask than MGF1"));
            }
            let contents = mask.parameters.ok_or(AlgorithmError::Parameters("RSA-PSS"))?;
            let inner = contents.expect(Tag::SEQUENCE).and_then(|e| e.reader()).map_err(malformed)?;
            digest_of(AlgorithmIdentifier::from_contents(inner).map_err(malformed)?)?
        }
    };
    let small = |inner: Option<Reader<'_>>, default: u32| -> Result<u32, AlgorithmError> {
        match inner {
            None => Ok(default),
            Some(mut inner) => {
                let value = inner.element().and_then(|e| e.small_unsigned()).map_err(malformed)?;
                inner.finish().map_err(malformed)?;
                Ok(value)
            }
        }
    };
    let salt = small(explicit(2).map_err(malformed)?, 20)?;
    let trailer = small(explicit(3).map_err(malformed)?, 1)?;
    reader.finish().map_err(malformed)?;
    if !digest.is_collision_resistant() {
        return Err(AlgorithmError::NotAllowed(match digest {
            Sha1 => "RSA-PSS with SHA-1",
            _ => "RSA-PSS with SHA-224",
        }));
    }
    if !matches!(digest, Sha256 | Sha384 | Sha512) {
        return Err(AlgorithmError::NotAllowed("RSA-PSS with another digest than SHA-2"));
    }
    if mask_digest != digest {
        return Err(AlgorithmError::NotAllowed("RSA-PSS with mixed digests"));
    }
    if trailer != 1 {
        return Err(AlgorithmError::Parameters("RSA-PSS"));
    }
    let salt_len = u16::try_from(salt).map_err(|_| AlgorithmError::Parameters("RSA-PSS"))?;
    Ok(SignatureAlgorithm::RsaPss { digest, salt_len })
}

/// `r‖s`, each half of the length, as `Ecdsa-Sig-Value` in DER (XML Signature 1.1 §6.4.3).
///
/// `None` when the length is odd, zero or above that of P-521.
pub fn ecdsa_der_from_fixed(fixed: &[u8]) -> Option<Vec<u8>> {
    if fixed.is_empty() || !fixed.len().is_multiple_of(2) || fixed.len() > 132 {
        return None;
    }
    let (r, s) = fixed.split_at(fixed.len() / 2);
    let r = der::asn1::Uint::new(r).ok()?;
    let s = der::asn1::Uint::new(s).ok()?;
    let mut body = der::Encode::to_der(&r).ok()?;
    body.extend(der::Encode::to_der(&s).ok()?);
    der::Encode::to_der(&der::asn1::AnyRef::new(der::Tag::Sequence, &body).ok()?).ok()
}

/// The inverse of [`ecdsa_der_from_fixed`]: r and s of `coordinate_len` octets each (RFC 9231 §2.3.6).
pub fn ecdsa_fixed_from_der(der: &[u8], coordinate_len: usize) -> Option<Vec<u8>> {
    let mut outer = crate::asn1::Reader::der(der);
    let mut sequence = outer.sequence().ok()?;
    outer.finish().ok()?;
    let mut fixed = Vec::with_capacity(2 * coordinate_len);
    for _ in 0..2 {
        let integer = sequence.integer().ok()?;
        let magnitude = integer.strip_prefix(&[0]).unwrap_or(integer);
        fixed.resize(fixed.len() + coordinate_len.checked_sub(magnitude.len())?, 0);
        fixed.extend_from_slice(magnitude);
    }
    sequence.finish().ok()?;
    Some(fixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identifier(der: &[u8]) -> Result<SignatureAlgorithm, AlgorithmError> {
        SignatureAlgorithm::from_identifier(&AlgorithmIdentifier::parse(&mut Reader::der(der)).unwrap())
    }

    fn sequence(parts: &[&[u8]]) -> Vec<u8> {
        wrap(0x30, parts)
    }

    fn wrap(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let body = parts.concat();
        let mut out = vec![tag, u8::try_from(body.len()).unwrap()];
        out.extend(body);
        out
    }

    fn oid_tlv(oid: Oid<'_>) -> Vec<u8> {
        wrap(6, &[oid.as_bytes()])
    }

    fn pss_identifier(digest: DigestAlgorithm, mask: DigestAlgorithm, salt: u8) -> Vec<u8> {
        let hash = sequence(&[&oid_tlv(digest.oid().unwrap())]);
        let mask = sequence(&[&oid_tlv(MGF1), &sequence(&[&oid_tlv(mask.oid().unwrap())])]);
        let params = sequence(&[&wrap(0xa0, &[&hash]), &wrap(0xa1, &[&mask]), &wrap(0xa2, &[&[2, 1, salt]])]);
        sequence(&[&oid_tlv(RSASSA_PSS), &params])
    }

    #[test]
    fn pss_parameters_are_taken_whole_or_refused() {
        assert_eq!(
            identifier(&pss_identifier(Sha256, Sha256, 32)),
            Ok(SignatureAlgorithm::RsaPss { digest: Sha256, salt_len: 32 })
        );
        assert_eq!(
            identifier(&pss_identifier(Sha384, Sha384, 20)),
            Ok(SignatureAlgorithm::RsaPss { digest: Sha384, salt_len: 20 })
        );
        assert!(matches!(identifier(&pss_identifier(Sha256, Sha1, 32)), Err(AlgorithmError::NotAllowed(_))));
        assert!(matches!(identifier(&pss_identifier(Sha1, Sha1, 20)), Err(AlgorithmError::NotAllowed(_))));
        assert!(matches!(identifier(&sequence(&[&oid_tlv(RSASSA_PSS)])), Err(AlgorithmError::Parameters(_))));
        let defaults = sequence(&[&oid_tlv(RSASSA_PSS), &sequence(&[])]);
        assert_eq!(identifier(&defaults), Err(AlgorithmError::NotAllowed("RSA-PSS with SHA-1")));
    }

    #[test]
    fn identifiers_are_read_back() {
        let pss = [Sha256, Sha384, Sha512].map(|digest| SignatureAlgorithm::RsaPss { digest, salt_len: 20 });
        for algorithm in REGISTRY.iter().map(|row| row.2).chain(pss) {
            assert_eq!(identifier(&algorithm.to_identifier().unwrap()), Ok(algorithm));
        }
        assert_eq!(SignatureAlgorithm::RsaPkcs1(Sha1).to_identifier(), None);
    }

    #[test]
    fn weak_algorithms_are_refused_by_name() {
        for (oid, name) in REFUSED {
            assert_eq!(identifier(&sequence(&[&oid_tlv(*oid)])), Err(AlgorithmError::NotAllowed(name)));
        }
        assert!(matches!(identifier(&sequence(&[&oid_tlv(oid!(1, 2, 3))])), Err(AlgorithmError::Unknown(_))));
    }

    #[test]
    fn signer_info_takes_the_digest_from_beside() {
        let rsa = sequence(&[&oid_tlv(RSA_ENCRYPTION), &[5, 0]]);
        let of = |der: &[u8], digest| {
            SignatureAlgorithm::from_signer_info(&AlgorithmIdentifier::parse(&mut Reader::der(der)).unwrap(), digest)
        };
        assert_eq!(of(&rsa, Sha384), Ok(SignatureAlgorithm::RsaPkcs1(Sha384)));
        assert!(matches!(of(&rsa, Sha1), Err(AlgorithmError::NotAllowed(_))));
        let rsa_sha256 = sequence(&[&oid_tlv(oid!(1, 2, 840, 113549, 1, 1, 11)), &[5, 0]]);
        assert!(matches!(of(&rsa_sha256, Sha512), Err(AlgorithmError::DigestMismatch(_))));
        let ed = sequence(&[&oid_tlv(ED25519)]);
        assert_eq!(of(&ed, Sha512), Ok(SignatureAlgorithm::Ed25519));
        assert!(matches!(of(&ed, Sha256), Err(AlgorithmError::DigestMismatch(_))));
    }

    #[test]
    fn fixed_ecdsa_becomes_der() {
        assert_eq!(ecdsa_der_from_fixed(&[0, 1, 0x80, 0]).unwrap(), [0x30, 8, 2, 1, 1, 2, 3, 0, 0x80, 0]);
        assert_eq!(ecdsa_der_from_fixed(&[1, 2, 3]), None);
    }
}
