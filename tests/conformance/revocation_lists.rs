//! Every revocation list of the corpus parses, and reads as another parser reads it.

use crate::corpus;
use tamga::pki::crl::CrlParts;
use tamga::pki::{Crl, RevocationList};
use x509_parser::prelude::FromDer;

#[test]
fn corpus_lists_read_as_x509_parser_reads_them() {
    let mut count = 0;
    for part in ["pkits/crls", "kz/crl"] {
        let Some(folder) = corpus(part) else { return };
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let der = std::fs::read(&path).unwrap();
            let name = path.display();
            let ours = Crl::parse(&der).unwrap_or_else(|error| panic!("{name}: {error}"));
            let (_, theirs) = x509_parser::revocation_list::CertificateRevocationList::from_der(&der).unwrap();
            let scope = ours.scope();
            assert_eq!(scope.issuer().raw(), theirs.issuer().as_raw(), "{name}");
            assert_eq!(scope.this_update.unix(), theirs.last_update().timestamp(), "{name}");
            assert_eq!(scope.next_update.map(|t| t.unix()), theirs.next_update().map(|t| t.timestamp()), "{name}");
            let number = theirs.crl_number().map(|n| n.to_bytes_be());
            let own =
                scope.crl_number.map(|n| n.as_bytes().iter().copied().skip_while(|&b| b == 0).collect::<Vec<_>>());
            assert_eq!(own, number.map(|n| if n == [0] { vec![] } else { n }), "{name}");
            let parts = CrlParts::parse(&der).unwrap();
            let entries: Vec<_> = parts.entries().map(Result::unwrap).collect();
            assert_eq!(entries.len(), theirs.iter_revoked_certificates().count(), "{name}");
            assert_eq!(ours.len(), entries.len(), "{name}");
            for (own, their) in entries.iter().zip(theirs.iter_revoked_certificates()) {
                assert_eq!(own.serial_number, their.raw_serial(), "{name}");
                assert_eq!(own.revoked.revocation_date.unix(), their.revocation_date.timestamp(), "{name}");
                let reason = their.reason_code().map(|(_, code)| code.0);
                assert_eq!(own.revoked.reason.map(|r| r.code()), reason, "{name}");
                let issuer = own.certificate_issuer.unwrap_or(scope.issuer());
                assert!(ours.find(&issuer, own.serial_number).is_some(), "{name}");
            }
            assert_eq!(ours.find(&scope.issuer(), b"no such serial"), None);
            count += 1;
        }
    }
    assert!(count > 170, "{count}");
}
