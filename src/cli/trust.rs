//! `tamga trust list|add|check`.

use super::{Environment, Exit, Failure, Settings, log_for_a_person, outcome::print};
use crate::adapter::clock::SystemClock;
use crate::adapter::material;
use crate::app::revocation;
use crate::config::{self, Config};
use crate::crypto::PublicKey;
use crate::format::armour;
use crate::pki::Certificate;
use crate::pki::national::{self, PinnedAuthority};
use crate::pki::public_key::signature_algorithm;
use crate::port::Clock as _;
use crate::report::Time;
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Say which certificates are trusted.
    List(Settings),
    /// Trust certificates: one whose fingerprint was read to you, or those that a profile knows.
    #[command(group(ArgGroup::new("pinned by").required(true).args(["fingerprint", "profile"])))]
    Add {
        #[command(flatten)]
        settings: Settings,
        /// SHA-256 of the certificate, hexadecimal, from another channel than the file.
        #[arg(long, value_name = "SHA256")]
        fingerprint: Option<String>,
        /// A table of fingerprints that came with this software; a certificate that is not in it is refused.
        #[arg(long)]
        profile: Option<Profile>,
        /// The certificates, one a file, PEM or DER.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Say what is wrong with the certificates that are trusted.
    Check(Settings),
}

/// Whose certificates are known.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Profile {
    /// Roots and authorities of the Republic of Kazakhstan.
    Kz,
    /// The national test kit: certificates that anyone can have, for trials alone.
    KzTest,
}

impl Profile {
    fn table(self) -> &'static [PinnedAuthority] {
        match self {
            Profile::Kz => national::PRODUCTION,
            Profile::KzTest => national::TEST,
        }
    }
}

pub(super) fn run(arguments: Arguments, environment: Environment) -> Result<Exit, Failure> {
    log_for_a_person();
    match arguments.action {
        Action::List(settings) => list(&settings.load(environment)?),
        Action::Add { settings, fingerprint, profile, files } => {
            let config = settings.load(environment)?;
            let mut worst = Exit::Success;
            for file in &files {
                let added = match profile {
                    Some(profile) => add_known(&config, profile, file),
                    None => add(&config, fingerprint.as_deref().unwrap_or_default(), file),
                };
                worst = worst.max(added.unwrap_or_else(|failure| failure.say()));
            }
            Ok(worst)
        }
        Action::Check(settings) => check(&settings.load(environment)?),
    }
}

fn trusted(config: &Config) -> Result<Vec<Certificate>, Failure> {
    let mut paths = revocation::anchor_paths(config);
    // A service without a configured key is a demonstration and trusts its own root too.
    if config.environment == config::Environment::Demonstration && config.authority.key.is_none() {
        paths.extend(Some(config.data.0.join("demonstration").join("root.pem")).filter(|path| path.is_file()));
    }
    Ok(material::load(&paths, |der| Certificate::parse(der).map_err(|error| error.to_string()))?)
}

fn list(config: &Config) -> Result<Exit, Failure> {
    for certificate in trusted(config)? {
        print(&line(&certificate))?;
    }
    Ok(Exit::Success)
}

fn line(certificate: &Certificate) -> String {
    let (from, to) = (certificate.not_before(), certificate.not_after());
    format!("{}  {from} to {to}  {}\n", certificate.digest().to_hex(), certificate.subject())
}

fn read(file: &Path) -> Result<Certificate, Failure> {
    let octets = fs::read(file).map_err(|error| Failure::unreadable(file, &error))?;
    let unreadable = |reason: String| Failure::unreadable(file, &io::Error::other(reason));
    let der = armour::dearmour(&octets).map_err(|error| unreadable(error.to_string()))?;
    Certificate::parse(&der).map_err(|error| unreadable(error.to_string()))
}

fn add(config: &Config, fingerprint: &str, file: &Path) -> Result<Exit, Failure> {
    let certificate = read(file)?;
    // People write fingerprints in capitals and with colons or spaces.
    let digits = |text: &str| text.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_ascii_lowercase();
    let pinned = digits(fingerprint.trim_start_matches("sha-256:").trim_start_matches("sha256:"));
    let found = certificate.digest().to_hex();
    if pinned != found {
        print(&format!("refused: the fingerprint of {} is {found}\n", file.display()))?;
        return Ok(Exit::Refused);
    }
    keep(config, &certificate)
}

fn add_known(config: &Config, profile: Profile, file: &Path) -> Result<Exit, Failure> {
    let certificate = read(file)?;
    let Some(pinned) = national::find(profile.table(), &certificate) else {
        let found = certificate.digest().to_hex();
        print(&format!("refused: the profile does not know {}, whose fingerprint is {found}\n", file.display()))?;
        return Ok(Exit::Refused);
    };
    print(&format!("{}: ", pinned.name))?;
    keep(config, &certificate)
}

/// Puts a certificate into the trust folder, under its fingerprint.
fn keep(config: &Config, certificate: &Certificate) -> Result<Exit, Failure> {
    let folder = revocation::trust_folder(config);
    let path = folder.join(format!("{}.cer", certificate.digest().to_hex()));
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(path.with_extension("new"), certificate.raw()))
        .and_then(|()| fs::rename(path.with_extension("new"), &path))
        .map_err(|error| Failure::fault(format!("{}: {error}", path.display())))?;
    print(&line(certificate))?;
    Ok(Exit::Success)
}

fn check(config: &Config) -> Result<Exit, Failure> {
    let mut worst = Exit::Success;
    for certificate in trusted(config)? {
        let mut findings = findings(&certificate, SystemClock.now());
        findings.extend(misplaced(&revocation::trust_folder(config), &certificate));
        worst = worst.max(if findings.is_empty() { Exit::Success } else { Exit::Refused });
        let verdict = if findings.is_empty() { "good".to_owned() } else { findings.join("; ") };
        print(&format!("{}    {verdict}\n", line(&certificate)))?;
    }
    Ok(worst)
}

/// What speaks against trusting a certificate.
fn findings(certificate: &Certificate, now: Time) -> Vec<String> {
    let mut findings = Vec::new();
    if !certificate.is_valid_at(now) {
        findings.push("not valid now".to_owned());
    }
    if !certificate.basic_constraints().is_some_and(|constraints| constraints.ca) {
        findings.push("not the certificate of an authority".to_owned());
    }
    match PublicKey::from_spki(certificate.spki()) {
        Err(error) => findings.push(error.to_string()),
        // An anchor need not sign itself; one that claims to must do it.
        Ok(key) if certificate.is_self_issued() => {
            let verified = signature_algorithm(certificate.signature_algorithm())
                .map_err(|error| error.to_string())
                .and_then(|algorithm| {
                    key.verify(&algorithm, certificate.tbs(), certificate.signature())
                        .map_err(|error| error.to_string())
                });
            findings.extend(verified.err().map(|error| format!("its own signature: {error}")));
        }
        Ok(_) => {}
    }
    findings
}

/// A file of the trust folder whose name is not the fingerprint of what is in it was not put there by `trust add`.
fn misplaced(folder: &Path, certificate: &Certificate) -> Option<String> {
    let files = fs::read_dir(folder).ok()?.flatten().map(|file| file.path());
    let holding = files.filter(|path| fs::read(path).is_ok_and(|octets| octets == certificate.raw()));
    let expected = format!("{}.cer", certificate.digest().to_hex());
    let mut other = holding.filter(|path| path.file_name().is_none_or(|name| name != expected.as_str()));
    other.next().map(|path| format!("{} is not named by its fingerprint", path.display()))
}
