//! A small complete world: a root, an issuing authority, holders of the national profile, their lists.

use super::{CertificateTemplate, Credential, CrlTemplate, Key, KeyKind, MARK, NameTemplate, Validity, extension};
use crate::asn1::{Oid, oid};
use crate::crypto::PrivateKeyError;
use crate::pki::Role;
use crate::pki::extension::{KeyUsage, purpose};
use crate::pki::name::attribute;
use crate::report::Time;
use std::sync::Arc;

/// The general policy of the national authority, in every certificate since 2022.
const GENERAL_POLICY: Oid<'static> = oid!(1, 2, 398, 3, 3, 2);

/// For whom a certificate is issued, and so what it says (national profile, Order 522/НҚ).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A natural person, or an individual entrepreneur, who acts under the same number.
    NaturalPerson {
        /// IIN.
        iin: String,
    },
    /// Somebody who signs for a legal entity.
    Representative {
        /// IIN of the person.
        iin: String,
        /// BIN of the legal entity.
        bin: String,
        /// In what capacity.
        role: Role,
    },
    /// A digital system of a legal entity: no person stands behind it, and no IIN.
    DigitalSystem {
        /// BIN of the legal entity.
        bin: String,
        /// Identifier of the system, dotted.
        system_identifier: String,
    },
    /// The body that issues licences, for its seal alone.
    IssuingBody {
        /// BIN of the body.
        bin: String,
    },
}

impl Holder {
    /// An IIN that no person has, with a true check digit.
    pub const IIN: &'static str = "850412300125";
    /// A BIN that no legal entity has, with a true check digit.
    pub const BIN: &'static str = "180140012349";
    /// The BIN of the issuing body of demonstrations.
    pub const ISSUING_BODY_BIN: &'static str = "110240000019";

    /// The natural person of demonstrations.
    pub fn person() -> Holder {
        Holder::NaturalPerson { iin: Holder::IIN.into() }
    }

    /// The first head of the legal entity of demonstrations.
    pub fn first_head() -> Holder {
        Holder::Representative { iin: Holder::IIN.into(), bin: Holder::BIN.into(), role: Role::FirstHead }
    }

    /// The issuing body of demonstrations.
    pub fn issuing_body() -> Holder {
        Holder::IssuingBody { bin: Holder::ISSUING_BODY_BIN.into() }
    }

    /// The subject as the national profile writes it.
    pub fn subject(&self) -> NameTemplate {
        let person = |iin: &str| {
            NameTemplate::new()
                .with(attribute::COMMON_NAME, &format!("{MARK} ҮЛГІЛІ ӘСЕМ"))
                .with(attribute::SURNAME, "ҮЛГІЛІ")
                .with(attribute::SERIAL_NUMBER, &format!("IIN{iin}"))
                .with(attribute::COUNTRY, "KZ")
        };
        match self {
            Holder::NaturalPerson { iin } => person(iin).with(attribute::GIVEN_NAME, "ҚҰТТЫБЕКҚЫЗЫ"),
            Holder::Representative { iin, bin, .. } => person(iin)
                .with(attribute::ORGANIZATION, &format!("ТОО «{MARK}»"))
                .with(attribute::ORGANIZATIONAL_UNIT, &format!("BIN{bin}"))
                .with(attribute::GIVEN_NAME, "ҚҰТТЫБЕКҚЫЗЫ"),
            Holder::DigitalSystem { bin, system_identifier } => NameTemplate::new()
                .with(attribute::COMMON_NAME, &format!("ИС «{MARK}»"))
                .with(attribute::COUNTRY, "KZ")
                .with(attribute::ORGANIZATION, &format!("ТОО «{MARK}»"))
                .with(attribute::ORGANIZATIONAL_UNIT, &format!("BIN{bin}"))
                .with(attribute::USER_ID, system_identifier),
            Holder::IssuingBody { bin } => NameTemplate::new()
                .with(attribute::COMMON_NAME, &format!("{MARK} ЛИЦЕНЗИЯР МӨРІ"))
                .with(attribute::COUNTRY, "KZ")
                .with(attribute::ORGANIZATION, &format!("{MARK} ЛИЦЕНЗИЯР"))
                .with(attribute::ORGANIZATIONAL_UNIT, &format!("BIN{bin}")),
        }
    }

