//! Which addresses the service may speak to.
//!
//! An applicant's certificate carries URLs. Whoever follows them from inside a government network must not become the
//! applicant's hand there (attack 36).
//!
//! *Invariant:* an address that is not one of the public internet is refused unless the operator allows it, in whatever
//! disguise it comes: IPv4 mapped into IPv6, NAT64, 6to4, Teredo.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether addresses that are not of the public internet may be spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PrivateAddresses {
    /// Never.
    #[default]
    Refuse,
    /// They may: a mirror inside the house, tests on loopback.
    Allow,
}

impl PrivateAddresses {
    /// Whether an address may be spoken to.
    pub fn permits(self, address: IpAddr) -> bool {
        self == PrivateAddresses::Allow || is_public(address)
    }
}

/// IANA IPv4 Special-Purpose Address Registry (RFC 6890), multicast and class E: network and prefix length.
const SPECIAL_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

/// Global unicast (RFC 4291 §2.4): outside of it nothing is public.
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Inside of it: protocol assignments with Teredo, documentation, 6to4 (which carries an IPv4 address).
const SPECIAL_V6: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// NAT64 (RFC 6052 §2.1): the last 32 bits are the IPv4 address that is meant.
const NAT64: (Ipv6Addr, u32) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_public_v4(v4),
            None if within_v6(v6, NAT64) => {
                let [.., a, b, c, d] = v6.octets();
                is_public_v4(Ipv4Addr::new(a, b, c, d))
            }
            None => within_v6(v6, GLOBAL_V6) && !SPECIAL_V6.iter().any(|&network| within_v6(v6, network)),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !SPECIAL_V4.iter().any(|&(network, prefix)| (address.to_bits() ^ network.to_bits()) >> (32 - prefix) == 0)
}

fn within_v6(address: Ipv6Addr, (network, prefix): (Ipv6Addr, u32)) -> bool {
    (address.to_bits() ^ network.to_bits()) >> (128 - prefix) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inside_a_house_is_not_public_in_any_disguise() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.31.255.255",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.0.8",
            "198.19.0.1",
            "::1",
            "::",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "64:ff9b::7f00:1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2001:0:1::",
            "2001:db8::1",
            "fec0::1",
            "100::1",
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert!(!PrivateAddresses::Refuse.permits(address), "{address}");
            assert!(PrivateAddresses::Allow.permits(address), "{address}");
        }
    }

    #[test]
    fn what_is_public_is_public() {
        for address in ["1.1.1.1", "172.32.0.1", "100.128.0.1", "195.12.113.1", "2a00:1450::1", "64:ff9b::101:101"] {
            assert!(PrivateAddresses::Refuse.permits(address.parse().unwrap()), "{address}");
        }
    }
}
