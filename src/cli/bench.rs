//! `tamga bench`: how fast this machine verifies and stamps, beside the bare cryptography of the same work.
//!
//! Everything is measured on one thread over the demonstration world, so the figures are per core. The service is warm:
//! signatures of certificates and lists were verified before and are remembered as facts. The bare figure adds up what
//! cannot be avoided then: the document's signature and the digest of its content; for a stamp the signature made, the
//! check of the value before it is used, and our own verification of the result.

use super::{Exit, Failure, bench_crl, outcome::print};
use crate::{
    adapter::signature_cache::KnownSignatures,
    crypto::{Digest, PublicKey},
    demonstration::{Holder, Key, KeyKind, World},
    licensing::{Date, DocumentKind, EQUIVALENCE, Licence},
    pki::{Certificate, Crl, RevocationList},
    report::{Decision, SOFTWARE, Time},
    service::signing::{SigningOrder, sign_cms},
    stamp::{Encapsulation, SealProfile, Sealer, prepare, seal},
    verify::{DeclaredApplicant, VerificationInputs, certificate::ValidationContext, policy::Policy, verify},
};
use clap::Args;
use indicatif::ProgressBar;
use serde::Serialize;
use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

/// Rounds of one measurement; the median counts, because the machine is never quiet.
const ROUNDS: usize = 5;
/// How long a round lasts.
const ROUND: Duration = Duration::from_millis(100);
/// Size of the request that is verified.
const REQUEST_BYTES: usize = 16 * 1024;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: Option<bench_crl::What>,
    /// Figures for a machine.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Figures {
    software: &'static str,
    cores: usize,
    request_bytes: usize,
    /// Per core.
    results: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    key: String,
    sign_per_second: f64,
    verify_per_second: f64,
    verification: Whole,
    stamping: Whole,
}

/// A whole piece of work beside its bare cryptography.
#[derive(Debug, Serialize)]
struct Whole {
    per_second: f64,
    microseconds: f64,
    bare_microseconds: f64,
    /// Whole to bare; 1 would be nothing but cryptography.
    ratio: f64,
}

impl Whole {
    fn new(seconds: f64, bare_seconds: f64) -> Whole {
        Whole {
            per_second: 1.0 / seconds,
            microseconds: seconds * 1e6,
            bare_microseconds: bare_seconds * 1e6,
            ratio: seconds / bare_seconds,
        }
    }
}