    /// What the key may be used for.
    pub fn purposes(&self) -> Vec<Oid<'static>> {
        match self {
            Holder::NaturalPerson { .. } => vec![purpose::EMAIL_PROTECTION, Role::NaturalPerson.oid()],
            Holder::Representative { role, .. } => {
                vec![purpose::EMAIL_PROTECTION, Role::LegalEntity.oid(), role.oid()]
            }
            Holder::DigitalSystem { .. } => {
                vec![purpose::EMAIL_PROTECTION, Role::LegalEntity.oid(), Role::LegalEntitySystem.oid()]
            }
            // A seal has a purpose of its own (RFC 9336); emailProtection besides, which other verifiers ask for by default.
            Holder::IssuingBody { .. } => {
                vec![
                    purpose::EMAIL_PROTECTION,
                    purpose::DOCUMENT_SIGNING,
                    Role::LegalEntity.oid(),
                    Role::LegalEntitySystem.oid(),
                ]
            }
        }
    }
}

/// A root, an authority below it, and a moment at which everything issued by default is valid.
#[derive(Clone)]
pub struct World {
    /// The moment.
    pub at: Time,
    /// The trust anchor.
    pub root: Credential,
    /// The authority that issues to holders.
    pub authority: Credential,
}

impl World {
    /// Where certificates say that the list of the authority is.
    pub const CRL_URI: &'static str = "http://crl.demonstration.invalid/authority.crl";
    /// Where certificates say that the delta list of the authority is.
    pub const DELTA_CRL_URI: &'static str = "http://crl.demonstration.invalid/authority-delta.crl";
    /// Where the authority's certificate says that the list of the root is.
    pub const ROOT_CRL_URI: &'static str = "http://crl.demonstration.invalid/root.crl";
    /// Where certificates say that the OCSP responder is.
    pub const OCSP_URI: &'static str = "http://ocsp.demonstration.invalid/";
    /// Where certificates say that the authority's certificate is.
    pub const CA_ISSUERS_URI: &'static str = "http://crl.demonstration.invalid/authority.cer";

    /// The world at a moment, over keys that the process keeps: for tests and benchmarks.
    ///
    /// # Errors
    /// As [`Key::generate`].
    pub fn new(at: Time, kind: KeyKind) -> Result<World, PrivateKeyError> {
        World::with_keys(at, Key::cached(kind, "root")?, Key::cached(kind, "authority")?)
    }

    /// The world at a moment over the given keys.
    ///
    /// # Errors
    /// As [`crate::crypto::PrivateKey::sign`].
    pub fn with_keys(at: Time, root_key: Arc<Key>, authority_key: Arc<Key>) -> Result<World, PrivateKeyError> {
        let name = |text: &str| {
            NameTemplate::new().with(attribute::COMMON_NAME, &format!("{MARK} {text}")).with(attribute::COUNTRY, "KZ")
        };
        let template = CertificateTemplate::authority(
            name("НЕГІЗГІ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ"),
            root_key.spki(),
            Validity::around(at, 1000, 3000),
            None,
        );
        let root = Credential::root(&template, root_key)?;
        let template = CertificateTemplate::authority(
            name("ҰЛТТЫҚ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ"),
            authority_key.spki(),
            Validity::around(at, 900, 2000),
            Some(0),
        )
        .with(extension::certificate_policies(&[GENERAL_POLICY]))
        .with(extension::crl_distribution_points(&[World::ROOT_CRL_URI]));
        let authority = root.issue(&template, authority_key)?;
        Ok(World { at, root, authority })
    }

    /// What the authority would issue to a holder: valid from a month before the moment to eleven months after it.
    pub fn template(&self, holder: &Holder, spki: &[u8]) -> CertificateTemplate {
        CertificateTemplate::new(holder.subject(), spki, Validity::around(self.at, 30, 335))
            .with(extension::key_usage(KeyUsage::DIGITAL_SIGNATURE | KeyUsage::NON_REPUDIATION))
            .with(extension::extended_key_usage(&holder.purposes()))
            .with(extension::certificate_policies(&[GENERAL_POLICY]))
            .with(extension::crl_distribution_points(&[World::CRL_URI]))
            .with(extension::freshest_crl(&[World::DELTA_CRL_URI]))
            .with(extension::authority_information_access(&[World::OCSP_URI], &[World::CA_ISSUERS_URI]))
    }

