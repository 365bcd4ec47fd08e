//! Judging with the help of the network: judge, ask what stayed open, judge again.
//!
//! Facts are gathered first, then judged, and what to gather is found out by judging: a verdict writes down what it would
//! have needed ([`OpenQuestions`]). Local facts come first: where they settle what the policy asks, nobody is asked. A
//! failure is one more fact, that a source was asked in vain.
//!
//! *Invariant:* the verdict is the pure one over the facts at hand when the time is up; no answer is believed here.

use crate::crypto::{Digest, DigestAlgorithm};
use crate::pki::extension::{GeneralName, id};
use crate::pki::ocsp::{CertId, MAX_OCSP_RESPONSE_BYTES, request};
use crate::pki::{Certificate, OcspResponse};
use crate::port::{OcspAnswer, OcspQuestion, RevocationSource};
use crate::report::ValidationReport;
use crate::verify::certificate::{Unavailable, ValidationContext};
use crate::verify::{OpenQuestions, StatusQuestion, VerificationInputs, verify};
use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Rounds of asking: two missing issuers one above the other, then the status of what they complete.
const MAX_ROUNDS: usize = 4;

/// Octets of a nonce: "clients MUST use a length of at least 32 octets" (RFC 9654 §2.1).
const NONCE: usize = 32;

/// Answers that are remembered for those who build on a verdict at once: 256 verdicts' of four, at 64 KiB each at most.
const MAX_HEARD: usize = 1024;

/// What may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MayAsk {
    /// Responders, for the status of certificates.
    pub ocsp: bool,
    /// Places that certificates name for their issuers' certificates.
    pub issuers: bool,
}

/// Judges, and asks the network what stays open.
pub struct Asking {
    source: Arc<dyn RevocationSource>,
    may_ask: MayAsk,
    deadline: Duration,
    max_waiting: usize,
    waiting: AtomicUsize,
    heard: Mutex<VecDeque<(Digest, Box<[u8]>)>>,
}

/// A place among those that wait for the network; given back when it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Facts gathered for one verdict beside those that its inputs bring.
#[derive(Default)]
pub struct Gathered {
    /// What responders answered.
    pub responses: Vec<OcspResponse>,
    /// Certificates that were fetched.
    pub issuers: Vec<Certificate>,
    /// Sources that were asked in vain.
    pub unavailable: Vec<Unavailable>,
    asked: HashSet<Digest>,
}

impl Asking {
    /// At most `max_waiting` verdicts wait for the network at once, each for at most the deadline; one more is judged by
    /// what is at hand, so that silent hosts never take all the places of a service.
    pub fn new(source: Arc<dyn RevocationSource>, may_ask: MayAsk, deadline: Duration, max_waiting: usize) -> Asking {
        let (waiting, heard) = (AtomicUsize::new(0), Mutex::default());
        Asking { source, may_ask, deadline, max_waiting: max_waiting.max(1), waiting, heard }
    }

