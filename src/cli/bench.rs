//! `tamga bench`: how fast this machine verifies and stamps, beside the bare cryptography of the same work.
//!
//! In process everything is measured on one thread over the demonstration world, so the figures are per core. *Warm* is a
//! service that has seen this signer before: signatures of certificates and lists, parsed certificates and prepared keys
//! are remembered as facts. The bare figure is then one signature, verified with the key as it comes in the certificate,
//! and the digest of the content. *Cold* knows nothing: the bare figure adds the signatures of the path and of the lists.
//! For a stamp it is the signature made, the check of the value before it is used, and our own verification of the result.

use super::{Exit, Failure, bench_crl, bench_http, outcome::print};
use crate::{
    adapter::signature_cache::KnownSignatures,
    crypto::{Digest, DigestAlgorithm, PublicKey},
    demonstration::{Holder, Key, KeyKind, World},
    licensing::{Catalogue, Date, DocumentKind, EQUIVALENCE, Licence},
    pki::{Certificate, Crl, Iin, RevocationList},
    report::{Decision, SOFTWARE, Time, ValidationReport},
    service::signing::{SigningOrder, sign_cms},
    stamp::{Encapsulation, SealProfile, Sealer, prepare, seal},
    verify::{
        DeclaredApplicant, ServiceRules, VerificationInputs, certificate::ValidationContext, policy::Policy, verify,
    },
};
use clap::{Args, Subcommand, ValueEnum};
use indicatif::ProgressBar;
use serde::Serialize;
use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

/// How long things are measured.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// Rounds of one measurement; the median counts, because the machine is never quiet.
    rounds: usize,
    /// How long a round lasts.
    round: Duration,
    http: bench_http::Plan,
}

impl Pace {
    fn new(arguments: &Arguments) -> Pace {
        let (rounds, round, connections, each, overload) = match arguments.quick {
            true => (1, Duration::from_millis(2), 4, Duration::from_millis(300), Duration::from_millis(500)),
            false => {
                (5, Duration::from_millis(100), 64, Duration::from_secs(2), Duration::from_secs(arguments.overload))
            }
        };
        Pace { rounds, round, http: bench_http::Plan { request_bytes: REQUEST_BYTES, connections, each, overload } }
    }
}

/// Signatures that a signer who was never seen before needs beside his own: two certificates and two lists.
const SIGNATURES_OF_A_PATH: f64 = 4.0;
/// Size of the request that is verified.
const REQUEST_BYTES: usize = 16 * 1024;

#[derive(Debug, Subcommand)]
enum What {
    #[command(flatten)]
    Lists(bench_crl::What),
    /// One piece of work so many times and nothing else, for a profiler.
    Calls {
        /// What is done.
        #[arg(long, value_enum, default_value = "warm")]
        work: Work,
        #[arg(long, default_value = "100")]
        times: u64,
    },
}

/// A verdict on an RSA-2048 request.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Work {
    /// From a signer who was seen before.
    Warm,
    /// From a signer who was not.
    Cold,
    /// Warm, and the report written as JSON.
    Answer,
}

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
    /// Figures for a machine.
    #[arg(long)]
    json: bool,
    /// One kind of key and moments instead of seconds: whether it works, not how fast.
    #[arg(long)]
    quick: bool,
    /// In process only.
    #[arg(long)]
    no_http: bool,
    /// How long the service is asked ten times over what it has places for.
    #[arg(long, value_name = "SECONDS", default_value = "3")]
    overload: u64,
}

#[derive(Debug, Serialize)]
struct Figures {
    software: &'static str,
    cores: usize,
    request_bytes: usize,
    /// Per core.
    results: Vec<Row>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http: Option<bench_http::HttpFigures>,
}

#[derive(Debug, Serialize)]
struct Row {
    key: String,
    sign_per_second: f64,
    verify_per_second: f64,
    /// With the key parsed each time.
    verify_from_spki_per_second: f64,
    digest_microseconds: f64,
    verification: Whole,
    cold_verification: Whole,
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
    match arguments.what {
        Some(What::Lists(what)) => return bench_crl::run(what),
        Some(What::Calls { work, times }) => return calls(work, times),
        None => {}
    }
    let pace = Pace::new(&arguments);
    let kinds = if arguments.quick { vec![KeyKind::P256] } else { [&KeyKind::ALL[..], &KeyKind::NATIONAL].concat() };
    let bar = ProgressBar::new(kinds.len() as u64 + u64::from(!arguments.no_http));
    let mut results = Vec::new();
    for kind in kinds {
        results.push(measure(kind, pace)?);
        bar.inc(1);
    }
    let http = if arguments.no_http { None } else { Some(over_http(pace)?) };
    bar.finish_and_clear();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let figures = Figures { software: SOFTWARE, cores, request_bytes: REQUEST_BYTES, results, http };
    let text = if arguments.json {
        serde_json::to_string_pretty(&figures).map_err(Failure::fault)? + "\n"
    } else {
        table(&figures)
    };
    print(&text)?;
    Ok(Exit::Success)
}

