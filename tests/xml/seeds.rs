//! Seeds for the fuzz targets: documents from the generator, plain and signed, and messages.

use std::path::PathBuf;

use tamga::demonstration::KeyKind;
use tamga::format::xmldsig::enveloped::Profile;

use crate::generator;
use crate::messages::{BODY, message};
use crate::support::{person, sign};

#[test]
#[ignore = "writes files: TAMGA_FUZZ_CORPUS=FOLDER cargo test --test xml seeds -- --ignored"]
fn write_seeds() {
    let folder = PathBuf::from(std::env::var_os("TAMGA_FUZZ_CORPUS").expect("TAMGA_FUZZ_CORPUS names a folder"));
    let write = |target: &str, name: &str, document: &str| {
        let folder = folder.join(target);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), document).unwrap();
    };
    let signers = [person(KeyKind::P256), person(KeyKind::Rsa2048)];
    for (seed, signer) in (0..100).zip(signers.iter().cycle()) {
        let document = generator::document(seed);
        for target in ["xml_parse", "xml_canonical", "xml_canonical_libxml2"] {
            write(target, &format!("generated-{seed}.xml"), &document);
        }
        let profile = if seed % 2 == 0 { Profile::Plain } else { Profile::BaselineB };
        let signed = sign(&document, profile, signer);
        for target in ["xml_signature", "xml_verify"] {
            write(target, &format!("signed-{seed}.xml"), &signed);
        }
    }
    let twice = sign(&sign("<form><a/></form>", Profile::Plain, &signers[0]), Profile::BaselineB, &signers[1]);
    for target in ["xml_signature", "xml_verify"] {
        write(target, "signed-twice.xml", &twice);
        write(target, "message.xml", &message(BODY, "2026-11-22T02:04:00Z", &["body", "ts"]));
    }
}
