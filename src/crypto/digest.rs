//! Digest algorithms by OID and by URI.

use crate::asn1::{Oid, encode, oid};
use aws_lc_rs::digest as aws;
use std::fmt;
// `streebog`, `gost94` and `sha1` are of the same RustCrypto generation: one trait serves.
use streebog::digest::Digest as _;

/// A digest algorithm that this software can compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DigestAlgorithm {
    /// SHA-1: for OCSP CertID and key identifiers, never for a signature.
    Sha1,
    /// SHA-224: known by name, never allowed for a signature.
    Sha224,
    /// SHA-256 (FIPS 180-4).
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// GOST 34.311-95 with the test parameter set.
    Gost34311,
    /// GOST 34.11-2015, 256 bits (Streebog, RFC 6986).
    Streebog256,
    /// GOST 34.11-2015, 512 bits.
    Streebog512,
}

/// The registry: algorithm, name, OIDs, XML URIs.
const REGISTRY: &[(DigestAlgorithm, &str, &[Oid<'static>], &[&str])] = &[
    (
        DigestAlgorithm::Sha256,
        "SHA-256",
        &[oid!(2, 16, 840, 1, 101, 3, 4, 2, 1)],
        &["http://www.w3.org/2001/04/xmlenc#sha256"],
    ),
    (
        DigestAlgorithm::Sha384,
        "SHA-384",
        &[oid!(2, 16, 840, 1, 101, 3, 4, 2, 2)],
        &["http://www.w3.org/2001/04/xmldsig-more#sha384"],
    ),
    (
        DigestAlgorithm::Sha512,
        "SHA-512",
        &[oid!(2, 16, 840, 1, 101, 3, 4, 2, 3)],
        &["http://www.w3.org/2001/04/xmlenc#sha512"],
    ),
    (
        DigestAlgorithm::Sha1,
        "SHA-1",
        &[oid!(1, 3, 14, 3, 2, 26)],
        &["http://www.w3.org/2000/09/xmldsig#sha1", "http://www.w3.org/2001/04/xmldsig-more#sha1"],
    ),
    (
        DigestAlgorithm::Sha224,
        "SHA-224",
        &[oid!(2, 16, 840, 1, 101, 3, 4, 2, 4)],
        &["http://www.w3.org/2001/04/xmldsig-more#sha224"],
    ),
    (
        DigestAlgorithm::Streebog512,
        "GOST 34.11-2015-512",
        &[oid!(1, 2, 398, 3, 10, 1, 3, 3), oid!(1, 2, 643, 7, 1, 1, 2, 3)],
        &["urn:ietf:params:xml:ns:pkigovkz:xmlsec:algorithms:gostr34112015-512"],
    ),
    (
        DigestAlgorithm::Streebog256,
        "GOST 34.11-2015-256",
        &[oid!(1, 2, 398, 3, 10, 1, 3, 2), oid!(1, 2, 643, 7, 1, 1, 2, 2)],
        &["urn:ietf:params:xml:ns:pkigovkz:xmlsec:algorithms:gostr34112015-256"],
    ),
    (
        DigestAlgorithm::Gost34311,
        "GOST 34.311-95",
        &[oid!(1, 2, 398, 3, 10, 1, 3, 1)],
        &["http://www.w3.org/2001/04/xmldsig-more#gost34311"],
    ),
];

impl DigestAlgorithm {
    /// The algorithm registered under an OID.
    pub fn from_oid(oid: Oid<'_>) -> Option<DigestAlgorithm> {
        REGISTRY.iter().find(|row| row.2.contains(&oid)).map(|row| row.0)
    }

    /// The algorithm registered under an XML Signature URI.
    pub fn from_uri(uri: &str) -> Option<DigestAlgorithm> {
        REGISTRY.iter().find(|row| row.3.contains(&uri)).map(|row| row.0)
    }

    fn row(self) -> Option<&'static (DigestAlgorithm, &'static str, &'static [Oid<'static>], &'static [&'static str])> {
        REGISTRY.iter().find(|row| row.0 == self)
    }

    /// The name as people write it.
    pub fn name(self) -> &'static str {
        self.row().map_or("", |row| row.1)
    }

    /// The OID under which the algorithm is written.
    pub fn oid(self) -> Option<Oid<'static>> {
        self.row().and_then(|row| row.2.first().copied())
    }

    /// The AlgorithmIdentifier in DER: SHA-2 without parameters (RFC 5754 §2), the national digests with NULL, as their
    /// signers write them.
    pub fn to_identifier(self) -> Vec<u8> {
        let oid = self.oid().map(encode::oid).unwrap_or_default();
        match self {
            DigestAlgorithm::Gost34311 | DigestAlgorithm::Streebog256 | DigestAlgorithm::Streebog512 => {
                encode::sequence(&[&oid, &encode::null()])
            }
            _ => encode::sequence(&[&oid]),
        }
    }

    /// The URI under which the algorithm is written in XML.
    pub fn uri(self) -> Option<&'static str> {
        self.row().and_then(|row| row.3.first().copied())
    }

    /// Length of the digest in bytes.
    pub const fn output_len(self) -> usize {
        match self {
            DigestAlgorithm::Sha1 => 20,
            DigestAlgorithm::Sha224 => 28,
            DigestAlgorithm::Sha256 | DigestAlgorithm::Gost34311 | DigestAlgorithm::Streebog256 => 32,
            DigestAlgorithm::Sha384 => 48,
            DigestAlgorithm::Sha512 | DigestAlgorithm::Streebog512 => 64,
        }
    }

    /// Whether a signature made over this digest may be trusted at all; end dates are the policy's.
    pub const fn is_collision_resistant(self) -> bool {
        !matches!(self, DigestAlgorithm::Sha1 | DigestAlgorithm::Sha224)
    }

    pub(super) fn aws(self) -> Option<&'static aws::Algorithm> {
        match self {
            DigestAlgorithm::Sha1 => Some(&aws::SHA1_FOR_LEGACY_USE_ONLY),
            DigestAlgorithm::Sha224 => Some(&aws::SHA224),
            DigestAlgorithm::Sha256 => Some(&aws::SHA256),
            DigestAlgorithm::Sha384 => Some(&aws::SHA384),
            DigestAlgorithm::Sha512 => Some(&aws::SHA512),
            _ => None,
        }
    }

    /// A running digest.
    pub fn hasher(self) -> Hasher {
        Hasher {
            algorithm: self,
            state: match self {
                DigestAlgorithm::Sha1 => State::Aws(aws::Context::new(&aws::SHA1_FOR_LEGACY_USE_ONLY)),
                DigestAlgorithm::Sha224 => State::Aws(aws::Context::new(&aws::SHA224)),
                DigestAlgorithm::Sha256 => State::Aws(aws::Context::new(&aws::SHA256)),
                DigestAlgorithm::Sha384 => State::Aws(aws::Context::new(&aws::SHA384)),
                DigestAlgorithm::Sha512 => State::Aws(aws::Context::new(&aws::SHA512)),
                DigestAlgorithm::Gost34311 => State::Gost34311(Box::default()),
                DigestAlgorithm::Streebog256 => State::Streebog256(Box::default()),
                DigestAlgorithm::Streebog512 => State::Streebog512(Box::default()),
            },
        }
    }

    /// The digest of a message.
    pub fn digest(self, message: &[u8]) -> Digest {
        let mut hasher = self.hasher();
        hasher.update(message);
        hasher.finish()
    }
}

