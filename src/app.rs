//! The composition root: from a configuration to a service that can work.
//!
//! *Invariant:* with `environment = "production"` nothing that carries the demonstration's mark is used.

pub mod revocation;

use crate::{
    adapter::{
        clock::SystemClock,
        demonstration_folder::{self, Demonstration, DemonstrationError},
        evidence::FileEvidence,
        facts::Facts,
        fetch::Refresher,
        log::{FileLog, Publisher, read_key, read_or_make_key},
        material::{self, Unreadable},
        sealing::Sealing,
        soft_key::{SoftKey, SoftKeyError},
        sqlite::SqliteRegistry,
        timestamp::{GuardedClock, OwnAuthority, OwnAuthorityError},
    },
    asn1::{Oid, oid},
    config::{Config, ConfigError, Environment, read_policy},
    crypto::Digest,
    demonstration::MARK,
    licensing::Bilingual,
    pki::{Certificate, Crl, RevocationList},
    port::{
        Clock, Journal, KeySigner, LogError, Registry, RegistryError, TimestampAuthority,
        token::{Role, TokenRecord, TokenStore, TokenStoreError},
    },
    report::Time,
    service::{
        Authority, Proof, Service, ServiceError, Settings,
        access::{self, ID_LEN, SECRET_LEN},
        extension::Level,
        readiness::{Part, Readiness},
    },
};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use secrecy::{ExposeSecret as _, SecretString};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The policy of a demonstration's time-stamps: the national one for GOST 34.10-2015, which nobody takes for real under
/// a certificate that is marked.
const DEMONSTRATION_TSA_POLICY: Oid<'static> = oid!(1, 2, 398, 3, 3, 2, 6, 4);
/// How long tokens of a demonstration count, in seconds: a year.
const DEMONSTRATION_TOKEN_SECONDS: i64 = 365 * 86_400;

