//! Key stores that OpenSSL writes, in every encryption it knows, and the national authority's.

use crate::openssl::run;
use std::fs;
use std::path::{Path, PathBuf};
use tamga::crypto::PublicKey;
use tamga::format::key_store::{KeyStore, KeyStoreError};

const KEYS: &[(&str, &str, &str)] = &[
    ("rsa", "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem", "RSA-2048"),
    ("p256", "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem", "P-256"),
    ("p384", "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out key.pem", "P-384"),
    ("ed25519", "genpkey -algorithm ED25519 -out key.pem", "Ed25519"),
];

fn folder_with(generate: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), generate);
    run(folder.path(), "req -x509 -new -key key.pem -subj /CN=Holder -days 3650 -out cert.pem");
    run(folder.path(), "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out other.pem");
    run(folder.path(), "req -x509 -new -key other.pem -subj /CN=Issuer -days 3650 -out issuer.pem");
    folder
}

fn open(folder: &Path, file: &str, password: Option<&str>) -> Result<KeyStore, KeyStoreError> {
    KeyStore::open(&fs::read(folder.join(file)).unwrap(), password)
}

fn has_key_and_certificate(store: &KeyStore, name: &str, others: usize) {
    let certificate = store.certificate().expect("certificate of the key");
    let public = PublicKey::from_spki(certificate.spki()).unwrap();
    assert_eq!(public.name(), name);
    assert!(store.key().matches(&public));
    assert_eq!(store.other_certificates().len(), others);
}

#[test]
fn pkcs12_opens_in_every_encryption_that_openssl_writes() {
    for (kind, generate, name) in KEYS {
        let folder = folder_with(generate);
        let folder = folder.path();
        for (variant, options) in [
            ("modern", ""),
            ("aes128", "-keypbe AES-128-CBC -certpbe AES-192-CBC -macalg sha512"),
            ("sha384", "-keypbe DES-EDE3-CBC -certpbe AES-256-CBC -macalg sha384 -iter 1"),
            ("legacy", "-legacy"),
            ("rc2-128", "-legacy -keypbe PBE-SHA1-2DES -certpbe PBE-SHA1-RC2-128 -macalg sha1"),
            ("plain", "-keypbe NONE -certpbe NONE -nomaciter"),
        ] {
            for password in [
                "Qwerty12",
                "пароль-қ",
                "",
                "🔑 and a password that is much longer than one block of any of the digests: 0123456789012345678901234567890123456789",
            ] {
                let output = std::process::Command::new("openssl")
                    .args("pkcs12 -export -inkey key.pem -in cert.pem -certfile issuer.pem -out store.p12".split(' '))
                    .args(options.split_whitespace())
                    .args(["-passout", &format!("pass:{password}")])
                    .current_dir(folder)
                    .output()
                    .unwrap();
                assert!(output.status.success(), "{kind} {variant}: {}", String::from_utf8_lossy(&output.stderr));
                let store = open(folder, "store.p12", Some(password));
                let store = store.unwrap_or_else(|error| panic!("{kind} {variant} {password:?}: {error}"));
                has_key_and_certificate(&store, name, 1);
                assert_eq!(
                    open(folder, "store.p12", Some("Qwerty13")).unwrap_err(),
                    KeyStoreError::WrongPassword,
                    "{kind} {variant}"
                );
                assert_eq!(open(folder, "store.p12", None).unwrap_err(), KeyStoreError::PasswordNeeded);
            }
        }
    }
}

