//! Keys, parameters, points and signatures of GOST from any octets: refused, or consistent.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tamga::crypto::gost::{ParameterSet, PublicKey, SecretKey};
use tamga::crypto::{GostByteOrder, PrivateKey};

fuzz_target!(|data: &[u8]| {
    // Identifiers and parameters.
    if let Ok(key) = tamga::crypto::PublicKey::from_spki(data) {
        assert!(!key.name().is_empty());
    }
    if let Ok(key) = PrivateKey::from_pkcs8(data) {
        let public = tamga::crypto::PublicKey::from_spki(key.spki()).expect("the public half is a key");
        assert!(key.matches(&public));
    }
    // Points, digests and signatures.
    let Some((&choice, rest)) = data.split_first() else { return };
    let (set, order) = match choice % 6 {
        0 => (ParameterSet::Tc26A512, GostByteOrder::Kazakh),
        1 => (ParameterSet::Tc26A512, GostByteOrder::Tc26),
        2 => (ParameterSet::Tc26A256, GostByteOrder::Kazakh),
        3 => (ParameterSet::Tc26A256, GostByteOrder::Tc26),
        4 => (ParameterSet::CryptoProA, GostByteOrder::Kazakh),
        _ => (ParameterSet::CryptoProA, GostByteOrder::Tc26),
    };
    let len = set.coordinate_len();
    let (scalar, rest) = rest.split_at(len.min(rest.len()));
    let (digest, value) = rest.split_at(len.min(rest.len()));
    // A point of the octets, or one that is surely of the curve.
    let public = match PublicKey::from_point(set, value) {
        Ok(key) => {
            assert_eq!(key.to_point(), value);
            key
        }
        Err(_) => match SecretKey::from_le_bytes(set, scalar) {
            Ok(secret) => {
                if let Ok(signature) = secret.sign_digest(digest, &[0; 32], order) {
                    assert_eq!(secret.public_key().verify_digest(digest, &signature, order), Ok(()));
                }
                secret.public_key()
            }
            Err(_) => return,
        },
    };
    assert_eq!(public.verify_digest(digest, value, order), public.prepare().verify_digest(digest, value, order));
});