fn calls(work: Work, times: u64) -> Result<Exit, Failure> {
    let world = World::with_keys(super::verify::now()?, new_key(KeyKind::Rsa2048)?, new_key(KeyKind::Rsa2048)?);
    let world = world.map_err(Failure::fault)?;
    let bench = Bench::new(&world)?;
    let key = new_key(KeyKind::Rsa2048)?;
    let signer = world.authority.issue(&world.template(&Holder::person(), key.spki()), key).map_err(Failure::fault)?;
    let order = SigningOrder {
        content: &bench_http::content(REQUEST_BYTES),
        encapsulation: Encapsulation::Attached,
        certificate: &Certificate::parse(&signer.certificate).map_err(Failure::fault)?,
        chain: std::slice::from_ref(&world.authority.certificate),
        at: world.at,
    };
    let request = sign_cms(&order, signer.key.private()).map_err(Failure::fault)?.document;
    for _ in 0..times {
        let known = if matches!(work, Work::Cold) { Known::Nothing } else { Known::Warm };
        let report = bench.report(black_box(&request), known);
        if matches!(work, Work::Answer) {
            black_box(serde_json::to_vec(&report).map_err(Failure::fault)?);
        }
        if report.decision != Decision::Accepted {
            return Err(Failure::fault("the request of the measurement is not accepted"));
        }
    }
    Ok(Exit::Success)
}

/// In a folder that is made here and removed again.
fn over_http(pace: Pace) -> Result<bench_http::HttpFigures, Failure> {
    let folder = std::env::current_dir().map_err(Failure::fault)?.join(format!("tamga-bench-{}", std::process::id()));
    std::fs::create_dir(&folder).map_err(|error| Failure::fault(format!("{}: {error}", folder.display())))?;
    let measured = bench_http::measure(&folder, pace.http);
    std::fs::remove_dir_all(&folder).map_err(Failure::fault)?;
    measured
}

fn table(figures: &Figures) -> String {
    let mut text = format!(
        "{}, one core of {}, request of {} KiB under two authorities, applicant read out of its content\n\n\
         {:<20} {:>9} {:>9} {:>9} {:>10} {:>6} {:>10} {:>6} {:>10} {:>6}\n\
         {:<20} {:>9} {:>9} {:>9} {:>10} {:>6} {:>10} {:>6} {:>10} {:>6}\n",
        figures.software,
        figures.cores,
        figures.request_bytes / 1024,
        "key",
        "sign",
        "verify",
        "from spki",
        "warm",
        "",
        "cold",
        "",
        "stamping",
        "",
        "",
        "per s",
        "per s",
        "per s",
        "per s",
        "ratio",
        "per s",
        "ratio",
        "per s",
        "ratio",
    );
    for row in &figures.results {
        text += &format!(
            "{:<20} {:>9.0} {:>9.0} {:>9.0} {:>10.0} {:>6.2} {:>10.0} {:>6.2} {:>10.0} {:>6.2}\n",
            row.key,
            row.sign_per_second,
            row.verify_per_second,
            row.verify_from_spki_per_second,
            row.verification.per_second,
            row.verification.ratio,
            row.cold_verification.per_second,
            row.cold_verification.ratio,
            row.stamping.per_second,
            row.stamping.ratio,
        );
    }
    text += "\nratio: the whole work to the bare cryptography in it\n";
    if let Some(http) = &figures.http {
        text += &bench_http::table(http);
    }
    text
}

/// The world of one kind of key, ready to verify in.
struct Bench {
    at: Time,
    policy: Policy,
    rules: ServiceRules,
    seal_policy: Policy,
    anchors: [Certificate; 1],
    lists: Vec<Arc<dyn RevocationList>>,
    signatures: KnownSignatures,
}

impl Bench {
    fn new(world: &World) -> Result<Bench, Failure> {
        let built_in = |id| Policy::built_in(id).ok_or_else(|| Failure::fault("no policy"));
        let (policy, seal_policy) = (built_in("request")?, built_in("licence")?);
        let catalogue = Catalogue::default();
        let service = catalogue.service(bench_http::SERVICE).ok_or_else(|| Failure::fault("no service"))?;
        let anchors = [Certificate::parse(&world.root.certificate).map_err(Failure::fault)?];
        let lists =
            world.crls().map_err(Failure::fault)?.iter().map(|der| Crl::parse(der)).collect::<Result<Vec<_>, _>>();
        let lists = lists.map_err(Failure::fault)?.into_iter().map(|list| Arc::new(list) as Arc<dyn RevocationList>);
        Ok(Bench {
            at: world.at,
            policy,
            rules: service.rules(),
            seal_policy,
            anchors,
            lists: lists.collect(),
            signatures: KnownSignatures::default(),
        })
    }