/// Why the service cannot be put together.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each variant is its message")]
pub enum AppError {
    #[error("{path}: {cause}")]
    Data { path: PathBuf, cause: io::Error },
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("registry: {0}")]
    Registry(#[from] RegistryError),
    #[error(transparent)]
    Tokens(#[from] TokenStoreError),
    #[error("demonstration: {0}")]
    Demonstration(#[from] DemonstrationError),
    #[error("authority.key: {0}")]
    Key(#[from] SoftKeyError),
    #[error("tsa.key: {0}")]
    Tsa(#[from] OwnAuthorityError),
    #[error("{what} is demonstration material, and the environment is production")]
    DemonstrationInProduction { what: &'static str },
    #[error("start-up: {0}")]
    Recovery(#[from] ServiceError),
    #[error("log: {0}")]
    Log(#[from] LogError),
    #[error("fetching: {0}")]
    Fetch(String),
    #[error("no randomness")]
    Randomness,
}

/// Everything a process needs.
pub struct App {
    /// The use cases.
    pub service: Arc<Service>,
    /// Where tokens are kept.
    pub tokens: Arc<SqliteRegistry>,
    /// What `/readyz` looks at.
    pub readiness: Arc<Health>,
    /// Keeps revocation lists fresh, for as long as it runs.
    pub refresher: Refresher,
    /// The transparency log over the journal.
    pub log: Arc<FileLog>,
    /// Publishes the log, where this is the service of the registry.
    pub publisher: Option<Publisher>,
    /// The material of a demonstration, where this is one.
    pub demonstration: Option<Demonstration>,
}

/// Whether verdicts may ask the network, as the configuration has it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Network {
    AsConfigured,
    Never,
}

impl App {
    /// Puts the service together as the only one on its registry, and settles what an earlier run left unfinished.
    ///
    /// # Errors
    /// [`AppError`]; [`RegistryError::Busy`] where another service runs on the registry.
    pub fn build(config: &Config) -> Result<App, AppError> {
        let mut app = App::put_together(config, Network::AsConfigured)?;
        // Two services on one registry would each void what the other is stamping.
        app.tokens.claim()?;
        // An older copy of the registry would give numbers out again that were used.
        app.log.recover()?;
        let recovery = app.service.recover()?;
        if !recovery.voided.is_empty() {
            tracing::warn!(count = recovery.voided.len(), "stampings cut short earlier are voided");
        }
        let interval = config.journal.checkpoint_interval.duration();
        let publisher = Publisher::start(Arc::clone(&app.service), interval);
        app.publisher = Some(publisher.map_err(|cause| AppError::Data { path: config.data.0.join("log"), cause })?);
        Ok(app)
    }

    /// Puts the service together beside one that may be running, to look and not to stamp; what is at hand decides.
    ///
    /// # Errors
    /// [`AppError`].
    pub fn assemble(config: &Config) -> Result<App, AppError> {
        App::put_together(config, Network::Never)
    }

    fn put_together(config: &Config, network: Network) -> Result<App, AppError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let registry = open_registry(config)?;
        let demonstration = match (config.environment, &config.authority.key) {
            (Environment::Demonstration, None) => Some(Demonstration::open_or_make(&config.data.0, clock.now())?),
            _ => None,
        };
        let signer = signer(config, demonstration.as_ref())?;
        let lists = revocation::open_store(config)?;
        let evidence =
            FileEvidence::new(config.data.0.join("evidence"), Arc::clone(&registry) as _, Arc::clone(&lists));
        let mut facts = facts(config, demonstration.as_ref(), &clock)?.with_store(Arc::clone(&lists));
        if network == Network::AsConfigured
            && let Some(asking) = revocation::asking(config, Some(Arc::clone(&lists)))?
        {
            facts = facts.with_network(asking);
        }
        let facts = Arc::new(facts);
        let refresher = revocation::refresher(config, lists, Arc::clone(&clock))?;
        if config.environment == Environment::Production {
            refuse_demonstration(&facts, &signer)?;
            refuse_demonstration_tokens(registry.as_ref(), clock.now())?;
        }
        let marked = demonstration.is_some() || is_marked(signer.certificate());
        let log = Arc::new(open_log(config, Arc::clone(&registry) as _)?);
        let service = Arc::new(Service {
            clock: Arc::clone(&clock),
            registry: Arc::clone(&registry) as Arc<dyn Registry>,
            verification: Arc::clone(&facts) as _,
            stamping: Arc::new(Sealing::default()),
            signer: Some(Arc::clone(&signer) as _),
            log: Some(Arc::clone(&log) as _),
            evidence: Some(Arc::new(evidence)),
            proof: proof(config, demonstration.as_ref(), &clock, &facts)?,
            settings: Settings {
                catalogue: config.catalogue()?,
                licence_numbers: config.numbers.licence.clone(),
                request_numbers: config.numbers.request.clone(),
                authority: config.issuer.clone().unwrap_or_else(demonstration_issuer),
                demonstration: marked.then(|| MARK.to_owned()),
            },
        });
        let readiness = Arc::new(Health { clock, registry: Arc::clone(&registry), facts, signer });
        Ok(App { service, tokens: registry, readiness, refresher, log, publisher: None, demonstration })
    }

    /// One token for each role, for a demonstration: the ones written in its folder, made where they are missing or do
    /// not count any more.
    ///
    /// # Errors
    /// [`AppError`].
    pub fn demonstration_tokens(&self, demonstration: &Demonstration) -> Result<Vec<(Role, SecretString)>, AppError> {
        let path = demonstration.folder().join("tokens.txt");
        let now = self.service.clock.now();
        let written = fs::read_to_string(&path).unwrap_or_default();
        let known: Vec<(Role, SecretString)> = written
            .lines()
            .filter_map(|line| {
                let (role, token) = line.split_once(' ')?;
                let record = access::authenticate(self.tokens.as_ref(), token, now).ok()?;
                (record.role.as_str() == role).then(|| (record.role, SecretString::from(token.to_owned())))
            })
            .collect();
        if Role::ALL.iter().all(|role| known.iter().any(|(found, _)| found == role)) {
            return Ok(known);
        }
        let mut made = Vec::new();
        let mut text = format!("# {MARK}: tokens of the HTTP service, one for each role\n");
        for role in Role::ALL {
            let expires = now.plus_seconds(DEMONSTRATION_TOKEN_SECONDS);
            let token = new_token(self.tokens.as_ref(), MARK, *role, now, expires)?;
            text.push_str(&format!("{role} {}\n", token.expose_secret()));
            made.push((*role, token));
        }
        demonstration_folder::write(&path, text.as_bytes())?;
        Ok(made)
    }
}

/// Whether a service could be put together with a configuration: its keys, certificates, lists and policies are read, and
/// nothing is written. A demonstration makes what it needs.
///
/// # Errors
/// [`AppError`].
pub fn check(config: &Config) -> Result<(), AppError> {
    if config.environment == Environment::Demonstration && config.authority.key.is_none() {
        return Ok(());
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (signer, facts) = (signer(config, None)?, facts(config, None, &clock)?);
    if config.environment == Environment::Production {
        refuse_demonstration(&facts, &signer)?;
    }
    Ok(())
}

/// The registry in the data folder, which is made where it is missing.
///
/// # Errors
/// [`AppError`].
pub fn open_registry(config: &Config) -> Result<Arc<SqliteRegistry>, AppError> {
    let data = &config.data.0;
    make_private_folder(data).map_err(|cause| AppError::Data { path: data.clone(), cause })?;
    Ok(Arc::new(SqliteRegistry::open(&data.join("tamga.db"))?))
}

/// The transparency log in the data folder: its key is the configured one, or one made at the first start.
fn open_log(config: &Config, journal: Arc<dyn Journal>) -> Result<FileLog, AppError> {
    let folder = config.data.0.join("log");
    let key = match &config.journal.key {
        Some(path) => read_key(path)?,
        None => read_or_make_key(&folder)?,
    };
    let named = config.journal.origin.clone().unwrap_or_else(|| {
        let digest = Digest::sha256(key.spki()).to_hex();
        let key = digest.get(..16).unwrap_or_default();
        match config.environment {
            Environment::Demonstration => format!("{MARK}.invalid/tamga/{key}"),
            Environment::Production => format!("tamga.invalid/{key}"),
        }
    });
    if config.environment == Environment::Production && named.contains(MARK) {
        return Err(AppError::DemonstrationInProduction { what: "journal.origin" });
    }
    Ok(FileLog::open(&folder, journal, key, &named)?)
}

/// Makes a token, keeps its digest, and hands it out once.
///
/// # Errors
/// [`AppError`].
pub fn new_token(
    store: &dyn TokenStore,
    holder: &str,
    role: Role,
    created: Time,
    expires: Time,
) -> Result<SecretString, AppError> {
    let mut randomness = [0; ID_LEN + SECRET_LEN];
    SystemRandom::new().fill(&mut randomness).map_err(|_| AppError::Randomness)?;
    let (token, record) = access::issue(&randomness, holder, role, created, expires);
    store.insert(&record)?;
    Ok(token)
}

fn make_private_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn signer(config: &Config, demonstration: Option<&Demonstration>) -> Result<Arc<SoftKey>, AppError> {
    if let Some(demonstration) = demonstration {
        let seal = &demonstration.seal;
        let key = demonstration_folder::private_key(seal).map_err(DemonstrationError::from)?;
        let chain = vec![demonstration.world.authority.certificate.clone()];
        return Ok(Arc::new(SoftKey::new(key, demonstration.parsed(seal)?, chain)?));
    }
    let Some(path) = &config.authority.key else {
        return Err(ConfigError::Contradiction("authority.key is missing".into()).into());
    };
    open_key(path, config.authority.certificate.as_deref(), config.authority_password()?.as_ref())
}

fn open_key(
    path: &Path,
    certificate: Option<&Path>,
    password: Option<&SecretString>,
) -> Result<Arc<SoftKey>, AppError> {
    let file = fs::read(path).map_err(|cause| AppError::Data { path: path.to_owned(), cause })?;
    let beside: Vec<PathBuf> = certificate.map(Path::to_owned).into_iter().collect();
    let beside = material::load(&beside, parse_certificate)?;
    let password = password.map(|password| password.expose_secret());
    Ok(Arc::new(SoftKey::open(&file, password, beside)?))
}

fn facts(config: &Config, demonstration: Option<&Demonstration>, clock: &Arc<dyn Clock>) -> Result<Facts, AppError> {
    let mut anchors = material::load(&revocation::anchor_paths(config), parse_certificate)?;
    let mut intermediates = material::load(&config.trust.intermediates, parse_certificate)?;
    let mut lists = material::load(&config.trust.crls, |der| {
        Crl::parse(der).map(|list| Arc::new(list) as Arc<dyn RevocationList>).map_err(|error| error.to_string())
    })?;
    let policies = config.policies.iter().map(|path| read_policy(path)).collect::<Result<Vec<_>, _>>()?;
    if let Some(demonstration) = demonstration {
        anchors.push(demonstration.anchor()?);
        intermediates.push(demonstration.intermediate()?);
        lists.extend(demonstration.lists(clock.now())?);
    }
    let facts = Facts::new(Arc::clone(clock), anchors, intermediates, policies);
    facts.replace_lists(lists);
    Ok(facts)
}

/// What makes proof last: the authorities that are asked, our own, and the evidence at hand.
fn proof(
    config: &Config,
    demonstration: Option<&Demonstration>,
    clock: &Arc<dyn Clock>,
    facts: &Arc<Facts>,
) -> Result<Proof, AppError> {
    let own = own_authority(config, demonstration, clock)?;
    let settings = &config.timestamps;
    let authority: Option<Arc<dyn TimestampAuthority>> = if settings.urls.is_empty() {
        own.clone().map(|own| own as _)
    } else {
        Some(Arc::new(revocation::timestamp_client(config)))
    };
    if settings.level != Level::B && authority.is_none() {
        let detail = "timestamps.level needs timestamps.urls, or our own authority (tsa.enabled, --with-tsa)";
        return Err(ConfigError::Contradiction(detail.into()).into());
    }
    Ok(Proof {
        level: settings.level,
        authority,
        responder: own.map(|own| own as _),
        evidence: Some(Arc::clone(facts) as _),
    })
}

fn own_authority(
    config: &Config,
    demonstration: Option<&Demonstration>,
    clock: &Arc<dyn Clock>,
) -> Result<Option<Arc<OwnAuthority>>, AppError> {
    let tsa = &config.tsa;
    if !tsa.enabled {
        return Ok(None);
    }
    let signer = match (&tsa.key, demonstration) {
        (Some(path), _) => {
            let password = config.tsa_password()?;
            let signer = open_key(path, tsa.certificate.as_deref(), password.as_ref())?;
            if config.environment == Environment::Production && is_marked(signer.certificate()) {
                return Err(AppError::DemonstrationInProduction { what: "tsa.key" });
            }
            signer
        }
        (None, Some(demonstration)) => {
            let authority = &demonstration.timestamp_authority;
            let key = demonstration_folder::private_key(authority).map_err(DemonstrationError::from)?;
            let chain = vec![demonstration.world.authority.certificate.clone()];
            Arc::new(SoftKey::new(key, demonstration.parsed(authority)?, chain)?)
        }
        (None, None) => return Err(ConfigError::Contradiction("tsa.enabled needs tsa.key".into()).into()),
    };
    let policy = tsa.policy.clone().unwrap_or_else(|| DEMONSTRATION_TSA_POLICY.into());
    let guard = GuardedClock::new(Arc::clone(clock));
    let serials = config.data.0.join("tsa-serial.json");
    let own = OwnAuthority::new(signer, guard, policy, config.timestamps.digest.into(), &serials)?;
    Ok(Some(Arc::new(own)))
}

fn parse_certificate(der: &[u8]) -> Result<Certificate, String> {
    Certificate::parse(der).map_err(|error| error.to_string())
}

fn is_marked(certificate: &[u8]) -> bool {
    Certificate::parse(certificate).is_ok_and(|certificate| certificate.subject().to_string().contains(MARK))
}

fn refuse_demonstration(facts: &Facts, signer: &SoftKey) -> Result<(), AppError> {
    if is_marked(signer.certificate()) {
        return Err(AppError::DemonstrationInProduction { what: "authority.key" });
    }
    if facts.anchors().iter().any(|anchor| is_marked(anchor.raw())) {
        return Err(AppError::DemonstrationInProduction { what: "a trust anchor" });
    }
    Ok(())
}

/// A demonstration writes its tokens in a file beside its data: on the same data they would open a production service.
fn refuse_demonstration_tokens(tokens: &dyn TokenStore, now: Time) -> Result<(), AppError> {
    let counts = |token: &TokenRecord| token.holder == MARK && token.revoked.is_none() && now < token.expires;
    if tokens.list()?.iter().any(counts) {
        return Err(AppError::DemonstrationInProduction { what: "a token of the registry" });
    }
    Ok(())
}

fn demonstration_issuer() -> Authority {
    Authority {
        body: Bilingual::new(format!("{MARK} Агенттік"), format!("{MARK} Агентство")),
        head: format!("{MARK} Үлгілі А."),
        city: Bilingual::new("Астана", "Астана"),
    }
}

/// Looks at what the service needs.
pub struct Health {
    clock: Arc<dyn Clock>,
    registry: Arc<SqliteRegistry>,
    facts: Arc<Facts>,
    signer: Arc<SoftKey>,
}

impl Readiness for Health {
    fn parts(&self) -> Vec<Part> {
        let now = self.clock.now();
        let store = self.registry.check_writable().map(|()| "writable".to_owned()).map_err(|error| error.to_string());
        vec![
            Part { name: "signer", state: self.signer_state(now) },
            Part { name: "store", state: store },
            Part { name: "trust", state: self.trust_state(now) },
            Part { name: "revocation", state: self.revocation_state(now) },
        ]
    }
}

impl Health {
    fn signer_state(&self, now: Time) -> Result<String, String> {
        let certificate = parse_certificate(self.signer.certificate())?;
        let (from, to) = (certificate.not_before(), certificate.not_after());
        if certificate.is_valid_at(now) {
            Ok(format!("certificate valid until {to}"))
        } else {
            Err(format!("certificate valid from {from} to {to}"))
        }
    }

    fn trust_state(&self, now: Time) -> Result<String, String> {
        let anchors = self.facts.anchors();
        match anchors.iter().filter(|anchor| anchor.is_valid_at(now)).count() {
            0 => Err("no trust anchor is valid".to_owned()),
            valid => Ok(format!("{valid} of {} trust anchors valid", anchors.len())),
        }
    }

    fn revocation_state(&self, now: Time) -> Result<String, String> {
        match self.facts.current_lists(now) {
            (0, all) => Err(format!("none of {all} revocation lists is current")),
            (current, all) => Ok(format!("{current} of {all} revocation lists current")),
        }
    }
}