    /// A holder's credential under the authority, over a key that the process keeps.
    ///
    /// # Errors
    /// As [`Key::generate`].
    pub fn holder(&self, holder: &Holder, kind: KeyKind) -> Result<Credential, PrivateKeyError> {
        let key = Key::cached(kind, &format!("{holder:?}"))?;
        self.authority.issue(&self.template(holder, key.spki()), key)
    }

    /// What the authority would issue to a time-stamping authority: one purpose, critical (RFC 3161 §2.3), three years.
    pub fn timestamp_template(&self, spki: &[u8]) -> CertificateTemplate {
        let subject = NameTemplate::new()
            .with(attribute::COMMON_NAME, &format!("{MARK} TIME-STAMPING AUTHORITY"))
            .with(attribute::COUNTRY, "KZ");
        CertificateTemplate::new(subject, spki, Validity::around(self.at, 365, 730))
            .with(extension::key_usage(KeyUsage::DIGITAL_SIGNATURE | KeyUsage::NON_REPUDIATION))
            .with(extension::extended_key_usage(&[purpose::TIME_STAMPING]).critical())
            .with(extension::certificate_policies(&[GENERAL_POLICY]))
            .with(extension::crl_distribution_points(&[World::CRL_URI]))
            .with(extension::authority_information_access(&[World::OCSP_URI], &[World::CA_ISSUERS_URI]))
    }

    /// A time-stamping authority's credential, over a key that the process keeps.
    ///
    /// # Errors
    /// As [`Key::generate`].
    pub fn timestamp_authority(&self, kind: KeyKind) -> Result<Credential, PrivateKeyError> {
        let key = Key::cached(kind, "time-stamping authority")?;
        self.authority.issue(&self.timestamp_template(key.spki()), key)
    }

    /// Complete lists of the root and of the authority, nothing revoked, issued an hour before the moment.
    ///
    /// # Errors
    /// As [`crate::crypto::PrivateKey::sign`].
    pub fn crls(&self) -> Result<[Vec<u8>; 2], PrivateKeyError> {
        let template = self.crl();
        Ok([template.issue(&self.root)?, template.issue(&self.authority)?])
    }