pub(super) fn run(arguments: Arguments) -> Result<Exit, Failure> {
    if let Some(what) = arguments.what {
        return bench_crl::run(what);
    }
    let bar = ProgressBar::new(KeyKind::ALL.len() as u64);
    let mut results = Vec::new();
    for kind in KeyKind::ALL {
        results.push(measure(kind)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let figures = Figures { software: SOFTWARE, cores, request_bytes: REQUEST_BYTES, results };
    let text = if arguments.json {
        serde_json::to_string_pretty(&figures).map_err(Failure::fault)? + "\n"
    } else {
        table(&figures)
    };
    print(&text)?;
    Ok(Exit::Success)
}

fn table(figures: &Figures) -> String {
    let mut text = format!(
        "{}, one core of {}, request of {} KiB under two authorities\n\n\
         {:<9} {:>10} {:>10} {:>12} {:>6} {:>12} {:>6}\n{:<9} {:>10} {:>10} {:>12} {:>6} {:>12} {:>6}\n",
        figures.software,
        figures.cores,
        figures.request_bytes / 1024,
        "key",
        "sign",
        "verify",
        "verification",
        "",
        "stamping",
        "",
        "",
        "per s",
        "per s",
        "per s",
        "ratio",
        "per s",
        "ratio",
    );
    for row in &figures.results {
        text += &format!(
            "{:<9} {:>10.0} {:>10.0} {:>12.0} {:>6.2} {:>12.0} {:>6.2}\n",
            row.key,
            row.sign_per_second,
            row.verify_per_second,
            row.verification.per_second,
            row.verification.ratio,
            row.stamping.per_second,
            row.stamping.ratio,
        );
    }
    text + "\nratio: the whole work to the bare cryptography in it\n"
}

/// The world of one kind of key, ready to verify in.
struct Bench {
    at: Time,
    policy: Policy,
    anchors: [Certificate; 1],
    lists: Vec<Arc<dyn RevocationList>>,
    signatures: KnownSignatures,
}

impl Bench {
    fn new(world: &World) -> Result<Bench, Failure> {
        let policy = Policy::built_in("signature").ok_or_else(|| Failure::fault("no policy"))?;
        let anchors = [Certificate::parse(&world.root.certificate).map_err(Failure::fault)?];
        let lists =
            world.crls().map_err(Failure::fault)?.iter().map(|der| Crl::parse(der)).collect::<Result<Vec<_>, _>>();
        let lists = lists.map_err(Failure::fault)?.into_iter().map(|list| Arc::new(list) as Arc<dyn RevocationList>);
        Ok(Bench { at: world.at, policy, anchors, lists: lists.collect(), signatures: KnownSignatures::default() })
    }

    fn decide(&self, document: &[u8]) -> Decision {
        let report = verify(&VerificationInputs {
            report_id: "bench",
            at: self.at,
            received_at: None,
            document,
            format: None,
            content: None,
            declared: DeclaredApplicant::default(),
            service: None,
            policy: &self.policy,
            context: ValidationContext {
                trust_anchors: &self.anchors,
                lists: &self.lists,
                cache: Some(&self.signatures),
                ..ValidationContext::default()
            },
        });
        report.decision
    }
}

fn measure(kind: KeyKind) -> Result<Row, Failure> {
    let at = super::verify::now()?;
    let world = World::with_keys(at, new_key(kind)?, new_key(kind)?).map_err(Failure::fault)?;
    let bench = Bench::new(&world)?;
    let chain = [world.authority.certificate.clone()];

    let key = new_key(kind)?;
    let signer = world.authority.issue(&world.template(&Holder::person(), key.spki()), key).map_err(Failure::fault)?;
    let certificate = Certificate::parse(&signer.certificate).map_err(Failure::fault)?;
    let private = signer.key.private();
    let public = PublicKey::from_spki(certificate.spki()).map_err(Failure::fault)?;

    let content = vec![b'x'; REQUEST_BYTES];
    let message = Digest::sha256(&content);
    let message = message.as_bytes();
    let value = private.sign(&signer.algorithm, message).map_err(Failure::fault)?;
    let sign = seconds(|| private.sign(&signer.algorithm, black_box(message)).is_ok());
    let check = seconds(|| public.verify(&signer.algorithm, black_box(message), &value).is_ok());
    let hash = seconds(|| !Digest::sha256(black_box(&content)).as_bytes().is_empty());

    let order = SigningOrder {
        content: &content,
        encapsulation: Encapsulation::Attached,
        certificate: &certificate,
        chain: &chain,
        at,
    };
    let request = sign_cms(&order, private).map_err(Failure::fault)?.document;
    if bench.decide(&request) != Decision::Accepted {
        return Err(Failure::fault("the request of the measurement is not accepted"));
    }
    let verification = seconds(|| bench.decide(black_box(&request)) == Decision::Accepted);

    let key = new_key(kind)?;
    let body =
        world.authority.issue(&world.template(&Holder::issuing_body(), key.spki()), key).map_err(Failure::fault)?;
    let sealing_certificate = Certificate::parse(&body.certificate).map_err(Failure::fault)?;
    let sealer = Sealer { certificate: &sealing_certificate, chain: &chain, algorithm: body.algorithm };
    let licence = licence(at)?;
    let profile = SealProfile::default();
    let stamp = || {
        let (to_be_signed, token) = prepare(&profile, black_box(&licence), &sealer, at).ok()?;
        let value = body.key.private().sign(&body.algorithm, to_be_signed.as_bytes()).ok()?;
        let sealed = seal(token, &value).ok()?;
        (bench.decide(sealed.as_bytes()) == Decision::Accepted).then_some(())
    };
    stamp().ok_or_else(|| Failure::fault("the licence of the measurement is not accepted"))?;
    let stamping = seconds(|| stamp().is_some());

    Ok(Row {
        key: public.name(),
        sign_per_second: 1.0 / sign,
        verify_per_second: 1.0 / check,
        verification: Whole::new(verification, check + hash),
        stamping: Whole::new(stamping, sign + 2.0 * check),
    })
}

fn new_key(kind: KeyKind) -> Result<Arc<Key>, Failure> {
    Key::generate(kind).map(Arc::new).map_err(Failure::fault)
}

/// Seconds that one call takes: the median of the rounds.
fn seconds(mut call: impl FnMut() -> bool) -> f64 {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let started = Instant::now();
            let mut calls = 0u32;
            while started.elapsed() < ROUND || calls == 0 {
                black_box(call());
                calls += 1;
            }
            started.elapsed().as_secs_f64() / f64::from(calls)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds.get(ROUNDS / 2).copied().unwrap_or(f64::NAN)
}

/// A licence as the measurement seals it.
fn licence(at: Time) -> Result<Licence, Failure> {
    let [kk, ru] = EQUIVALENCE;
    let digest = Digest::sha256(b"request").to_string();
    let both = |text: &str| serde_json::json!({"kk": text, "ru": text});
    serde_json::from_value(serde_json::json!({
        "schema": "tamga/licence/1", "demonstration": crate::demonstration::MARK, "kind": DocumentKind::Licence,
        "title": DocumentKind::Licence.title(), "number": "KZ18LAA00032760", "issue_date": Date::in_kazakhstan(at),
        "service": "agency-pipelines", "holder": {"bin": Holder::BIN, "issued_to": "ТОО «Үлгі»"},
        "activity": both("қызмет"), "issuing_body": both("орган"), "head": "Үлгілі Ә.", "city": both("Астана"),
        "request": {"number": "R-1", "document": digest, "report": digest}, "equivalence": {"kk": kk, "ru": ru}
    }))
    .map_err(Failure::fault)
}
