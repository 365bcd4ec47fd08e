//! Algorithms behind one registry: digests and signatures by OID and by URI, public keys by SubjectPublicKeyInfo.
//!
//! *Invariant:* an algorithm that is too weak or unsupported is refused by name; nothing is skipped.

mod digest;
pub mod gost;
mod key;
mod private_key;
mod signature;

pub use digest::{Digest, DigestAlgorithm, Hasher, NotADigest, hexadecimal};
pub use key::{Curve, KeyError, MAX_RSA_BITS, MIN_RSA_BITS, PublicKey, SignatureError};
pub use private_key::{PrivateKey, PrivateKeyError};
pub use signature::{
    AlgorithmError, AlgorithmIdentifier, GostByteOrder, SignatureAlgorithm, ecdsa_der_from_fixed, ecdsa_fixed_from_der,
    pss_salt_len,
};
