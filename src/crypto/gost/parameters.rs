//! The named curves (RFC 7836 appendix A, RFC 4357 §11.4); explicit parameters are never read from a message.
//!
//! *Invariant:* a curve is one of this list, and each has been checked: the generator is on it and has the order.

use std::sync::OnceLock;

use super::curve::{Affine, CoefficientA, Curve};
use super::field::{Montgomery, PseudoMersenne, montgomery_modulus};
use super::fixed_base::Tables;
use super::limbs::hex;

macro_rules! curve {
    (
        $(#[$documentation:meta])* $name:ident, $words:literal, field $base:ty, order $scalar:ty, bits $bits:literal,
        cofactor $cofactor:literal, a $a:expr, b $b:literal, generator ($x:literal, $y:literal $(,)?) $(,)?
    ) => {
        $(#[$documentation])*
        #[derive(Clone, Copy, Debug)]
        pub(in crate::crypto::gost) struct $name;

        impl Curve for $name {
            type Limbs = [u64; $words];
            type Base = $base;
            type Scalar = Montgomery<$scalar>;
            const A: CoefficientA<Self::Limbs> = $a;
            const B: Self::Limbs = hex($b);
            const GENERATOR: (Self::Limbs, Self::Limbs) = (hex($x), hex($y));
            const COFACTOR: u32 = $cofactor;
            const ORDER_BITS: usize = $bits;

            fn tables() -> &'static Tables<Self> {
                static TABLES: OnceLock<Tables<$name>> = OnceLock::new();
                TABLES.get_or_init(|| Tables::new(Affine::generator()))
            }
        }
    };
}

montgomery_modulus!(
    /// Order of [`Tc26A512`].
    Tc26A512Order, 8,
    "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF27E69532F48D89116FF22B8D4E0560609B4B38ABFAD2B85DCACDB1411F10B275"
);

curve!(
    /// id-tc26-gost-3410-2012-512-paramSetA (1.2.643.7.1.2.1.2.1); in Kazakhstan 1.2.398.3.10.1.1.2.2.1.
    Tc26A512, 8, field PseudoMersenne<[u64; 8], 569>, order Tc26A512Order, bits 512, cofactor 1,
    a CoefficientA::MinusThree,
    b "E8C2505DEDFC86DDC1BD0B2B6667F1DA34B82574761CB0E879BD081CFD0B6265EE3CB090F30D27614CB4574010DA90DD862EF9D4EBEE4761503190785A71C760",
    generator (
        "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000003",
        "7503CFE87A836AE3A61B8816E25450E6CE5E1C93ACF1ABC1778064FDCBEFA921DF1626BE4FD036E93D75E6A50E3A41E98028FE5FC235F5B889A589CB5215F2A4",
    ),
);

montgomery_modulus!(
    /// Order of the subgroup of [`Tc26A256`].
    Tc26A256Order, 4,
    "400000000000000000000000000000000FD8CDDFC87B6635C115AF556C360C67"
);

curve!(
    /// id-tc26-gost-3410-2012-256-paramSetA (1.2.643.7.1.2.1.1.1); in Kazakhstan 1.2.398.3.10.1.1.2.1.1.
    Tc26A256, 4, field PseudoMersenne<[u64; 4], 617>, order Tc26A256Order, bits 255, cofactor 4,
    a CoefficientA::Other(hex("C2173F1513981673AF4892C23035A27CE25E2013BF95AA33B22C656F277E7335")),
    b "295F9BAE7428ED9CCC20E7C359A9D41A22FCCD9108E17BF7BA9337A6F8AE9513",
    generator (
        "91E38443A5E82C0D880923425712B2BB658B9196932E02C78B2582FE742DAA28",
        "32879423AB1A0375895786C4BB46E9565FDE0B5344766740AF268ADB32322E5C",
    ),
);

montgomery_modulus!(
    /// Order of [`CryptoProA`].
    CryptoProAOrder, 4,
    "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF6C611070995AD10045841B09B761B893"
);

curve!(
    /// id-GostR3410-2001-CryptoPro-A-ParamSet (1.2.643.2.2.35.1), also id-tc26-gost-3410-2012-256-paramSetB; in
    /// Kazakhstan 1.2.398.3.10.1.1.1.1.1 for GOST 34.310-2004.
    CryptoProA, 4, field PseudoMersenne<[u64; 4], 617>, order CryptoProAOrder, bits 256, cofactor 1,
    a CoefficientA::MinusThree,
    b "00000000000000000000000000000000000000000000000000000000000000A6",
    generator (
        "0000000000000000000000000000000000000000000000000000000000000001",
        "8D91E471E0989CDA27DF505A453F2B7635294F2DDF23E3B122ACC99C9E9F1E14",
    ),
);

#[cfg(test)]
pub(super) use examples::{StandardExample256, StandardExample512};

/// The curves of the examples in the standard (RFC 7091 §7), whose primes have no shape: for tests alone.
#[cfg(test)]
mod examples {
    use super::*;

    montgomery_modulus!(Example256Prime, 4, "8000000000000000000000000000000000000000000000000000000000000431");
    montgomery_modulus!(Example256Order, 4, "8000000000000000000000000000000150FE8A1892976154C59CFC193ACCF5B3");
    curve!(
        StandardExample256, 4, field Montgomery<Example256Prime>, order Example256Order, bits 256, cofactor 1,
        a CoefficientA::Other(hex("0000000000000000000000000000000000000000000000000000000000000007")),
        b "5FBFF498AA938CE739B8E022FBAFEF40563F6E6A3472FC2A514C0CE9DAE23B7E",
        generator (
            "0000000000000000000000000000000000000000000000000000000000000002",
            "08E2A8A0E65147D4BD6316030E16D19C85C97F0A9CA267122B96ABBCEA7E8FC8",
        ),
    );

    montgomery_modulus!(
        Example512Prime,
        8,
        "4531ACD1FE0023C7550D267B6B2FEE80922B14B2FFB90F04D4EB7C09B5D2D15DF1D852741AF4704A0458047E80E4546D35B8336FAC224DD81664BBF528BE6373"
    );
    montgomery_modulus!(
        Example512Order,
        8,
        "4531ACD1FE0023C7550D267B6B2FEE80922B14B2FFB90F04D4EB7C09B5D2D15DA82F2D7ECB1DBAC719905C5EECC423F1D86E25EDBE23C595D644AAF187E6E6DF"
    );
    curve!(
        StandardExample512, 8, field Montgomery<Example512Prime>, order Example512Order, bits 511, cofactor 1,
        a CoefficientA::Other(hex("00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000007")),
        b "1CFF0806A31116DA29D8CFA54E57EB748BC5F377E49400FDD788B649ECA1AC4361834013B2AD7322480A89CA58E0CF74BC9E540C2ADD6897FAD0A3084F302ADC",
        generator (
            "24D19CC64572EE30F396BF6EBBFD7A6C5213B3B3D7057CC825F91093A68CD762FD60611262CD838DC6B60AA7EEE804E28BC849977FAC33B4B530F1B120248A9A",
            "2BB312A43BD2CE6E0D020613C857ACDDCFBF061E91E5F2C3F32447C259F39B2C83AB156D77F1496BF7EB3351E1EE4E43DC1A18B91B24640B6DBB92CB1ADD371E",
        ),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::gost::curve::multiply_public;
    use crate::crypto::gost::field::Modulus;
    use crate::crypto::gost::limbs::Limbs;

    fn is_sound<C: Curve>() {
        let (x, y) = C::GENERATOR;
        let generator = Affine::<C>::from_coordinates(x, y).expect("generator on the curve");
        assert!(multiply_public(&generator, C::Scalar::PRIME).is_infinity(), "generator has the order");
        let order = C::Scalar::PRIME;
        assert_eq!(order.bits(0, 1), 1);
        assert_eq!(order.bits(C::ORDER_BITS - 1, 32), 1, "number of bits of the order");
        // Hasse: the number of points differs from p + 1 by at most 2·√p, so half of the upper words agree.
        let mut points = C::Limbs::ZERO;
        for _ in 0..C::COFACTOR {
            points = points.add(order).0;
        }
        let half = C::Limbs::WORDS / 2;
        let distance = points.sub(C::Base::PRIME).0;
        let distance =
            if distance.bits(C::Limbs::WORDS * 64 - 1, 1) == 1 { C::Limbs::ZERO.sub(distance).0 } else { distance };
        assert!(distance.words()[half + 1..].iter().all(|word| *word == 0), "order × cofactor within Hasse's bound");
        assert!(distance.words()[half] <= 2);
        // A curve point off the list by one is refused.
        assert!(Affine::<C>::from_coordinates(x, y.add_word(1).0).is_none());
        assert!(Affine::<C>::from_coordinates(C::Limbs::ZERO, C::Limbs::ZERO).is_none());
        assert!(Affine::<C>::from_coordinates(C::Base::PRIME, y).is_none(), "coordinate not below the prime");
    }

    #[test]
    fn every_curve_is_sound() {
        is_sound::<Tc26A512>();
        is_sound::<Tc26A256>();
        is_sound::<CryptoProA>();
        is_sound::<StandardExample256>();
        is_sound::<StandardExample512>();
    }
}
