//! Signatures beside `xmlsec1`: what one makes, the other verifies.

use tamga::demonstration::KeyKind;
use tamga::format::xml::Document;
use tamga::format::xmldsig::enveloped::Profile;
use tamga::report::{CheckId, Outcome};
use tamga::verify::ServiceRules;

use crate::generator::{self, Random};
use crate::support::{ENVELOPED, Peer, SIGNED_PROPERTIES, outcome, person, reference, report, sign, template};

#[test]
fn xmlsec1_verifies_what_is_signed_here() {
    let peer = Peer::new();
    for seed in 0..220 {
        let document = generator::document(seed);
        let kind = if seed % 2 == 0 { KeyKind::Rsa2048 } else { KeyKind::P256 };
        let profile = if seed % 3 == 0 { Profile::Plain } else { Profile::BaselineB };
        let signed = sign(&document, profile, &person(kind));
        let own = report(&signed, None);
        assert_eq!(outcome(&own), "holds", "seed {seed}\n{signed}");
        assert!(own.signatures[0].scope.as_ref().unwrap().whole_document);
        let ids: &[String] = if profile == Profile::Plain { &[] } else { &[SIGNED_PROPERTIES.to_owned()] };
        peer.verify(&signed, ids).unwrap_or_else(|e| panic!("seed {seed}: {e}\n{signed}"));
    }
}

const METHODS: [&str; 6] = [
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
    "http://www.w3.org/2006/12/xml-c14n11",
    "http://www.w3.org/2006/12/xml-c14n11#WithComments",
    "http://www.w3.org/2001/10/xml-exc-c14n#",
    "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
];

/// A canonicalization as SignedInfo or a transform names it, sometimes with a prefix list.
fn canonicalization(random: &mut Random, element: &str) -> String {
    let method = random.pick(&METHODS);
    let list = random.pick(&["p", "p q", "#default", "#default ns1 p", "xx"]);
    match method.contains("exc") && random.chance(50) {
        true => format!(
            "<ds:{element} Algorithm=\"{method}\"><ec:InclusiveNamespaces xmlns:ec=\"http://www.w3.org/2001/10/xml-exc-c14n#\" PrefixList=\"{list}\"/></ds:{element}>"
        ),
        false => format!("<ds:{element} Algorithm=\"{method}\"/>"),
    }
}

/// Whole documents and deep subsets by Id and by XPointer, all methods, digests and keys.
#[test]
fn what_xmlsec1_signs_verifies_here() {
    let peer = Peer::new();
    let (mut parts, mut wholes) = (0, 0);
    for seed in 1000..1330 {
        let mut random = Random::new(seed);
        let text = generator::document(seed);
        let document = Document::parse(text.as_bytes()).unwrap();
        let root = document.root();
        let Some(content) = root.content_range() else { continue };
        let named: Vec<_> = document.elements().filter(|e| *e != root && e.attribute("", "Id").is_some()).collect();
        let target = (!named.is_empty() && random.chance(65)).then(|| named[random.below(named.len())]);
        let (key, signature_method) = match random.below(4) {
            0 => ("rsa", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"),
            1 => ("rsa", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"),
            2 => ("ec", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"),
            _ => ("ec", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"),
        };
        let digest = random.pick(&[
            "http://www.w3.org/2001/04/xmlenc#sha256",
            "http://www.w3.org/2001/04/xmldsig-more#sha384",
            "http://www.w3.org/2001/04/xmlenc#sha512",
        ]);
        let chosen = if random.chance(80) { canonicalization(&mut random, "Transform") } else { String::new() };
        let (uri, transforms) = match target {
            None => (random.pick(&["", "", "#xpointer(/)"]).to_owned(), format!("{ENVELOPED}{chosen}")),
            Some(element) => {
                let id = element.attribute("", "Id").unwrap();
                (if random.chance(70) { format!("#{id}") } else { format!("#xpointer(id('{id}'))") }, chosen)
            }
        };
        let signature = template(
            &canonicalization(&mut random, "CanonicalizationMethod"),
            signature_method,
            &reference(&uri, &transforms, digest),
        );
        let mut with = text.clone();
        with.insert_str(content.end, &signature);
        let mut ids: Vec<String> = named
            .iter()
            .map(|e| format!("{}:{}", e.namespace(), e.local_name()))
            .map(|n| n.trim_start_matches(':').to_owned())
            .collect();
        ids.sort();
        ids.dedup();
        let signed = match peer.sign(&with, key, &ids) {
            Ok(signed) => signed,
            Err(e) => panic!("seed {seed}: xmlsec1 does not sign: {e}\n{with}"),
        };
        // The service names the part that is signed, so that coverage holds.
        let path = target.map(|element| {
            let mut steps: Vec<String> = std::iter::once(element)
                .chain(element.ancestors())
                .map(|e| format!("/Q{{{}}}{}", e.namespace(), e.local_name()))
                .collect();
            steps.reverse();
            steps.concat()
        });
        let rules = ServiceRules { xml_element: path, ..ServiceRules::default() };
        let own = report(&signed, Some(&rules));
        let found = outcome(&own);
        // A path without positions may name several elements, which is refused; the cryptography holds all the same.
        let crypto_holds = || {
            let passed = |check| own.signatures.first().is_some_and(|s| s.checks.outcome(check) == &Outcome::Passed);
            passed(CheckId::ContentDigest) && passed(CheckId::SignatureValue)
        };
        assert!(
            found == "holds" || found == "fc-ambiguous-reference" && crypto_holds(),
            "seed {seed}: {found} {uri}\n{signed}\n{:?}",
            own.signatures.first().map(|s| &s.checks)
        );
        if target.is_some() { parts += 1 } else { wholes += 1 }
    }
    assert!(parts > 80 && wholes > 80 && parts + wholes >= 200, "{parts} parts, {wholes} whole documents");
}
