//! Signatures and verifications a second beside OpenSSL's GOST engine, and whether signing takes the same time for
//! every key.
//!
//! `cargo bench --bench gost` measures both sides in turns; `cargo bench --bench gost -- timing` runs the timing test
//! in the style of dudect (Reparaz, Balasch, Verbauwhede, 2017). The engine runs through libcrypto in a process of its
//! own (`benches/peers/gost_engine.c`, built with `cc`); without compiler or engine its columns stay empty. Below each
//! row stands the floor: the products in the field that cannot be avoided, times what one takes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::indexing_slicing)]

use std::hint::black_box;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;
use tamga::crypto::GostByteOrder;
use tamga::crypto::gost::{HEDGE_LEN, ParameterSet, SecretKey};

const ORDER: GostByteOrder = GostByteOrder::Kazakh;

fn main() {
    if std::env::args().any(|argument| argument == "timing") {
        timing();
    } else {
        throughput();
    }
}

/// Numbers without cryptographic worth (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn octets(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next().to_be_bytes()[0]).collect()
    }

    fn key(&mut self, set: ParameterSet) -> SecretKey {
        let mut scalar = self.octets(set.coordinate_len());
        if let Some(last) = scalar.last_mut() {
            *last &= 0x3f;
        }
        SecretKey::from_le_bytes(set, &scalar).unwrap()
    }
}

/// What no implementation over these formulas can avoid: how many products in the field of the coordinates (squares are
/// counted as such) a signature and a verification under a new key take, and how long one of them does.
struct Floor {
    sign: f64,
    verify: f64,
    seconds: f64,
}

impl Floor {
    fn of(set: ParameterSet) -> Floor {
        const CHAIN: u32 = 1000;
        let bits = (8 * set.coordinate_len()) as f64;
        // Doublings of 8 products and additions of 11; 16 multiples of the key of 12.
        let (doubling, addition) = (8.0, 11.0);
        let digits = bits / 14.0 + bits / 7.0;
        Floor {
            sign: (bits / 6.0).ceil() * addition,
            verify: bits * doubling + digits * addition + 16.0 * 12.0,
            seconds: 1.0 / rate(|| _ = black_box(set.multiply_in_field(CHAIN))) / f64::from(CHAIN),
        }
    }
}

/// Operations a second: the best of short rounds, so that what else the machine does falls out.
fn rate(mut operation: impl FnMut()) -> f64 {
    const ROUND: u32 = 4;
    operation();
    let (begun, mut best) = (Instant::now(), f64::MAX);
    while begun.elapsed().as_secs_f64() < 1.0 {
        let start = Instant::now();
        (0..ROUND).for_each(|_| operation());
        best = best.min(start.elapsed().as_secs_f64() / f64::from(ROUND));
    }
    1.0 / best
}

fn throughput() {
    let engine = engine();
    println!("operations a second, one core          sign   engine   ratio   verify   engine   ratio   prepared");
    for (name, set, arguments) in [
        ("512 bits, tc26 paramSetA", ParameterSet::Tc26A512, ["gost2012_512", "A", "64", "1"]),
        ("256 bits, CryptoPro-A", ParameterSet::CryptoProA, ["gost2001", "A", "32", "1"]),
        ("256 bits, tc26 paramSetA", ParameterSet::Tc26A256, ["gost2012_256", "TCA", "32", "1"]),
    ] {
        let mut numbers = Numbers(7);
        let secret = numbers.key(set);
        let public = secret.public_key();
        let prepared = public.prepare();
        let digest = numbers.octets(set.coordinate_len());
        let value = secret.sign_digest(&digest, &[1; HEDGE_LEN], ORDER).unwrap();
        let ours = [
            rate(|| drop(black_box(secret.sign_digest(&digest, &[1; HEDGE_LEN], ORDER)))),
            rate(|| black_box(public.verify_digest(&digest, &value, ORDER)).unwrap()),
            rate(|| black_box(prepared.verify_digest(&digest, &value, ORDER)).unwrap()),
        ];
        let theirs = engine.as_ref().and_then(|program| {
            let output = Command::new(program).args(arguments).output().ok().filter(|o| o.status.success())?;
            let text = String::from_utf8(output.stdout).ok()?;
            let mut numbers = text.split_whitespace().filter_map(|number| number.parse::<f64>().ok());
            Some([numbers.next()?, numbers.next()?])
        });
        let floor = Floor::of(set);
        let [sign, verify] = theirs.unwrap_or([f64::NAN; 2]);
        println!(
            "{name:34} {:8.0} {sign:8.0} {:7.2} {:8.0} {verify:8.0} {:7.2} {:10.0}",
            ours[0],
            ours[0] / sign,
            ours[1],
            ours[1] / verify,
            ours[2]
        );
        println!(
            "    floor: {:.0} products of {:.1} ns a signature, {:.0} a verification: {:.0} and {:.0} a second",
            floor.sign,
            floor.seconds * 1e9,
            floor.verify,
            1.0 / (floor.sign * floor.seconds),
            1.0 / (floor.verify * floor.seconds),
        );
    }
}