    /// A response or an issuer's certificate that was heard of late, by its digest: what a verdict rested on a moment ago.
    pub fn heard(&self, digest: &Digest) -> Option<Vec<u8>> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.iter().find(|(known, _)| known == digest).map(|(_, octets)| octets.to_vec())
    }

    fn remember(&self, gathered: &Gathered) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let responses = gathered.responses.iter().map(|response| (response.digest, response.raw()));
        let issuers = gathered.issuers.iter().map(|issuer| (*issuer.digest(), issuer.raw()));
        for (digest, octets) in responses.chain(issuers) {
            if !heard.iter().any(|(known, _)| *known == digest) {
                heard.push_back((digest, octets.into()));
            }
        }
        let surplus = heard.len().saturating_sub(MAX_HEARD);
        heard.drain(..surplus);
    }

    /// Judges a document.
    pub fn verify(&self, inputs: &VerificationInputs<'_>) -> ValidationReport {
        self.judge(inputs).0
    }

    /// Judges a document; the report, and what the network said for it.
    pub fn judge(&self, inputs: &VerificationInputs<'_>) -> (ValidationReport, Gathered) {
        let end = Instant::now() + self.deadline;
        let mut gathered = Gathered::default();
        let mut place = None;
        for _ in 0..MAX_ROUNDS {
            let questions = OpenQuestions::default();
            let report = gathered.judge(inputs, Some(&questions));
            let open = self.still_open(&questions, &mut gathered);
            if open.is_empty() {
                return (report, gathered);
            }
            if place.is_none() {
                place = self.take_place();
            }
            let left = end.saturating_duration_since(Instant::now());
            let refusal = match (&place, left.is_zero()) {
                (None, _) => "too many verifications wait for the network",
                (_, true) => "no time is left to ask",
                _ => {
                    self.ask(&open, left, &mut gathered);
                    self.remember(&gathered);
                    continue;
                }
            };
            metrics::counter!("tamga_revocation_not_asked_total").increment(1);
            gathered.unavailable.push(Unavailable { source: "network".to_owned(), cause: refusal.to_owned() });
            break;
        }
        (gathered.judge(inputs, None), gathered)
    }

    fn take_place(&self) -> Option<Waiting<'_>> {
        let taken = self.waiting.fetch_add(1, Ordering::AcqRel);
        let place = Waiting(&self.waiting);
        (taken < self.max_waiting).then_some(place)
    }

    /// What has not been asked yet and may be.
    fn still_open(&self, questions: &OpenQuestions, gathered: &mut Gathered) -> Open {
        let mut open = Open::default();
        if self.may_ask.ocsp {
            for question in questions.statuses() {
                let urls = responders(&question.certificate);
                let key = [question.certificate.digest().as_bytes(), question.issuer.public_key().digest().as_bytes()];
                if !urls.is_empty() && gathered.asked.insert(Digest::sha256(&key.concat())) {
                    open.statuses.push((question, urls));
                }
            }
        }
        if self.may_ask.issuers {
            for orphan in questions.orphans() {
                if names_its_issuer(&orphan) && gathered.asked.insert(*orphan.digest()) {
                    open.orphans.push(orphan);
                }
            }
        }
        open
    }

    fn ask(&self, open: &Open, left: Duration, gathered: &mut Gathered) {
        let start = Instant::now();
        if !open.statuses.is_empty() {
            let asked: Vec<(OcspQuestion, Vec<u8>)> =
                open.statuses.iter().map(|(question, urls)| ocsp_question(question, urls)).collect();
            let questions: Vec<OcspQuestion> = asked.iter().map(|(question, _)| question.clone()).collect();
            let answers = self.source.ocsp(&questions, left);
            for ((question, nonce), answer) in asked.iter().zip(answers) {
                // Why nothing came says already where it did not come from.
                let source = match &answer {
                    OcspAnswer::Unavailable(_) => "OCSP",
                    OcspAnswer::Response(_) => question.urls.first().map_or("", |url| host(url)),
                };
                let source = source.to_owned();
                let (outcome, fact) = heard(&answer, nonce);
                metrics::counter!("tamga_ocsp_answers_total", "outcome" => outcome).increment(1);
                match fact {
                    Ok(response) => gathered.responses.push(response),
                    Err(cause) => gathered.unavailable.push(Unavailable { source, cause }),
                }
            }
        }
        if !open.orphans.is_empty() {
            let left = left.saturating_sub(start.elapsed());
            let found = self.source.issuers(&open.orphans, left);
            for orphan in &open.orphans {
                // A name is no proof; the signature is, and path building looks at it.
                if !found.iter().any(|issuer| issuer.subject() == orphan.issuer()) {
                    let cause = "the issuer's certificate was not found where the certificate says".to_owned();
                    gathered.unavailable.push(Unavailable { source: "caIssuers".to_owned(), cause });
                }
            }
            gathered.issuers.extend(found);
        }
        metrics::histogram!("tamga_revocation_asking_seconds").record(start.elapsed().as_secs_f64());
    }
}

/// Questions with the places to ask.
#[derive(Default)]
struct Open {
    statuses: Vec<(StatusQuestion, Vec<String>)>,
    orphans: Vec<Certificate>,
}

impl Open {
    fn is_empty(&self) -> bool {
        self.statuses.is_empty() && self.orphans.is_empty()
    }
}

impl Gathered {
    /// Whether the network said nothing that the verdict could rest on.
    pub fn is_empty(&self) -> bool {
        self.responses.is_empty() && self.issuers.is_empty() && self.unavailable.is_empty()
    }

    fn judge(&self, inputs: &VerificationInputs<'_>, questions: Option<&OpenQuestions>) -> ValidationReport {
        let given = inputs.context;
        // Nothing is copied before something was gathered: most verdicts need nobody.
        let join = |given: &[Certificate]| [given, &self.issuers[..]].concat();
        let (intermediates, responses, unavailable);
        let mut context = ValidationContext { questions, ..given };
        if !self.issuers.is_empty() {
            intermediates = join(given.intermediates);
            context.intermediates = &intermediates;
        }
        if !self.responses.is_empty() {
            responses = [given.responses, &self.responses[..]].concat();
            context.responses = &responses;
        }
        if !self.unavailable.is_empty() {
            unavailable = [given.unavailable, &self.unavailable[..]].concat();
            context.unavailable = &unavailable;
        }
        verify(&VerificationInputs { declared: inputs.declared.clone(), context, ..*inputs })
    }
}

