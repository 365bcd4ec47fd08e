//! `tamga verify`: documents, certificates and lists from files; a report for a person or a machine.

use super::{Environment, Exit, Failure, outcome::print, readable};
use crate::{
    adapter::{material, signature_cache::KnownSignatures},
    app::revocation,
    config::Config,
    licensing::Catalogue,
    pki::{
        Certificate, Crl, OcspResponse, RevocationList,
        identity::{Bin, Iin},
    },
    report::{Decision, Time, ValidationReport},
    verify::{
        DeclaredApplicant, ServiceRules, VerificationInputs, certificate::ValidationContext, policy::Policy, verify,
    },
};
use clap::Args;
use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

/// A document is read one octet beyond the limit on documents, so that the report can say it is too large.
const MAX_READ: u64 = crate::format::limits::MAX_DOCUMENT_BYTES as u64 + 1;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Signed documents, or certificates alone.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
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
    /// Judge as of this moment (RFC 3339) instead of now.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    at: Option<Time>,
    /// A built-in policy by its name, or a policy file; else `request` where an applicant is declared and `signature`
    /// where none is.
    #[arg(long, value_name = "NAME|FILE")]
    policy: Option<PathBuf>,
    /// Individual identification number the applicant declares.
    #[arg(long, value_name = "IIN", value_parser = parse_iin)]
    iin: Option<Iin>,
    /// Business identification number the applicant declares.
    #[arg(long, value_name = "BIN", value_parser = parse_bin)]
    bin: Option<Bin>,
    /// The service that is applied for: what the signed content says about the applicant is compared too.
    #[arg(long, value_name = "ID")]
    service: Option<String>,
    /// A configuration (TOML) whose [revocation] table says what may be asked of the network, without one nothing is; its
    /// services are the ones that `--service` names.
    #[arg(long, value_name = "FILE", env = "TAMGA_CONFIG")]
    config: Option<PathBuf>,
    /// Use what is at hand and fetch nothing, whatever the configuration allows.
    #[arg(long)]
    offline: bool,
    /// One report a line, JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn parse_time(text: &str) -> Result<Time, String> {
    text.parse().map_err(|_| "not a time such as 2026-11-22T02:00:00Z".to_owned())
}

fn parse_iin(text: &str) -> Result<Iin, String> {
    Iin::parse(text).ok_or_else(|| "an IIN is twelve digits".to_owned())
}

fn parse_bin(text: &str) -> Result<Bin, String> {
    Bin::parse(text).ok_or_else(|| "a BIN is twelve digits".to_owned())
}

pub(super) fn run(arguments: Arguments, environment: Environment) -> Result<Exit, Failure> {
    super::log_for_a_person();
    let Arguments {
        files,
        trust,
        intermediates,
        crl,
        ocsp,
        content,
        at,
        policy,
        iin,
        bin,
        service,
        config,
        offline,
        json,
    } = arguments;
    let config = match config {
        Some(path) => {
            let config = Config::load(Some(&path), environment)?;
            config.check()?;
            Some(config)
        }
        None => None,
    };
    let asking = match &config {
        Some(config) if !offline => revocation::asking(config, None)?,
        _ => None,
    };
    let service = service.map(|id| service_rules(&id, config.as_ref())).transpose()?;
    let certificate = |der: &[u8]| Certificate::parse(der).map_err(|error| error.to_string());
    let trust_anchors = material::load(&trust, certificate)?;
    let intermediates = material::load(&intermediates, certificate)?;
    let list = |der: &[u8]| match Crl::parse(der) {
        Ok(list) => Ok(Arc::new(list) as Arc<dyn RevocationList>),
        Err(error) => Err(error.to_string()),
    };
    let lists = material::load(&crl, list)?;
    let responses = material::load(&ocsp, |der| OcspResponse::parse(der).map_err(|error| error.to_string()))?;
    let content = content.map(|path| read(&path)).transpose()?;
    let policy = match policy {
        Some(given) => match given.to_str().and_then(Policy::built_in) {
            Some(built_in) => built_in,
            None => crate::config::read_policy(&given)?,
        },
        None => {
            let id = if iin.is_some() || bin.is_some() { "request" } else { "signature" };
            Policy::built_in(id).ok_or_else(|| Failure::fault(format!("there is no policy {id}")))?
        }
    };
    let present = now()?;
    let at = at.unwrap_or(present);
    let mut worst = Exit::Success;
    let facts = KnownSignatures::default();
    for path in files {
        let document = match read(&path) {
            Ok(document) => document,
            Err(failure) => {
                worst = worst.max(failure.say());
                continue;
            }
        };
        let inputs = VerificationInputs {
            report_id: &uuid::Uuid::now_v7().to_string(),
            at,
            received_at: None,
            document: &document,
            format: None,
            content: content.as_deref(),
            declared: DeclaredApplicant { iin, bin },
            service: service.as_ref(),
            policy: &policy,
            context: ValidationContext {
                trust_anchors: &trust_anchors,
                intermediates: &intermediates,
                lists: &lists,
                responses: &responses,
                now: Some(present),
                cache: Some(&facts),
                ..ValidationContext::default()
            },
        };
        let report = match &asking {
            Some(asking) => asking.verify(&inputs),
            None => verify(&inputs),
        };
        let text = if json {
            serde_json::to_string(&report).map_err(Failure::fault)? + "\n"
        } else {
            readable::report(&path.display().to_string(), &report)
        };
        print(&text)?;
        worst = worst.max(exit(&report));
    }
    Ok(worst)
}

fn service_rules(id: &str, config: Option<&Config>) -> Result<ServiceRules, Failure> {
    let catalogue = config.map_or_else(|| Ok(Catalogue::default()), Config::catalogue)?;
    match catalogue.service(id) {
        Some(service) => Ok(service.rules()),
        None => {
            let known: Vec<&str> = catalogue.services().iter().map(|service| service.id.as_str()).collect();
            Err(Failure::usage(format!("there is no service {id}; there are {}", known.join(", "))))
        }
    }
}

fn exit(report: &ValidationReport) -> Exit {
    match report.decision {
        Decision::Accepted => Exit::Success,
        Decision::Undetermined => Exit::Undetermined,
        Decision::Refused => Exit::Refused,
    }
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_READ).read_to_end(&mut bytes))
        .map_err(|error: io::Error| Failure::unreadable(path, &error))?;
    Ok(bytes)
}

pub(super) fn now() -> Result<Time, Failure> {
    let since =
        SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| Failure::fault("the clock stands before 1970"))?;
    i64::try_from(since.as_secs()).map(Time::from_unix).map_err(Failure::fault)
}