    /// A complete list with nothing revoked, issued an hour before the moment.
    pub fn crl(&self) -> CrlTemplate {
        CrlTemplate::new(self.at.plus_seconds(-3600), 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asn1::Reader;
    use crate::crypto::{AlgorithmIdentifier, PublicKey, SignatureAlgorithm};
    use crate::demonstration::{CertificateStatus, OcspTemplate, RevokedEntry, SingleResponse, ocsp, pem};
    use crate::pki::{Bin, Certificate, Identity, Iin};
    use std::process::Command;

    fn moment() -> Time {
        "2026-11-22T02:00:00Z".parse().unwrap()
    }

    fn openssl(arguments: &[&str], directory: &std::path::Path) -> String {
        let output = Command::new("openssl").args(arguments).current_dir(directory).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {arguments:?}: {text}");
        text
    }

    #[test]
    fn numbers_of_demonstrations_have_true_check_digits() {
        assert!(Iin::parse(Holder::IIN).unwrap().check_digit_holds());
        assert!(Bin::parse(Holder::BIN).unwrap().check_digit_holds());
        assert!(Bin::parse(Holder::ISSUING_BODY_BIN).unwrap().check_digit_holds());
    }

    #[test]
    fn what_is_issued_is_read_back_in_the_national_profile() {
        let world = World::new(moment(), KeyKind::P256).unwrap();
        let signer = world.holder(&Holder::first_head(), KeyKind::P256).unwrap();
        let certificate = Certificate::parse(&signer.certificate).unwrap();
        let identity = Identity::of(&certificate);
        assert_eq!(identity.iin.one().unwrap().as_str(), Holder::IIN);
        assert_eq!(identity.bin.one().unwrap().as_str(), Holder::BIN);
        assert_eq!(identity.roles, [Role::LegalEntity, Role::FirstHead]);
        assert!(certificate.is_valid_at(moment()));
        assert_eq!(certificate.issuer(), Certificate::parse(&world.authority.certificate).unwrap().subject());
        let issuer = PublicKey::from_spki(world.authority.key.spki()).unwrap();
        let identifier = AlgorithmIdentifier::parse(&mut Reader::der(certificate.signature_algorithm())).unwrap();
        let algorithm = SignatureAlgorithm::from_identifier(&identifier).unwrap();
        assert_eq!(issuer.verify(&algorithm, certificate.tbs(), certificate.signature()), Ok(()));
        let again = world.holder(&Holder::first_head(), KeyKind::P256).unwrap();
        assert_eq!(Certificate::parse(&again.certificate).unwrap().tbs(), certificate.tbs(), "the same twice");
    }

    /// openssl builds the path over every kind of key, with both lists, and finds the revoked one revoked.
    #[test]
    fn openssl_takes_certificates_lists_and_responses_of_every_kind_of_key() {
        for kind in KeyKind::ALL {
            let folder = tempfile::tempdir().unwrap();
            let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
            let world = World::new(moment(), kind).unwrap();
            let signer = world.holder(&Holder::person(), kind).unwrap();
            let revoked_key = Key::cached(kind, "revoked").unwrap();
            let revoked =
                world.authority.issue(&world.template(&Holder::first_head(), revoked_key.spki()), revoked_key).unwrap();
            let entry = RevokedEntry::new(&revoked.serial_number, moment()).reason(1).invalidity_date(moment());
            let crl = world.crl().revoke(entry).issue(&world.authority).unwrap();
            let [root_crl, _] = world.crls().unwrap();
            write("root.pem", &pem("CERTIFICATE", &world.root.certificate));
            write("ca.pem", &pem("CERTIFICATE", &world.authority.certificate));
            write("good.pem", &pem("CERTIFICATE", &signer.certificate));
            write("revoked.pem", &pem("CERTIFICATE", &revoked.certificate));
            write("crls.pem", &(pem("X509 CRL", &crl) + &pem("X509 CRL", &root_crl)));
            write("key.pem", &pem("PRIVATE KEY", signer.key.pkcs8()));
            let at = moment().unix().to_string();
            #[rustfmt::skip]
            let verify = ["verify", "-x509_strict", "-attime", &at, "-CAfile", "root.pem", "-untrusted", "ca.pem",
                "-CRLfile", "crls.pem", "-crl_check_all", "-policy_check", "-purpose", "smimesign"];
            openssl(&[&verify[..], &["good.pem"]].concat(), folder.path());
            let refused =
                Command::new("openssl").args(verify).arg("revoked.pem").current_dir(folder.path()).output().unwrap();
            assert!(String::from_utf8_lossy(&refused.stderr).contains("certificate revoked"));
            openssl(&["pkey", "-in", "key.pem", "-noout", "-check"], folder.path());

            let answer = |credential: &Credential, status| {
                let id = ocsp::certificate_id(
                    crate::crypto::DigestAlgorithm::Sha1,
                    &world.authority,
                    &credential.serial_number,
                );
                SingleResponse::new(id, status, moment())
            };
            let response = OcspTemplate::new(
                moment(),
                vec![
                    answer(&signer, CertificateStatus::Good),
                    answer(&revoked, CertificateStatus::Revoked { at: moment(), reason: Some(1) }),
                ],
            )
            .nonce(b"12345678")
            .issue(&world.authority)
            .unwrap();
            std::fs::write(folder.path().join("ocsp.der"), &response).unwrap();
            #[rustfmt::skip]
            let text = openssl(&["ocsp", "-respin", "ocsp.der", "-issuer", "ca.pem", "-cert", "good.pem", "-cert",
                "revoked.pem", "-CAfile", "root.pem", "-verify_other", "ca.pem", "-no_nonce", "-attime", &at,
                "-validity_period", "2000000000"], folder.path());
            assert!(text.contains("Response verify OK") && text.contains("good.pem: good"), "{kind:?}: {text}");
            assert!(text.contains("revoked.pem: revoked"), "{kind:?}: {text}");
        }
    }
}