#[test]
fn pkcs8_and_the_older_forms_open() {
    for (kind, generate, name) in KEYS {
        let folder = folder_with(generate);
        let folder = folder.path();
        run(folder, "pkcs8 -topk8 -nocrypt -in key.pem -outform DER -out plain.der");
        let mut files = vec![("key.pem", None), ("plain.der", None)];
        for (file, options) in [
            ("aes.pem", "-v2 aes-256-cbc -v2prf hmacWithSHA256"),
            ("sha512.pem", "-v2 aes-128-cbc -v2prf hmacWithSHA512 -iter 100000"),
            ("sha1.pem", "-v2 des3 -v2prf hmacWithSHA1"),
            ("v1.pem", "-v1 PBE-SHA1-3DES"),
        ] {
            run(folder, &format!("pkcs8 -topk8 -in key.pem {options} -passout pass:Qwerty12 -out {file}"));
            files.push((file, Some("Qwerty12")));
        }
        run(folder, "pkcs8 -topk8 -in key.pem -outform DER -passout pass:Qwerty12 -out encrypted.der");
        files.push(("encrypted.der", Some("Qwerty12")));
        if *kind != "ed25519" {
            run(folder, "pkey -in key.pem -traditional -out traditional.pem");
            run(folder, "pkey -in key.pem -traditional -outform DER -out traditional.der");
            files.extend([("traditional.pem", None), ("traditional.der", None)]);
        }
        for (file, password) in files {
            let store = open(folder, file, password).unwrap_or_else(|error| panic!("{kind} {file}: {error}"));
            assert!(store.certificate().is_none());
            assert_eq!(PublicKey::from_spki(store.key().spki()).unwrap().name(), *name, "{file}");
            if password.is_some() {
                assert_eq!(open(folder, file, None).unwrap_err(), KeyStoreError::PasswordNeeded);
                assert_eq!(open(folder, file, Some("Qwerty13")).unwrap_err(), KeyStoreError::WrongPassword);
            }
        }
        let pem = ["issuer.pem", "key.pem", "cert.pem"].map(|file| fs::read(folder.join(file)).unwrap()).concat();
        has_key_and_certificate(&KeyStore::open(&pem, None).unwrap(), name, 1);
        let two = ["key.pem", "other.pem"].map(|file| fs::read(folder.join(file)).unwrap()).concat();
        assert_eq!(KeyStore::open(&two, None).unwrap_err(), KeyStoreError::SeveralKeys);
        assert_eq!(open(folder, "cert.pem", None).unwrap_err(), KeyStoreError::NoKey);
    }
}

#[test]
fn an_altered_store_is_refused() {
    let folder = folder_with(KEYS[1].1);
    run(folder.path(), "pkcs12 -export -inkey key.pem -in cert.pem -out store.p12 -passout pass:Qwerty12 -iter 1");
    let store = fs::read(folder.path().join("store.p12")).unwrap();
    for at in 0..store.len() {
        let mut altered = store.clone();
        altered[at] ^= 0x10;
        assert!(KeyStore::open(&altered, Some("Qwerty12")).is_err(), "octet {at}");
    }
    for len in 0..store.len() {
        assert!(KeyStore::open(&store[..len], Some("Qwerty12")).is_err(), "{len} octets");
    }
    assert!(KeyStore::open(&[&store[..], &[0]].concat(), Some("Qwerty12")).is_err(), "trailing octet");
}

#[test]
fn a_store_without_mac_is_refused() {
    let folder = folder_with(KEYS[1].1);
    run(folder.path(), "pkcs12 -export -inkey key.pem -in cert.pem -out store.p12 -passout pass:Qwerty12 -nomac");
    let refused = open(folder.path(), "store.p12", Some("Qwerty12")).unwrap_err();
    assert_eq!(refused, KeyStoreError::Unsupported("PKCS #12 without a MAC".into()));
}

fn corpus() -> Option<PathBuf> {
    let folder = std::env::var_os("TAMGA_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no corpus");
    None
}

/// The key stores of the national authority's test kit.
#[test]
fn stores_of_the_national_authority_open() {
    let Some(corpus) = corpus() else { return };
    for (file, name) in [
        ("rsa_individual_sign.p12", "RSA-2048"),
        ("gost2004_organization_sign.p12", "GOST 34.310-2004"),
        ("gost2015_head.p12", "GOST 34.10-2015-512"),
        ("gost2015_individual.p12", "GOST 34.10-2015-512"),
        ("gost2015_employee.p12", "GOST 34.10-2015-512"),
    ] {
        let bytes = fs::read(corpus.join("kz/p12").join(file)).unwrap();
        let store = KeyStore::open(&bytes, Some("Qwerty12")).unwrap_or_else(|error| panic!("{file}: {error}"));
        has_key_and_certificate(&store, name, 0);
        assert_eq!(KeyStore::open(&bytes, Some("qwerty12")).unwrap_err(), KeyStoreError::WrongPassword);
    }
}
