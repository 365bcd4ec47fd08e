//! Demonstration material in the data folder: keys are made once, everything else follows from them.
//!
//! ```text
//! tamga-data/demonstration/
//!   made.txt                     when, so that the same certificates come out every time
//!   root.key authority.key seal.key applicant.key      PKCS #8, PEM, readable for the owner alone
//!   root.pem authority.pem seal.pem applicant.pem      certificates, each marked DEMONSTRATION
//!   root.crl authority.crl       revocation lists, made anew at every start
//! ```
//!
//! *Invariant:* every subject made here carries the mark; a folder that is there is used as it is, never half replaced.

use crate::{
    crypto::{PrivateKey, PrivateKeyError},
    demonstration::{CertificateTemplate, Credential, Holder, Key, KeyKind, RevokedEntry, Validity, World, pem},
    pki::{Certificate, Crl, RevocationList},
    report::Time,
};
use rustls::pki_types::pem::{PemObject as _, SectionKind};
use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Serial number of the applicant's certificate that the list names.
const REVOKED_SERIAL: &[u8] = b"DEMONSTRATION-1";
/// Serial number of the applicant's certificate that has expired.
const EXPIRED_SERIAL: &[u8] = b"DEMONSTRATION-2";
/// keyCompromise (RFC 5280 §5.3.1).
const KEY_COMPROMISE: u8 = 1;

