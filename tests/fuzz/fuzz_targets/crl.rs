//! Any octets: refused, or a list that finds every entry it has and gives its scope again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tamga::pki::crl::{CrlParts, CrlScope};
use tamga::pki::{Crl, RevocationList};

fuzz_target!(|data: &[u8]| {
    let Ok(list) = Crl::parse(data) else { return };
    let parts = CrlParts::parse(data).expect("the list parsed");
    let issuer = list.scope().issuer();
    for entry in parts.entries() {
        let entry = entry.expect("the list was walked");
        assert!(list.find(&entry.certificate_issuer.unwrap_or(issuer), entry.serial_number).is_some());
    }
    let again = CrlScope::from_skeleton(&parts.skeleton(), parts.scope.digest, false).expect("a skeleton is a list");
    assert_eq!(again.crl_number, list.scope().crl_number);
});
