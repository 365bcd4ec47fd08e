//! Certificates of the Republic of Kazakhstan's authorities, by fingerprint.
//!
//! Two of the roots share a name, several authorities share a key with an older certificate of theirs, and anyone can
//! write a certificate that looks like one of them: what an authority's certificate is can only be told by its octets.
//!
//! *Invariant:* a digest stands in one table alone; certificates of test authorities are never among those of
//! production.

use super::Certificate;

/// A certificate that is known by the SHA-256 of its DER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PinnedAuthority {
    /// What it is, for a person.
    pub name: &'static str,
    /// SHA-256 of the DER, hexadecimal in lower case.
    pub sha256: &'static str,
}

/// The roots (НЕГІЗГІ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ) and the authorities below them. Those that have expired are needed for
/// signatures of their time.
pub const PRODUCTION: &[PinnedAuthority] = &[
    PinnedAuthority {
        name: "root of 2022, GOST 34.10-2015",
        sha256: "af77725f8328bb24f89d81da3acdf7cee4324248538b7ba2cd2a860517fb9dca",
    },
    PinnedAuthority {
        name: "national authority of 2022, GOST 34.10-2015",
        sha256: "32c7d233a42703a327f3025543a05b930e3f39a786c68dfa196baa86d5618524",
    },
    PinnedAuthority {
        name: "root of 2020, RSA",
        sha256: "9ba06354b626641715182e4d07c9dbaa1777720fa795d03174ffc68876535dcd",
    },
    PinnedAuthority {
        name: "national authority of 2022, RSA",
        sha256: "84fb799a66140950818c056a5d9730acc2a7622cdd4ef0d47113b132fb892905",
    },
    PinnedAuthority {
        name: "root of 2020, GOST 34.310-2004",
        sha256: "c48164ab5ccaaee6b938299a1e3aeebd6f698bb2bd716a0f0d85befc46166aa2",
    },
    PinnedAuthority {
        name: "root of 2015, GOST 34.310-2004",
        sha256: "9ab210e54e6b0343321131202d9edcc2598f598cfdd9ee4ec1056021ab2e9759",
    },
    PinnedAuthority {
        name: "root of 2015, RSA",
        sha256: "a7064abc5699827f370c67b09f1a1bfd7ad5e1514d471223df209c08300ea972",
    },
    PinnedAuthority {
        name: "national authority of 2018, GOST 34.310-2004",
        sha256: "908521d0531e5645e64b34d3588374a3a83582c860e5f7293a04c41217e8cc18",
    },
    PinnedAuthority {
        name: "national authority of 2018, RSA",
        sha256: "34d1b311a9873191ae3382805df51e0a5da23315c512a8deeb885668ceeb5834",
    },
    PinnedAuthority { name: "BTS Digital", sha256: "74bb80edf34f4594e5e69b79029c64214e67630e3d16b82f952ab6e5956c5fa8" },
    PinnedAuthority {
        name: "authority of state bodies",
        sha256: "eb5a5318299db447a46619d2a541f026b52c1fce8a1d371262da8f6f2d7bb6f5",
    },
];

/// The authorities of the national test kit, which give certificates to anyone.
pub const TEST: &[PinnedAuthority] = &[
    PinnedAuthority {
        name: "test root of 2022",
        sha256: "b995e79e7c07429f8f79e185451e5599ce342ac720000f01b3854fdfa03031a6",
    },
    PinnedAuthority {
        name: "test authority of 2022",
        sha256: "beeffc0bdb77cd798c35983eb0715f6ef0051cccb71d7cd05505e8a4fb2c6f4d",
    },
    PinnedAuthority {
        name: "test authority of 2019, GOST 34.310-2004",
        sha256: "0307e8bdf77cb708b7c9d9a5799facdc6de7154447cb394af9ac9b528c3d82c7",
    },
    PinnedAuthority {
        name: "test authority of 2019, RSA",
        sha256: "7e96a36409dc11e0fc99efae41f8c639e16a495d77c2f2278edb98580f997231",
    },
];

/// The row of a table that a certificate is.
pub fn find(table: &'static [PinnedAuthority], certificate: &Certificate) -> Option<&'static PinnedAuthority> {
    let digest = certificate.digest().to_hex();
    table.iter().find(|pinned| pinned.sha256 == digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_digest_is_whole_and_stands_once() {
        let all: Vec<&str> = PRODUCTION.iter().chain(TEST).map(|pinned| pinned.sha256).collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        let digits = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        assert!(all.iter().all(|digest| digest.len() == 64 && digits(digest)));
    }
}