#[derive(Clone)]
enum State {
    Aws(aws::Context),
    Gost34311(Box<gost94::Gost94Test>),
    Streebog256(Box<streebog::Streebog256>),
    Streebog512(Box<streebog::Streebog512>),
}

/// A running digest: update as often as needed, finish once.
#[derive(Clone)]
pub struct Hasher {
    algorithm: DigestAlgorithm,
    state: State,
}

impl Hasher {
    /// Takes more of the message.
    pub fn update(&mut self, part: &[u8]) {
        match &mut self.state {
            State::Aws(context) => context.update(part),
            State::Gost34311(context) => context.update(part),
            State::Streebog256(context) => context.update(part),
            State::Streebog512(context) => context.update(part),
        }
    }

    /// The digest of everything taken.
    pub fn finish(self) -> Digest {
        match self.state {
            State::Aws(context) => Digest::from_slice(self.algorithm, context.finish().as_ref()),
            State::Gost34311(context) => Digest::from_slice(self.algorithm, &context.finalize()),
            State::Streebog256(context) => Digest::from_slice(self.algorithm, &context.finalize()),
            State::Streebog512(context) => Digest::from_slice(self.algorithm, &context.finalize()),
        }
    }
}

/// A digest and the algorithm that made it. Prints as `sha-256:` and hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    algorithm: DigestAlgorithm,
    octets: [u8; 64],
}

impl Digest {
    fn from_slice(algorithm: DigestAlgorithm, value: &[u8]) -> Digest {
        let mut octets = [0; 64];
        octets.iter_mut().zip(value).for_each(|(to, from)| *to = *from);
        Digest { algorithm, octets }
    }

    /// SHA-256 of a message: the digest by which documents, certificates and lists are named.
    pub fn sha256(message: &[u8]) -> Digest {
        DigestAlgorithm::Sha256.digest(message)
    }

