//! The key of the checkpoints, and the log's name.

use super::tiles::{failed, make_folder, sync_folder};
use crate::crypto::PrivateKey;
use crate::port::LogError;
use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls::pki_types::pem::{PemObject as _, SectionKind};
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;
use zeroize::Zeroizing;

/// The key in a file: PKCS #8, PEM or DER.
///
/// # Errors
/// [`LogError::File`] where it cannot be read, [`LogError::Key`] where it is no key.
pub fn read_key(path: &Path) -> Result<PrivateKey, LogError> {
    let octets = Zeroizing::new(std::fs::read(path).map_err(|error| failed(path, &error))?);
    let der = match <(SectionKind, Vec<u8>)>::from_pem_slice(&octets) {
        Ok((SectionKind::PrivateKey, der)) => Zeroizing::new(der),
        _ => octets,
    };
    PrivateKey::from_pkcs8(&der).map_err(|_| LogError::Key)
}

/// The key of a log's folder, made at the first start and readable for its owner alone.
///
/// # Errors
/// As [`read_key`].
pub fn read_or_make_key(folder: &Path) -> Result<PrivateKey, LogError> {
    let path = folder.join("key.pem");
    if !path.exists() {
        make_folder(folder).map_err(|error| failed(folder, &error))?;
        let pair = Ed25519KeyPair::generate().map_err(|_| LogError::Key)?;
        let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| LogError::Key)?;
        let text = Zeroizing::new(pem(der.as_ref()));
        write_new(folder, &path, text.as_bytes()).map_err(|error| failed(&path, &error))?;
    }
    read_key(&path)
}

/// Two processes that start together end up with one key: the first file that is there stays.
fn write_new(folder: &Path, path: &Path, text: &[u8]) -> io::Result<()> {
    let beside = folder.join(format!("key.{}.new", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(text)?;
    file.sync_all()?;
    let linked = match std::fs::hard_link(&beside, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync_folder(folder),
    };
    std::fs::remove_file(&beside)?;
    linked
}

fn pem(der: &[u8]) -> String {
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der))
}