    /// The verdict on an applicant's request.
    fn report(&self, document: &[u8], known: Known) -> ValidationReport {
        let declared = DeclaredApplicant { iin: Iin::parse(Holder::IIN), bin: None };
        self.verdict(document, &self.policy, declared, Some(&self.rules), known)
    }

    /// The verdict on a seal of our own.
    fn decide_seal(&self, document: &[u8]) -> Decision {
        self.verdict(document, &self.seal_policy, DeclaredApplicant::default(), None, Known::Warm).decision
    }

    fn verdict(
        &self,
        document: &[u8],
        policy: &Policy,
        declared: DeclaredApplicant,
        service: Option<&ServiceRules>,
        known: Known,
    ) -> ValidationReport {
        verify(&VerificationInputs {
            report_id: "bench",
            at: self.at,
            received_at: None,
            document,
            format: None,
            content: None,
            declared,
            service,
            policy,
            context: ValidationContext {
                trust_anchors: &self.anchors,
                lists: &self.lists,
                cache: match known {
                    Known::Warm => Some(&self.signatures),
                    Known::Nothing => None,
                },
                ..ValidationContext::default()
            },
        })
    }
}

/// What was found out before.
#[derive(Clone, Copy, Debug)]
enum Known {
    Warm,
    Nothing,
}

fn measure(kind: KeyKind, pace: Pace) -> Result<Row, Failure> {
    let seconds = |call: &mut dyn FnMut() -> bool| seconds(pace, call);
    let at = super::verify::now()?;
    let world = World::with_keys(at, new_key(kind)?, new_key(kind)?).map_err(Failure::fault)?;
    let bench = Bench::new(&world)?;
    let chain = [world.authority.certificate.clone()];

    let key = new_key(kind)?;
    let signer = world.authority.issue(&world.template(&Holder::person(), key.spki()), key).map_err(Failure::fault)?;
    let certificate = Certificate::parse(&signer.certificate).map_err(Failure::fault)?;
    let private = signer.key.private();
    let public = PublicKey::from_spki(certificate.spki()).map_err(Failure::fault)?;

    let content = bench_http::content(REQUEST_BYTES);
    let digest = signer.algorithm.digest().unwrap_or(DigestAlgorithm::Sha512);
    let message = digest.digest(&content);
    let message = message.as_bytes();
    let value = private.sign(&signer.algorithm, message).map_err(Failure::fault)?;
    let sign = seconds(&mut || private.sign(&signer.algorithm, black_box(message)).is_ok());
    let check = seconds(&mut || public.verify(&signer.algorithm, black_box(message), &value).is_ok());
    let from_spki = seconds(&mut || {
        let key = PublicKey::from_spki(black_box(certificate.spki()));
        key.is_ok_and(|key| key.verify(&signer.algorithm, message, &value).is_ok())
    });
    let hash = seconds(&mut || !digest.digest(black_box(&content)).as_bytes().is_empty());

    let order = SigningOrder {
        content: &content,
        encapsulation: Encapsulation::Attached,
        certificate: &certificate,
        chain: &chain,
        at,
    };
    let request = sign_cms(&order, private).map_err(Failure::fault)?.document;
    let accepted = |known| bench.report(black_box(&request), known).decision == Decision::Accepted;
    if !accepted(Known::Nothing) || !accepted(Known::Warm) {
        return Err(Failure::fault("the request of the measurement is not accepted"));
    }
    let cold = seconds(&mut || accepted(Known::Nothing));
    let verification = seconds(&mut || accepted(Known::Warm));

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
        (bench.decide_seal(sealed.as_bytes()) == Decision::Accepted).then_some(())
    };
    stamp().ok_or_else(|| Failure::fault("the licence of the measurement is not accepted"))?;
    let stamping = seconds(&mut || stamp().is_some());

    Ok(Row {
        key: public.name(),
        sign_per_second: 1.0 / sign,
        verify_per_second: 1.0 / check,
        verify_from_spki_per_second: 1.0 / from_spki,
        digest_microseconds: hash * 1e6,
        verification: Whole::new(verification, from_spki + hash),
        cold_verification: Whole::new(cold, from_spki + hash + SIGNATURES_OF_A_PATH * check),
        stamping: Whole::new(stamping, sign + 2.0 * check),
    })
}

fn new_key(kind: KeyKind) -> Result<Arc<Key>, Failure> {
    Key::generate(kind).map(Arc::new).map_err(Failure::fault)
}

/// Seconds that one call takes: the median of the rounds.
fn seconds(pace: Pace, call: &mut dyn FnMut() -> bool) -> f64 {
    let mut rounds: Vec<f64> = (0..pace.rounds)
        .map(|_| {
            let started = Instant::now();
            let mut calls = 0u32;
            while started.elapsed() < pace.round || calls == 0 {
                black_box(call());
                calls += 1;
            }
            started.elapsed().as_secs_f64() / f64::from(calls)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds.get(pace.rounds / 2).copied().unwrap_or(f64::NAN)
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
