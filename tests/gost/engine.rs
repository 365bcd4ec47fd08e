//! Debian's GOST engine for OpenSSL signs and we verify; we sign and it verifies.

use crate::openssl::{attempt, run};
use std::fs;
use std::path::Path;
use std::process::Command;
use tamga::crypto::gost::{self, HEDGE_LEN, ParameterSet, SecretKey};
use tamga::crypto::{DigestAlgorithm, GostByteOrder, PublicKey, SignatureAlgorithm};
use tamga::format::key_store::KeyStore;

/// Whether the engine is there. Where CI runs it must be.
fn engine_is_present() -> bool {
    let output = Command::new("openssl").args(["engine", "-t", "gost"]).output().expect("openssl is installed");
    let present = String::from_utf8_lossy(&output.stdout).contains("[ available ]");
    assert!(present || std::env::var_os("CI").is_none(), "libengine-gost-openssl is not installed");
    if !present {
        eprintln!("skipped: no GOST engine for OpenSSL");
    }
    present
}

/// Makes a key; its public point and its private scalar, both little-endian.
fn generate(folder: &Path, algorithm: &str, set: ParameterSet) -> (Vec<u8>, Vec<u8>) {
    run(folder, &format!("genpkey -engine gost -algorithm {algorithm} -out key.pem"));
    run(folder, "pkey -engine gost -in key.pem -pubout -out public.pem");
    let public = run(folder, "pkey -engine gost -in key.pem -pubout -outform DER");
    let private = run(folder, "pkcs8 -engine gost -topk8 -nocrypt -in key.pem -outform DER");
    let len = set.coordinate_len();
    (public[public.len() - 2 * len..].to_vec(), private[private.len() - len..].to_vec())
}

const CURVES: [(&str, ParameterSet); 4] = [
    ("gost2012_512 -pkeyopt paramset:A", ParameterSet::Tc26A512),
    ("gost2012_256 -pkeyopt paramset:TCA", ParameterSet::Tc26A256),
    ("gost2012_256 -pkeyopt paramset:A", ParameterSet::CryptoProA),
    ("gost2001 -pkeyopt paramset:A", ParameterSet::CryptoProA),
];

#[test]
fn digests_signed_by_either_verify_by_the_other() {
    if !engine_is_present() {
        return;
    }
    for (algorithm, set) in CURVES {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let (point, scalar) = generate(folder, algorithm, set);
        let secret = SecretKey::from_le_bytes(set, &scalar).unwrap();
        let public = gost::PublicKey::from_point(set, &point).unwrap();
        assert_eq!(secret.public_key().to_point(), point, "{algorithm}");
        for round in 0..8u8 {
            let digest = DigestAlgorithm::Streebog512.digest(&[round]).as_bytes()[..set.coordinate_len()].to_vec();
            fs::write(folder.join("digest"), &digest).unwrap();
            run(folder, "pkeyutl -engine gost -sign -inkey key.pem -in digest -out value");
            let theirs = fs::read(folder.join("value")).unwrap();
            assert_eq!(public.verify_digest(&digest, &theirs, GostByteOrder::Tc26), Ok(()), "{algorithm}");
            let reversed: Vec<u8> = theirs.iter().rev().copied().collect();
            assert_eq!(public.verify_digest(&digest, &reversed, GostByteOrder::Kazakh), Ok(()), "{algorithm}");
            assert!(public.verify_digest(&digest, &theirs, GostByteOrder::Kazakh).is_err());

            let ours = secret.sign_digest(&digest, &[round; HEDGE_LEN], GostByteOrder::Tc26).unwrap();
            let verify = "pkeyutl -engine gost -verify -pubin -inkey public.pem -in digest -sigfile value";
            fs::write(folder.join("value"), &ours).unwrap();
            run(folder, verify);
            let mut altered = ours;
            altered[usize::from(round)] ^= 1;
            fs::write(folder.join("value"), &altered).unwrap();
            assert!(!attempt(folder, verify).0, "the peer can refuse");
        }
    }
}

#[test]
fn keys_and_certificates_under_russian_identifiers_are_understood() {
    if !engine_is_present() {
        return;
    }
    for (algorithm, digest, name) in [
        ("gost2012_512 -pkeyopt paramset:A", DigestAlgorithm::Streebog512, "GOST R 34.10-2012-512"),
        ("gost2012_256 -pkeyopt paramset:TCA", DigestAlgorithm::Streebog256, "GOST R 34.10-2012-256"),
        ("gost2012_256 -pkeyopt paramset:A", DigestAlgorithm::Streebog256, "GOST R 34.10-2012-256"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        run(folder, &format!("genpkey -engine gost -algorithm {algorithm} -out key.pem"));
        run(folder, "pkey -engine gost -in key.pem -pubout -out public.pem");
        run(folder, "req -engine gost -x509 -new -key key.pem -subj /CN=Holder -days 3650 -out cert.pem");
        let file = ["key.pem", "cert.pem"].map(|file| fs::read(folder.join(file)).unwrap()).concat();
        let store = KeyStore::open(&file, None).unwrap();
        let certificate = store.certificate().unwrap();
        let public = PublicKey::from_spki(certificate.spki()).unwrap();
        assert_eq!(public.name(), name);
        let order = GostByteOrder::Tc26;
        let algorithm = SignatureAlgorithm::Gost2015 { digest, order };
        assert_eq!(public.verify(&algorithm, certificate.tbs(), certificate.signature()), Ok(()));

        fs::write(folder.join("message"), b"message").unwrap();
        let hash = if digest == DigestAlgorithm::Streebog512 { "md_gost12_512" } else { "md_gost12_256" };
        fs::write(folder.join("value"), store.key().sign(&algorithm, b"message").unwrap()).unwrap();
        run(folder, &format!("dgst -engine gost -{hash} -verify public.pem -signature value message"));
        run(folder, &format!("dgst -engine gost -{hash} -sign key.pem -out value message"));
        let theirs = fs::read(folder.join("value")).unwrap();
        assert_eq!(public.verify(&algorithm, b"message", &theirs), Ok(()));
    }
}

#[test]
fn digests_agree() {
    if !engine_is_present() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (digest, name) in
        [(DigestAlgorithm::Streebog512, "md_gost12_512"), (DigestAlgorithm::Streebog256, "md_gost12_256")]
    {
        for len in [0, 1, 31, 32, 33, 63, 64, 65, 127, 128, 1000, 100_000] {
            let message: Vec<u8> = (0..len).map(|i: u32| (i.wrapping_mul(i) / 7).to_le_bytes()[0]).collect();
            fs::write(folder.path().join("message"), &message).unwrap();
            let theirs = run(folder.path(), &format!("dgst -engine gost -{name} -binary message"));
            assert_eq!(digest.digest(&message).as_bytes(), theirs, "{name} of {len}");
        }
    }
}
