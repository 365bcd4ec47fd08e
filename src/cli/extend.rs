//! `tamga extend`: a signed document at a higher level of proof, or with its proof renewed.

use super::{Exit, Failure, verify};
use crate::{
    adapter::{
        fetch::{FetchRules, PrivateAddresses},
        material,
        timestamp::{TimestampClient, TimestampSettings},
        whole_file,
    },
    asn1::OidBuf,
    config::ImprintDigest,
    pki::{Certificate, Crl, OcspResponse, RevocationList},
    port::TimestampAuthority,
    report::{Decision, ValidationReport},
    service::extension::{Evidence, ExtendError, Extender, Level},
    verify::{DeclaredApplicant, VerificationInputs, certificate::ValidationContext, policy::Policy},
};
use clap::{Args, ValueEnum};
use std::{path::PathBuf, sync::Arc, time::Duration};

/// How long a list or a certificate may take; none is fetched here.
const UNUSED_TIMEOUT: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The signed document (CMS).
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The level it shall have; `lta` of a document that has it already renews its archive time-stamp.
    #[arg(long, value_enum, value_name = "LEVEL")]
    to: To,
    /// Where it goes, whole or not at all; may be FILE itself.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Address of a time-stamping authority; repeat for mirrors, which are asked in this order.
    #[arg(long, value_name = "URL")]
    tsa: Vec<String>,
    /// The time-stamping policy to ask for, dotted.
    #[arg(long, value_name = "OID", value_parser = parse_oid)]
    tsa_policy: Option<OidBuf>,
    /// The digest that is stamped: sha-256, sha-384, sha-512, streebog-256, streebog-512.
    #[arg(long, value_name = "DIGEST", default_value = "sha-256", value_parser = parse_digest)]
    digest: ImprintDigest,
    /// How many seconds one answer may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    tsa_timeout: u64,
    /// Let the authority be at an address that is not of the public internet.
    #[arg(long)]
    allow_private_addresses: bool,
    /// Trust anchors: a file or a folder, PEM or DER.
    #[arg(long, value_name = "FILE|DIR")]
    trust: Vec<PathBuf>,
    /// Certificates that are at hand and not trusted by themselves.
    #[arg(long, value_name = "FILE|DIR")]
    intermediates: Vec<PathBuf>,
    /// Revocation lists.
    #[arg(long, value_name = "FILE|DIR")]
    crl: Vec<PathBuf>,
    /// OCSP responses.
    #[arg(long, value_name = "FILE|DIR")]
    ocsp: Vec<PathBuf>,
    /// The signed content, where the signature is detached.
    #[arg(long, value_name = "FILE")]
    content: Option<PathBuf>,
    /// A policy file; else `signature`.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The report on what came out, one line of JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum To {
    /// A time-stamp over the signature.
    T,
    /// And certificates and revocation data.
    Lt,
    /// And an archive time-stamp over everything.
    Lta,
}

impl From<To> for Level {
    fn from(to: To) -> Level {
        match to {
            To::T => Level::T,
            To::Lt => Level::Lt,
            To::Lta => Level::Lta,
        }
    }
}

fn parse_oid(text: &str) -> Result<OidBuf, String> {
    text.parse().map_err(|_| "not an object identifier such as 1.2.398.3.3.2.6.4".to_owned())
}

fn parse_digest(text: &str) -> Result<ImprintDigest, String> {
    serde_json::from_value(text.into())
        .map_err(|_| "one of sha-256, sha-384, sha-512, streebog-256, streebog-512".into())
}