fn engine() -> Option<PathBuf> {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/gost_engine.c");
    let program = std::env::temp_dir().join("tamga-bench-gost-engine");
    let built = Command::new("cc")
        .args(["-O2", "-Wno-deprecated-declarations", source, "-lcrypto", "-o"])
        .arg(&program)
        .status();
    built.is_ok_and(|status| status.success()).then_some(program)
}

/// Two classes of keys in random order: one fixed key with long runs of zeros, and a new random key each time. Welch's
/// t over the times below the 90th percentile; above 4.5 the classes can be told apart.
///
/// The control is the same signature with a leak planted behind it: four steps of a cycle or two for every bit of the key
/// that is set. A run in which the control stays below the bound shows nothing.
fn timing() {
    const BATCHES: usize = 400;
    const BATCH: usize = 500;
    for set in [ParameterSet::Tc26A512, ParameterSet::CryptoProA, ParameterSet::Tc26A256] {
        let mut numbers = Numbers(11);
        let len = set.coordinate_len();
        let mut few = vec![0; len];
        few[0] = 3;
        let digest = numbers.octets(len);
        let [mut sign, mut control] = [const { Vec::new() }; 2];
        for _ in 0..BATCHES {
            // All keys of a batch are made before the clock starts, so that it finds the same memory for both classes.
            let keys: Vec<(bool, u32, SecretKey, [u8; HEDGE_LEN])> = (0..2 * BATCH)
                .map(|_| {
                    let fixed = numbers.next() & 1 == 0;
                    let mut random = numbers.octets(len);
                    random[len - 1] &= 0x3f;
                    let scalar = [&random, &few][usize::from(fixed)];
                    let ones = scalar.iter().map(|octet| octet.count_ones()).sum();
                    let noise: [u8; HEDGE_LEN] = numbers.octets(HEDGE_LEN).try_into().unwrap();
                    (fixed, ones, SecretKey::from_le_bytes(set, scalar).unwrap().with_noise(&noise), noise)
                })
                .collect();
            for (at, (fixed, ones, key, noise)) in keys.iter().enumerate() {
                let planted = at % 2 == 1;
                let start = Instant::now();
                black_box(key.sign_digest(black_box(&digest), black_box(noise), ORDER)).unwrap();
                if planted {
                    (0..4 * *ones).for_each(|step| _ = black_box(step));
                }
                let took = start.elapsed().as_nanos() as f64;
                if planted { &mut control } else { &mut sign }.push((*fixed, took));
            }
        }
        println!(
            "{set:?}: t = {:+.2} for {} signatures of {:.1} us; with a planted leak {:+.2}, {:+.0} ns between the classes",
            welch(&sign),
            sign.len(),
            mean(&sign, false) / 1000.0,
            welch(&control),
            mean(&control, false) - mean(&control, true),
        );
    }
}

/// The samples of a class below the 90th percentile of all.
fn trimmed(samples: &[(bool, f64)], class: bool) -> Vec<f64> {
    let mut sorted: Vec<f64> = samples.iter().map(|sample| sample.1).collect();
    sorted.sort_by(f64::total_cmp);
    let limit = sorted[sorted.len() * 9 / 10];
    samples.iter().filter(|sample| sample.0 == class && sample.1 <= limit).map(|sample| sample.1).collect()
}

fn mean(samples: &[(bool, f64)], class: bool) -> f64 {
    let times = trimmed(samples, class);
    times.iter().sum::<f64>() / times.len() as f64
}

fn welch(samples: &[(bool, f64)]) -> f64 {
    let [a, b] = [true, false].map(|class| {
        let times = trimmed(samples, class);
        let count = times.len() as f64;
        let mean = times.iter().sum::<f64>() / count;
        let variance = times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, variance / count)
    });
    (a.0 - b.0) / (a.1 + b.1).sqrt()
}