/// There is no demonstration material.
#[derive(Debug, thiserror::Error)]
pub enum DemonstrationError {
    /// The folder cannot be read or written.
    #[error("{path}: {cause}")]
    Folder {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// A file in the folder is not what it was.
    #[error("{path} is damaged; remove the folder to have it made anew")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// A key could not be made or used.
    #[error(transparent)]
    Key(#[from] PrivateKeyError),
}

/// The demonstration's authorities, its seal and its applicants.
pub struct Demonstration {
    /// Root and authority.
    pub world: World,
    /// The issuing body's seal.
    pub seal: Credential,
    /// The time-stamping authority.
    pub timestamp_authority: Credential,
    /// An applicant whose certificate is good.
    pub applicant: Credential,
    /// The first head of a legal entity.
    pub first_head: Credential,
    /// The same person's certificate that was revoked.
    pub revoked: Credential,
    /// The same person's certificate that has expired.
    pub expired: Credential,
    /// The same person's certificate from an authority nobody trusts.
    pub stranger: Credential,
    folder: PathBuf,
}

impl Demonstration {
    /// The material of a data folder, made where there is none.
    ///
    /// # Errors
    /// [`DemonstrationError`].
    pub fn open_or_make(data: &Path, now: Time) -> Result<Demonstration, DemonstrationError> {
        let folder = data.join("demonstration");
        fs::create_dir_all(&folder).map_err(|cause| DemonstrationError::Folder { path: folder.clone(), cause })?;
        // The keys come first: a folder cut short in the making is completed, and `made.txt` comes last.
        let [root, authority, seal, timestamp, applicant] =
            ["root", "authority", "seal", "timestamp", "applicant"].map(|name| key(&folder, name));
        let made = made(&folder, now)?;
        let world = World::with_keys(made, root?, authority?)?;
        let (seal, timestamp, applicant) = (seal?, timestamp?, applicant?);
        let person = |template: &CertificateTemplate| world.authority.issue(template, Arc::clone(&applicant));
        let template = world.template(&Holder::person(), applicant.spki());
        let foreign =
            World::with_keys(made, Arc::new(Key::generate(KeyKind::P256)?), Arc::new(Key::generate(KeyKind::P256)?))?;
        let this = Demonstration {
            seal: world.authority.issue(&world.template(&Holder::issuing_body(), seal.spki()), seal)?,
            timestamp_authority: world.authority.issue(&world.timestamp_template(timestamp.spki()), timestamp)?,
            applicant: person(&template)?,
            first_head: person(&world.template(&Holder::first_head(), applicant.spki()))?,
            revoked: person(&CertificateTemplate { serial_number: REVOKED_SERIAL.to_vec(), ..template.clone() })?,
            expired: person(&CertificateTemplate {
                serial_number: EXPIRED_SERIAL.to_vec(),
                validity: Validity {
                    not_before: made.plus_seconds(-400 * Validity::DAY),
                    not_after: made.plus_seconds(-35 * Validity::DAY),
                },
                ..template.clone()
            })?,
            stranger: foreign.authority.issue(&template, Arc::clone(&applicant))?,
            world,
            folder,
        };
        this.write_certificates()?;
        Ok(this)
    }

    /// Lists of this moment, written beside the certificates: the applicant's revoked certificate is on them.
    ///
    /// # Errors
    /// [`DemonstrationError`].
    pub fn lists(&self, now: Time) -> Result<Vec<Arc<dyn RevocationList>>, DemonstrationError> {
        let number = u64::try_from(now.unix()).unwrap_or_default();
        let template = crate::demonstration::CrlTemplate::new(now.plus_seconds(-60), number);
        let revoked =
            RevokedEntry::new(REVOKED_SERIAL, self.world.at.plus_seconds(-Validity::DAY)).reason(KEY_COMPROMISE);
        let of_root = template.issue(&self.world.root)?;
        let of_authority = template.revoke(revoked).issue(&self.world.authority)?;
        let mut lists: Vec<Arc<dyn RevocationList>> = Vec::new();
        for (name, der) in [("root.crl", of_root), ("authority.crl", of_authority)] {
            let path = self.folder.join(name);
            write(&path, pem("X509 CRL", &der).as_bytes())?;
            lists.push(Arc::new(Crl::parse(&der).map_err(|_| DemonstrationError::Damaged { path })?));
        }
        Ok(lists)
    }

    /// Root, as a trust anchor.
    ///
    /// # Errors
    /// [`DemonstrationError::Damaged`].
    pub fn anchor(&self) -> Result<Certificate, DemonstrationError> {
        self.parsed(&self.world.root)
    }

    /// The authority below it.
    ///
    /// # Errors
    /// [`DemonstrationError::Damaged`].
    pub fn intermediate(&self) -> Result<Certificate, DemonstrationError> {
        self.parsed(&self.world.authority)
    }

    /// Where the files are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A credential's certificate, parsed.
    ///
    /// # Errors
    /// [`DemonstrationError::Damaged`].
    pub fn parsed(&self, credential: &Credential) -> Result<Certificate, DemonstrationError> {
        Certificate::parse(&credential.certificate)
            .map_err(|_| DemonstrationError::Damaged { path: self.folder.clone() })
    }

    fn write_certificates(&self) -> Result<(), DemonstrationError> {
        let certificates = [
            ("root.pem", &self.world.root),
            ("authority.pem", &self.world.authority),
            ("seal.pem", &self.seal),
            ("timestamp.pem", &self.timestamp_authority),
            ("applicant.pem", &self.applicant),
            ("applicant-revoked.pem", &self.revoked),
            ("applicant-expired.pem", &self.expired),
        ];
        for (name, credential) in certificates {
            write(&self.folder.join(name), pem("CERTIFICATE", &credential.certificate).as_bytes())?;
        }
        Ok(())
    }
}

/// A private key of its own out of a credential.
///
/// # Errors
/// [`PrivateKeyError`].
pub fn private_key(credential: &Credential) -> Result<PrivateKey, PrivateKeyError> {
    PrivateKey::from_pkcs8(credential.key.pkcs8())
}

fn key(folder: &Path, name: &str) -> Result<Arc<Key>, DemonstrationError> {
    let path = folder.join(format!("{name}.key"));
    match fs::read(&path) {
        Ok(text) => {
            let damaged = || DemonstrationError::Damaged { path: path.clone() };
            let (_, der) = <(SectionKind, Vec<u8>)>::from_pem_slice(&text).map_err(|_| damaged())?;
            Ok(Arc::new(Key::from_pkcs8(der).map_err(|_| damaged())?))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // RSA signs the same twice, so the certificates that follow from the keys are the same at every start.
            let key = Key::generate(KeyKind::Rsa2048)?;
            write(&path, pem("PRIVATE KEY", key.pkcs8()).as_bytes())?;
            Ok(Arc::new(key))
        }
        Err(cause) => Err(DemonstrationError::Folder { path, cause }),
    }
}

fn made(folder: &Path, now: Time) -> Result<Time, DemonstrationError> {
    let path = folder.join("made.txt");
    match fs::read_to_string(&path) {
        Ok(text) => text.lines().next().unwrap_or_default().parse().map_err(|_| DemonstrationError::Damaged { path }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            write(&path, format!("{now}\nDEMONSTRATION: these keys and certificates prove nothing.\n").as_bytes())?;
            Ok(now)
        }
        Err(cause) => Err(DemonstrationError::Folder { path, cause }),
    }
}

/// Writes a file for its owner alone, whole or not at all.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), DemonstrationError> {
    let failed = |cause| DemonstrationError::Folder { path: path.to_owned(), cause };
    let beside = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)?;
    fs::rename(&beside, path).map_err(failed)
}