pub(super) fn run(arguments: Arguments) -> Result<Exit, Failure> {
    super::log_for_a_person();
    let document = verify::read(&arguments.file)?;
    let content = arguments.content.as_deref().map(verify::read).transpose()?;
    let certificate = |der: &[u8]| Certificate::parse(der).map_err(|error| error.to_string());
    let list = |der: &[u8]| {
        Crl::parse(der).map(|list| Arc::new(list) as Arc<dyn RevocationList>).map_err(|error| error.to_string())
    };
    let response = |der: &[u8]| OcspResponse::parse(der).map_err(|error| error.to_string());
    let at_hand = AtHand {
        trust_anchors: material::load(&arguments.trust, certificate)?,
        intermediates: material::load(&arguments.intermediates, certificate)?,
        lists: material::load(&arguments.crl, list)?,
        responses: material::load(&arguments.ocsp, response)?,
    };
    let policy = match &arguments.policy {
        Some(path) => crate::config::read_policy(path)?,
        None => Policy::built_in("signature").ok_or_else(|| Failure::fault("there is no policy signature"))?,
    };
    let client = (!arguments.tsa.is_empty()).then(|| client(&arguments));
    // A clock before 1970 was refused by then.
    let started = verify::now()?;
    let judge = |document: &[u8]| {
        let at = verify::now().unwrap_or(started);
        at_hand.judge(document, content.as_deref(), &policy, at)
    };
    let authority = client.as_ref().map(|client| client as &dyn TimestampAuthority);
    let extender = Extender { judge: &judge, evidence: &at_hand, authority, content: content.as_deref() };
    match extender.extend(&document, arguments.to.into()) {
        Ok(extended) => {
            whole_file::write(&arguments.output, &extended.document)
                .map_err(|error| Failure::fault(format!("cannot write {}: {error}", arguments.output.display())))?;
            show(&arguments, &extended.report)?;
            Ok(Exit::Success)
        }
        Err(ExtendError::NotAccepted(report) | ExtendError::NotReached { report, .. }) => {
            show(&arguments, &report)?;
            Ok(match report.decision {
                Decision::Undetermined => Exit::Undetermined,
                // Accepted and yet not of the level: nothing was written.
                Decision::Accepted | Decision::Refused => Exit::Refused,
            })
        }
        Err(error @ (ExtendError::Format(_) | ExtendError::NoAuthority)) => Err(Failure::usage(error)),
        Err(error) => Err(Failure::fault(error)),
    }
}

fn client(arguments: &Arguments) -> TimestampClient {
    let timeout = Duration::from_secs(arguments.tsa_timeout.max(1));
    let host = |url: &String| reqwest::Url::parse(url).ok()?.host_str().map(str::to_owned);
    let rules = FetchRules {
        allowed_hosts: arguments.tsa.iter().filter_map(host).collect(),
        private_addresses: match arguments.allow_private_addresses {
            true => PrivateAddresses::Allow,
            false => PrivateAddresses::Refuse,
        },
        list_timeout: UNUSED_TIMEOUT,
        response_timeout: UNUSED_TIMEOUT,
    };
    let settings = TimestampSettings {
        urls: arguments.tsa.clone(),
        policy: arguments.tsa_policy.clone(),
        digest: arguments.digest.into(),
        attempts: 2,
        timeout,
    };
    TimestampClient::new(settings, rules)
}

fn show(arguments: &Arguments, report: &ValidationReport) -> Result<(), Failure> {
    let text = if arguments.json {
        serde_json::to_string(report).map_err(Failure::fault)? + "\n"
    } else {
        super::readable::report(&arguments.output.display().to_string(), report)
    };
    super::outcome::print(&text)
}

/// What was given on the command line.
struct AtHand {
    trust_anchors: Vec<Certificate>,
    intermediates: Vec<Certificate>,
    lists: Vec<Arc<dyn RevocationList>>,
    responses: Vec<OcspResponse>,
}

impl AtHand {
    fn judge(
        &self,
        document: &[u8],
        content: Option<&[u8]>,
        policy: &Policy,
        at: crate::report::Time,
    ) -> ValidationReport {
        crate::verify::verify(&VerificationInputs {
            report_id: &uuid::Uuid::now_v7().to_string(),
            at,
            received_at: None,
            document,
            format: None,
            content,
            declared: DeclaredApplicant::default(),
            service: None,
            policy,
            context: ValidationContext {
                trust_anchors: &self.trust_anchors,
                intermediates: &self.intermediates,
                lists: &self.lists,
                responses: &self.responses,
                ..ValidationContext::default()
            },
        })
    }
}

impl Evidence for AtHand {
    fn certificate(&self, digest: &str) -> Option<Vec<u8>> {
        let named = |one: &&Certificate| one.digest().to_string() == digest;
        self.intermediates.iter().find(named).map(|one| one.raw().to_vec())
    }

    fn list(&self, digest: &str) -> Option<Vec<u8>> {
        let named = |list: &&Arc<dyn RevocationList>| list.scope().digest.to_string() == digest;
        self.lists.iter().find(named)?.raw().map(<[u8]>::to_vec)
    }

    fn response(&self, digest: &str) -> Option<Vec<u8>> {
        let named = |response: &&OcspResponse| response.digest.to_string() == digest;
        self.responses.iter().find(named).map(|response| response.raw().to_vec())
    }
}