/// The OCSP responders that a certificate names over HTTP.
fn responders(certificate: &Certificate) -> Vec<String> {
    let mut urls: Vec<String> = Vec::new();
    for access in certificate.authority_information_access().iter().flat_map(|list| list.iter()) {
        match access.location {
            // National certificates name one responder twice.
            GeneralName::Uri(url) if access.method == id::ACCESS_OCSP && !urls.iter().any(|known| known == url) => {
                urls.push(url.to_owned());
            }
            _ => {}
        }
    }
    urls
}

fn names_its_issuer(certificate: &Certificate) -> bool {
    let access = certificate.authority_information_access();
    access.iter().flat_map(|list| list.iter()).any(|access| access.method == id::ACCESS_CA_ISSUERS)
}

/// A request by SHA-256, and by SHA-1 for a responder that knows no other (RFC 5019 §2.1.1), with one nonce.
fn ocsp_question(question: &StatusQuestion, urls: &[String]) -> (OcspQuestion, Vec<u8>) {
    let nonce: [u8; NONCE] = rand::random();
    let by = |algorithm| {
        let cert_id = CertId::of(&question.certificate, question.issuer.public_key_bits(), algorithm);
        request(&cert_id, Some(&nonce))
    };
    let requests = [DigestAlgorithm::Sha256, DigestAlgorithm::Sha1].into_iter().filter_map(by).collect();
    (OcspQuestion { urls: urls.to_vec(), requests }, nonce.to_vec())
}

/// What an answer is worth before it is judged: a name for the metric, and the response or why there is none.
fn heard(answer: &OcspAnswer, nonce: &[u8]) -> (&'static str, Result<OcspResponse, String>) {
    match answer {
        OcspAnswer::Unavailable(cause) => ("unavailable", Err(cause.clone())),
        OcspAnswer::Response(octets) if octets.is_empty() => ("empty", Err("an empty answer".to_owned())),
        OcspAnswer::Response(octets) if octets.len() > MAX_OCSP_RESPONSE_BYTES => {
            ("unavailable", Err("an answer that is too large".to_owned()))
        }
        OcspAnswer::Response(octets) => match OcspResponse::parse(octets) {
            Err(error) => ("no-answer", Err(error.to_string())),
            // RFC 9654 §2.1: a nonce that comes back is the one that was sent. Responders that answer in advance send
            // none; then freshness is all there is.
            Ok(response) if response.nonce.as_deref().is_some_and(|returned| returned != nonce) => {
                ("nonce", Err("the OCSP response carries another nonce than the request".to_owned()))
            }
            Ok(response) => ("response", Ok(response)),
        },
    }
}

