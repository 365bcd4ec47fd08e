//! Signing and verifying with aws-lc, ring, and the pure Rust crates side by side; ours over aws-lc with parsed keys.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use aws_lc_rs::rand::SystemRandom as AwsRandom;
use aws_lc_rs::signature as aws;
use criterion::{Criterion, criterion_group, criterion_main};
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::signature::{RandomizedSigner as _, SignatureEncoding as _, Verifier as _};
use std::hint::black_box;
use tamga::crypto::PublicKey;
use tamga::demonstration::{Key, KeyKind};

const MESSAGE: &[u8; 1024] = &[0x5a; 1024];

fn rsa_keys(c: &mut Criterion) {
    for (kind, name) in [(KeyKind::Rsa2048, "RSA-2048"), (KeyKind::Rsa4096, "RSA-4096")] {
        let key = Key::generate(kind).unwrap();
        let algorithm = key.private().default_algorithm();
        let value = key.private().sign(&algorithm, MESSAGE).unwrap();
        let aws_pair = aws::RsaKeyPair::from_pkcs8(key.pkcs8()).unwrap();
        let ring_pair = ring::signature::RsaKeyPair::from_pkcs8(key.pkcs8()).unwrap();
        let pure = rsa::RsaPrivateKey::from_pkcs8_der(key.pkcs8()).unwrap();
        let pure_public = rsa::pkcs1v15::VerifyingKey::<rsa::sha2::Sha256>::new(pure.to_public_key());
        let pure = rsa::pkcs1v15::SigningKey::<rsa::sha2::Sha256>::new(pure);
        let public = PublicKey::from_spki(key.spki()).unwrap();
        let pkcs1 = ring::signature::KeyPair::public_key(&ring_pair).as_ref().to_vec();

        let mut group = c.benchmark_group(format!("{name} sign"));
        let mut out = vec![0; aws_pair.public_modulus_len()];
        group.bench_function("ours", |b| b.iter(|| key.private().sign(&algorithm, black_box(MESSAGE)).unwrap()));
        group.bench_function("aws-lc-rs", |b| {
            b.iter(|| aws_pair.sign(&aws::RSA_PKCS1_SHA256, &AwsRandom::new(), black_box(MESSAGE), &mut out).unwrap());
        });
        let random = ring::rand::SystemRandom::new();
        group.bench_function("ring", |b| {
            let padding = &ring::signature::RSA_PKCS1_SHA256;
            b.iter(|| ring_pair.sign(padding, &random, black_box(MESSAGE), &mut out).unwrap());
        });
        group.bench_function("rsa, blinded", |b| {
            b.iter(|| pure.sign_with_rng(&mut rsa::rand_core::OsRng, black_box(MESSAGE)).to_vec());
        });
        group.finish();

        let mut group = c.benchmark_group(format!("{name} verify"));
        group.bench_function("ours, parsed key", |b| {
            b.iter(|| public.verify(&algorithm, black_box(MESSAGE), &value).unwrap());
        });
        group.bench_function("aws-lc-rs", |b| {
            let key = aws::UnparsedPublicKey::new(&aws::RSA_PKCS1_2048_8192_SHA256, &pkcs1);
            b.iter(|| key.verify(black_box(MESSAGE), &value).unwrap());
        });
        group.bench_function("ring", |b| {
            let key = ring::signature::UnparsedPublicKey::new(&ring::signature::RSA_PKCS1_2048_8192_SHA256, &pkcs1);
            b.iter(|| key.verify(black_box(MESSAGE), &value).unwrap());
        });
        let signature = rsa::pkcs1v15::Signature::try_from(value.as_slice()).unwrap();
        group.bench_function("rsa", |b| b.iter(|| pure_public.verify(black_box(MESSAGE), &signature).unwrap()));
        group.finish();
    }
}

fn p256_keys(c: &mut Criterion) {
    let key = Key::generate(KeyKind::P256).unwrap();
    let algorithm = key.private().default_algorithm();
    let value = key.private().sign(&algorithm, MESSAGE).unwrap();
    let public = PublicKey::from_spki(key.spki()).unwrap();
    let random = ring::rand::SystemRandom::new();
    let ring_pair = ring::signature::EcdsaKeyPair::from_pkcs8(
        &ring::signature::ECDSA_P256_SHA256_ASN1_SIGNING,
        key.pkcs8(),
        &random,
    )
    .unwrap();
    let point = ring::signature::KeyPair::public_key(&ring_pair).as_ref().to_vec();
    let pure: p256::ecdsa::SigningKey = p256::pkcs8::DecodePrivateKey::from_pkcs8_der(key.pkcs8()).unwrap();

    let mut group = c.benchmark_group("P-256 sign");
    group.bench_function("ours", |b| b.iter(|| key.private().sign(&algorithm, black_box(MESSAGE)).unwrap()));
    group.bench_function("ring", |b| b.iter(|| ring_pair.sign(&random, black_box(MESSAGE)).unwrap()));
    group.bench_function("p256", |b| {
        b.iter(|| -> p256::ecdsa::Signature { p256::ecdsa::signature::Signer::sign(&pure, black_box(MESSAGE)) });
    });
    group.finish();

    let mut group = c.benchmark_group("P-256 verify");
    group.bench_function("ours, parsed key", |b| {
        b.iter(|| public.verify(&algorithm, black_box(MESSAGE), &value).unwrap());
    });
    group.bench_function("aws-lc-rs", |b| {
        let key = aws::UnparsedPublicKey::new(&aws::ECDSA_P256_SHA256_ASN1, &point);
        b.iter(|| key.verify(black_box(MESSAGE), &value).unwrap());
    });
    group.bench_function("ring", |b| {
        let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ECDSA_P256_SHA256_ASN1, &point);
        b.iter(|| key.verify(black_box(MESSAGE), &value).unwrap());
    });
    let signature = p256::ecdsa::Signature::from_der(&value).unwrap();
    let verifying = p256::ecdsa::VerifyingKey::from(&pure);
    group.bench_function("p256", |b| {
        b.iter(|| p256::ecdsa::signature::Verifier::verify(&verifying, black_box(MESSAGE), &signature).unwrap());
    });
    group.finish();
}

criterion_group!(benches, rsa_keys, p256_keys);
criterion_main!(benches);
