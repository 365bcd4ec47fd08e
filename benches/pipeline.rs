//! Whole verification, stamping and parsing, on a request of 16 KiB under two authorities with their lists.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::sync::Arc;
use tamga::crypto::Digest;
use tamga::demonstration::{Holder, KeyKind, World};
use tamga::format::cms;
use tamga::licensing::{DocumentKind, EQUIVALENCE, Licence};
use tamga::pki::{Certificate, Crl, RevocationList};
use tamga::report::{Decision, Time};
use tamga::service::signing::{SigningOrder, sign_cms};
use tamga::stamp::{Encapsulation, SealProfile, Sealer, prepare, seal};
use tamga::verify::certificate::ValidationContext;
use tamga::verify::policy::Policy;
use tamga::verify::{DeclaredApplicant, VerificationInputs, verify};

const REQUEST_BYTES: usize = 16 * 1024;

fn licence() -> Licence {
    let [kk, ru] = EQUIVALENCE;
    let digest = Digest::sha256(b"request").to_string();
    serde_json::from_value(serde_json::json!({
        "schema": "tamga/licence/1", "kind": "licence", "title": DocumentKind::Licence.title(),
        "number": "KZ18LAA00032760", "issue_date": "2026-11-22", "service": "agency-pipelines",
        "holder": {"bin": Holder::BIN, "issued_to": "ТОО «Үлгі»"}, "activity": {"kk": "қызмет", "ru": "деятельность"},
        "issuing_body": {"kk": "орган", "ru": "орган"}, "head": "Үлгілі Ә.", "city": {"kk": "Астана", "ru": "Астана"},
        "request": {"number": "R-1", "document": digest, "report": digest}, "equivalence": {"kk": kk, "ru": ru}
    }))
    .unwrap()
}

fn pipeline(c: &mut Criterion) {
    let at: Time = "2026-11-22T02:00:00Z".parse().unwrap();
    let policy = Policy::built_in("signature").unwrap();
    for (kind, name) in [(KeyKind::Rsa2048, "RSA-2048"), (KeyKind::P256, "P-256")] {
        let world = World::new(at, kind).unwrap();
        let anchors = [Certificate::parse(&world.root.certificate).unwrap()];
        let lists: Vec<Arc<dyn RevocationList>> = world
            .crls()
            .unwrap()
            .iter()
            .map(|der| Arc::new(Crl::parse(der).unwrap()) as Arc<dyn RevocationList>)
            .collect();
        let chain = [world.authority.certificate.clone()];
        let decide = |document: &[u8]| {
            verify(&VerificationInputs {
                report_id: "bench",
                at,
                received_at: None,
                document,
                format: None,
                content: None,
                declared: DeclaredApplicant::default(),
                service: None,
                policy: &policy,
                context: ValidationContext { trust_anchors: &anchors, lists: &lists, ..ValidationContext::default() },
            })
            .decision
        };

        let signer = world.holder(&Holder::person(), kind).unwrap();
        let certificate = Certificate::parse(&signer.certificate).unwrap();
        let content = vec![b'x'; REQUEST_BYTES];
        let encapsulation = Encapsulation::Attached;
        let order = SigningOrder { content: &content, encapsulation, certificate: &certificate, chain: &chain, at };
        let request = sign_cms(&order, signer.key.private()).unwrap().document;
        assert_eq!(decide(&request), Decision::Accepted);

        let body = world.holder(&Holder::issuing_body(), kind).unwrap();
        let sealing = Certificate::parse(&body.certificate).unwrap();
        let sealer = Sealer { certificate: &sealing, chain: &chain, algorithm: body.algorithm };
        let profile = SealProfile::default();
        let licence = licence();
        let stamp = || {
            let (to_be_signed, token) = prepare(&profile, black_box(&licence), &sealer, at).unwrap();
            seal(token, &body.key.private().sign(&body.algorithm, to_be_signed.as_bytes()).unwrap()).unwrap()
        };
        assert_eq!(decide(stamp().as_bytes()), Decision::Accepted);

        let mut group = c.benchmark_group(name);
        group.bench_function("verify a request", |b| b.iter(|| decide(black_box(&request))));
        group.bench_function("stamp a licence", |b| b.iter(stamp));
        group.bench_function("stamp a licence and verify it", |b| b.iter(|| decide(stamp().as_bytes())));
        group.throughput(Throughput::Bytes(request.len() as u64));
        group.bench_function("parse a request", |b| b.iter(|| cms::parse(black_box(&request), None).unwrap()));
        group.throughput(Throughput::Bytes(signer.certificate.len() as u64));
        group.bench_function("parse a certificate", |b| {
            b.iter(|| Certificate::parse(black_box(&signer.certificate)).unwrap());
        });
        group.finish();
    }
}

criterion_group!(benches, pipeline);
criterion_main!(benches);