/// The host of a URL, for a sentence.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::{encode, oid};
    use crate::demonstration::ocsp::{CertificateStatus, OcspTemplate, SingleResponse, certificate_id};
    use crate::demonstration::{
        CertificateTemplate, Credential, Extension, Key, KeyKind, NameTemplate, Validity, extension,
    };
    use crate::format::Format;
    use crate::pki::RevocationList;
    use crate::pki::extension::{KeyUsage, purpose};
    use crate::pki::name::attribute;
    use crate::report::{Decision, Time};
    use crate::verify::DeclaredApplicant;
    use crate::verify::policy::Policy;
    use std::sync::Barrier;
    use std::thread;

    const AT: Time = Time::from_unix(1_800_000_000);

    /// A root, and a signer whose responder is at `place`.
    struct World {
        root: Credential,
        signer: Credential,
    }

    impl World {
        fn new(place: &str) -> World {
            let key = |label| Key::cached(KeyKind::P256, label).unwrap();
            let name = |text| NameTemplate::new().with(attribute::COMMON_NAME, text);
            let validity = Validity::around(AT, 9, 9);
            let authority = CertificateTemplate::authority(name("Root"), key("root").spki(), validity, None);
            let root = Credential::root(&authority, key("root")).unwrap();
            let template = CertificateTemplate::new(name("Signer"), key("signer").spki(), validity)
                .with(extension::key_usage(KeyUsage::NON_REPUDIATION))
                .with(extension::extended_key_usage(&[purpose::EMAIL_PROTECTION]))
                .with(extension::authority_information_access(&[place], &[]));
            World { signer: root.issue(&template, key("signer")).unwrap(), root }
        }

        fn inputs<'a>(&'a self, trust_anchors: &'a [Certificate], policy: &'a Policy) -> VerificationInputs<'a> {
            VerificationInputs {
                report_id: "",
                at: AT,
                received_at: None,
                document: &self.signer.certificate,
                format: Some(Format::Certificate),
                content: None,
                declared: DeclaredApplicant::default(),
                service: None,
                policy,
                context: ValidationContext { trust_anchors, ..ValidationContext::default() },
            }
        }

        fn anchors(&self) -> [Certificate; 1] {
            [Certificate::parse(&self.root.certificate).unwrap()]
        }

        fn judged_by(&self, asking: &Asking) -> ValidationReport {
            asking.verify(&self.inputs(&self.anchors(), &Policy::default()))
        }

        fn response(&self, nonce: &[u8]) -> Vec<u8> {
            let id = certificate_id(DigestAlgorithm::Sha256, &self.root, &self.signer.serial_number);
            let mut template = OcspTemplate::new(AT, vec![SingleResponse::new(id, CertificateStatus::Good, AT)]);
            let nonce = encode::octet_string(nonce);
            template.extensions.push(Extension::new(oid!(1, 3, 6, 1, 5, 5, 7, 48, 1, 2), nonce));
            template.issue(&self.root).unwrap()
        }
    }

    /// Answers every question alike.
    struct Source<F>(F);

    impl<F: Fn(&OcspQuestion) -> OcspAnswer + Send + Sync> RevocationSource for Source<F> {
        fn lists(&self) -> Vec<Arc<dyn RevocationList>> {
            Vec::new()
        }

        fn list_by_digest(&self, _: &Digest) -> Option<Vec<u8>> {
            None
        }

        fn ocsp(&self, questions: &[OcspQuestion], _: Duration) -> Vec<OcspAnswer> {
            questions.iter().map(&self.0).collect()
        }

        fn issuers(&self, _: &[Certificate], _: Duration) -> Vec<Certificate> {
            Vec::new()
        }
    }

    fn asking(answer: impl Fn(&OcspQuestion) -> OcspAnswer + Send + Sync + 'static, max_waiting: usize) -> Asking {
        let may_ask = MayAsk { ocsp: true, issuers: false };
        Asking::new(Arc::new(Source(answer)), may_ask, Duration::from_secs(5), max_waiting)
    }

    fn cause(report: &ValidationReport) -> String {
        serde_json::to_string(report).unwrap()
    }

    #[test]
    fn the_nonce_that_comes_back_is_the_one_that_was_sent() {
        let world = Arc::new(World::new("http://a.kz/"));
        let (own, of_own) = (Arc::clone(&world), |request: &[u8]| request[request.len() - NONCE..].to_vec());
        let right = asking(move |question| OcspAnswer::Response(own.response(&of_own(&question.requests[0]))), 1);
        assert_eq!(world.judged_by(&right).decision, Decision::Accepted);
        let own = Arc::clone(&world);
        let wrong = asking(move |_| OcspAnswer::Response(own.response(&[7; NONCE])), 1);
        let report = world.judged_by(&wrong);
        assert_eq!(report.decision, Decision::Undetermined);
        assert!(cause(&report).contains("another nonce"), "{}", cause(&report));
    }

    #[test]
    fn one_more_than_may_wait_is_judged_by_what_is_at_hand() {
        let world = Arc::new(World::new("http://a.kz/"));
        let (asked, answered) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let (inside, done) = (Arc::clone(&asked), Arc::clone(&answered));
        let asking = asking(
            move |_| {
                inside.wait();
                done.wait();
                OcspAnswer::Unavailable("nothing".to_owned())
            },
            1,
        );
        thread::scope(|scope| {
            let first = scope.spawn(|| world.judged_by(&asking));
            asked.wait();
            let second = world.judged_by(&asking);
            assert_eq!(second.decision, Decision::Undetermined);
            assert!(cause(&second).contains("too many"), "{}", cause(&second));
            answered.wait();
            assert!(cause(&first.join().unwrap()).contains("nothing"));
        });
        assert_eq!(asking.waiting.load(Ordering::Acquire), 0, "the place was given back");
    }

    #[test]
    fn nobody_is_asked_where_no_path_reaches_an_anchor_or_the_policy_wants_lists() {
        let world = World::new("http://a.kz/");
        let never = asking(|_| panic!("asked"), 1);
        let mut by_lists = Policy::default();
        by_lists.revocation.sources = crate::verify::policy::RevocationSources::Crl;
        assert_eq!(never.verify(&world.inputs(&[], &Policy::default())).decision, Decision::Refused);
        assert_eq!(never.verify(&world.inputs(&world.anchors(), &by_lists)).decision, Decision::Undetermined);
    }
}
