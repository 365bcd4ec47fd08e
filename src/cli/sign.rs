//! `tamga sign`: the applicant's side, for trials and demonstrations.

use super::{Exit, Failure};
use crate::{
    adapter::material,
    format::key_store::{KeyStore, MAX_KEY_STORE_BYTES},
    pki::Certificate,
    report::Time,
    service::signing::{SigningOrder, sign_cms, sign_xml},
    stamp::Encapsulation,
};
use clap::{Args, ValueEnum};
use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// Container of the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Container {
    /// CMS, CAdES-B.
    Cms,
    /// XML, enveloped XAdES-B as NCALayer lays it out.
    Xml,
}

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The document.
    file: PathBuf,
    /// The key: PKCS #12, or PKCS #8 in PEM or DER, with the certificates beside it.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Certificates, where the key's file does not have them: the signer's, and those above it.
    #[arg(long, value_name = "FILE|DIR")]
    certificate: Vec<PathBuf>,
    /// The environment variable that holds the password of the key's file.
    #[arg(long, value_name = "VAR")]
    key_password_env: Option<String>,
    /// Container of the signature.
    #[arg(long, value_enum, default_value = "cms")]
    format: Container,
    /// Leave the document out of the signature.
    #[arg(long)]
    detached: bool,
    /// Claim this signing time (RFC 3339) instead of now.
    #[arg(long, value_name = "TIME", value_parser = super::verify::parse_time)]
    at: Option<Time>,
    /// Where the signature goes.
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
}

pub(super) fn run(arguments: Arguments, environment: &super::Environment) -> Result<Exit, Failure> {
    let Arguments { file, key, certificate, key_password_env, format, detached, at, output } = arguments;
    let password = key_password_env.map(|name| password(&name, environment)).transpose()?;
    let store = KeyStore::open(&read_key(&key)?, password.as_deref().map(String::as_str))
        .map_err(|error| Failure::unreadable(&key, &io::Error::other(error)))?;
    let mut given = material::load(&certificate, |der| Certificate::parse(der).map_err(|error| error.to_string()))?;
    let (private, own, others) = store.into_parts();
    let own = own.or_else(|| {
        let position = given.iter().position(|candidate| candidate.spki() == private.spki())?;
        Some(given.remove(position))
    });
    let own = own.ok_or_else(|| {
        Failure::usage(format!("{} has no certificate for its key; name one with --certificate", key.display()))
    })?;
    let content = super::verify::read(&file)?;
    let chain: Vec<Vec<u8>> = others.iter().chain(&given).map(|above| above.raw().to_vec()).collect();
    let order = SigningOrder {
        content: &content,
        encapsulation: if detached { Encapsulation::Detached } else { Encapsulation::Attached },
        certificate: &own,
        chain: &chain,
        at: at.map_or_else(super::verify::now, Ok)?,
    };
    let signed = match format {
        Container::Cms => sign_cms(&order, &private),
        Container::Xml => sign_xml(&order, &private),
    };
    let signed = signed.map_err(Failure::usage)?;
    for warning in &signed.warnings {
        let _ = writeln!(io::stderr(), "tamga: warning: {warning}");
    }
    fs::write(&output, &signed.document)
        .map_err(|error| Failure::fault(format!("cannot write {}: {error}", output.display())))?;
    Ok(Exit::Success)
}

fn password(name: &str, environment: &super::Environment) -> Result<zeroize::Zeroizing<String>, Failure> {
    let value = environment.iter().find(|(variable, _)| variable == name).map(|(_, value)| value);
    let value = value.ok_or_else(|| Failure::usage(format!("the environment has no variable {name}")))?;
    let text = value.to_str().ok_or_else(|| Failure::usage(format!("the variable {name} is not UTF-8")))?;
    Ok(zeroize::Zeroizing::new(text.to_owned()))
}

/// The file, up to one octet more than a key store may have.
fn read_key(path: &Path) -> Result<zeroize::Zeroizing<Vec<u8>>, Failure> {
    use std::io::Read as _;
    let mut bytes = zeroize::Zeroizing::new(Vec::new());
    let limit = u64::try_from(MAX_KEY_STORE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    fs::File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(|error| Failure::unreadable(path, &error))?;
    Ok(bytes)
}