    /// A digest that was computed before and kept; `None` unless the length is the algorithm's.
    pub fn from_octets(algorithm: DigestAlgorithm, octets: &[u8]) -> Option<Digest> {
        (octets.len() == algorithm.output_len()).then(|| Digest::from_slice(algorithm, octets))
    }

    /// The algorithm.
    pub fn algorithm(&self) -> DigestAlgorithm {
        self.algorithm
    }

    /// The digest's octets.
    pub fn as_bytes(&self) -> &[u8] {
        self.octets.get(..self.algorithm.output_len()).unwrap_or(&self.octets)
    }

    /// Lower-case hexadecimal digits, without the algorithm.
    pub fn to_hex(&self) -> String {
        let mut digits = String::with_capacity(2 * self.as_bytes().len());
        // Writing to a string cannot fail.
        let _ = hexadecimal(self.as_bytes(), &mut digits);
        digits
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.algorithm {
            DigestAlgorithm::Sha1 => "sha-1:",
            DigestAlgorithm::Sha224 => "sha-224:",
            DigestAlgorithm::Sha256 => "sha-256:",
            DigestAlgorithm::Sha384 => "sha-384:",
            DigestAlgorithm::Sha512 => "sha-512:",
            DigestAlgorithm::Gost34311 => "gost34311:",
            DigestAlgorithm::Streebog256 => "streebog-256:",
            DigestAlgorithm::Streebog512 => "streebog-512:",
        })?;
        hexadecimal(self.as_bytes(), f)
    }
}

/// Writes octets as lower-case hexadecimal digits, a run of them at a time: reports are full of digests.
///
/// # Errors
/// Those of the writer.
pub fn hexadecimal(octets: &[u8], out: &mut impl fmt::Write) -> fmt::Result {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    const RUN: usize = 64;
    let digit = |value: u8| DIGITS.get(usize::from(value & 0x0f)).copied().unwrap_or(b'0');
    for run in octets.chunks(RUN) {
        let mut text = [0; 2 * RUN];
        for (pair, octet) in text.chunks_exact_mut(2).zip(run) {
            pair.copy_from_slice(&[digit(octet >> 4), digit(*octet)]);
        }
        out.write_str(text.get(..2 * run.len()).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default())?;
    }
    Ok(())
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a SHA-256 digest as this software prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a digest, such as sha-256: and 64 hexadecimal digits")]
pub struct NotADigest;

/// Reads what [`Digest`] prints, SHA-256 only: the digest by which things are named.
impl std::str::FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Digest, NotADigest> {
        let hex = text.strip_prefix("sha-256:").ok_or(NotADigest)?;
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            _ => Err(NotADigest),
        };
        let octets = hex
            .as_bytes()
            .chunks(2)
            .map(|pair| match pair {
                [high, low] => Ok(digit(*high)? << 4 | digit(*low)?),
                _ => Err(NotADigest),
            })
            .collect::<Result<Vec<u8>, NotADigest>>()?;
        Digest::from_octets(DigestAlgorithm::Sha256, &octets).ok_or(NotADigest)
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_names_and_oids_agree_with_the_computation() {
        for (algorithm, name, oids, uris) in REGISTRY {
            assert_eq!(algorithm.digest(b"abc").as_bytes().len(), algorithm.output_len(), "{name}");
            assert!(oids.iter().all(|o| DigestAlgorithm::from_oid(*o) == Some(*algorithm)));
            assert!(uris.iter().all(|u| DigestAlgorithm::from_uri(u) == Some(*algorithm)));
        }
    }

    #[test]
    fn sha2_agrees_with_the_second_opinion() {
        use sha2::Digest as _;
        let message = b"tamga".repeat(1000);
        assert_eq!(DigestAlgorithm::Sha256.digest(&message).as_bytes(), &sha2::Sha256::digest(&message)[..]);
        assert_eq!(DigestAlgorithm::Sha384.digest(&message).as_bytes(), &sha2::Sha384::digest(&message)[..]);
        assert_eq!(DigestAlgorithm::Sha512.digest(&message).as_bytes(), &sha2::Sha512::digest(&message)[..]);
    }

    #[test]
    fn reads_what_it_prints_and_nothing_else() {
        let digest = Digest::sha256(b"abc");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        for text in ["", "sha-256:", "sha-256:00", "sha-1:00", &digest.to_hex(), &digest.to_string().to_uppercase()] {
            assert_eq!(text.parse::<Digest>(), Err(NotADigest), "{text}");
        }
        assert_eq!(format!("{digest}0").parse::<Digest>(), Err(NotADigest));
    }

    #[test]
    fn prints_name_and_hexadecimal() {
        assert_eq!(
            Digest::sha256(b"abc").to_string(),
            "sha-256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
