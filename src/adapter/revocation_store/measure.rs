//! What the store does to a list of a given size, measured: the figures of `tamga bench crl`.
//!
//! *Invariant:* what is measured is what the service does: the same import, the same lookup, the same start.

use super::{
    ImportError, Imported, Limits, ListSigner, RevocationStore, SampleAuthority, SampleTimes, Staleness, sample_serial,
};
use crate::crypto::{PublicKey, SignatureAlgorithm};
use crate::pki::crl::RevocationList as _;
use crate::pki::{Certificate, Name};
use crate::report::Time;
use serde::Serialize;
use std::fs::{self, File};
use std::hint::black_box;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The times of the lists that are made up.
pub const SAMPLE_TIMES: SampleTimes =
    SampleTimes { this_update: Time::from_unix(1_795_312_800), next_update: Time::from_unix(1_795_399_200) };

/// Largest list taken here: ten million entries make 380 MB.
const MAX_LIST_OCTETS: u64 = 1 << 30;

/// Lookups measured.
const LOOKUPS: u64 = 1_000_000;

/// What was measured. Times in the unit of their name, memory in octets.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)] // The names say it.
pub struct Measurement {
    pub entries: u64,
    pub list_octets: u64,
    pub index_octets: usize,
    pub index_octets_per_entry: f64,
    pub receive_ms: f64,
    pub import_ms: f64,
    pub import_cpu_ms: f64,
    pub import_peak_octets: u64,
    pub import_peak_per_list_octet: f64,
    pub lookup_listed_ns: f64,
    pub lookup_unlisted_ns: f64,
    pub restart_ms: f64,
    pub verification_quiet_p99_us: f64,
    pub verification_swap_p99_us: f64,
    pub verifications_during_swap: usize,
}

/// A made-up list in a file, with its authority's certificate beside it: for other software to read the same.
#[derive(Clone, Debug)]
pub struct SampleFiles {
    /// The list, in DER.
    pub list: PathBuf,
    /// The list that replaces it.
    pub next_list: PathBuf,
    /// The authority's certificate, in DER.
    pub certificate: PathBuf,
}

/// Writes two lists of so many entries and the certificate of their authority.
///
/// # Errors
/// The folder cannot be written.
pub fn write_samples(folder: &Path, entries: u64) -> io::Result<SampleFiles> {
    let files = SampleFiles {
        list: folder.join("list.crl"),
        next_list: folder.join("next.crl"),
        certificate: folder.join("authority.cer"),
    };
    let authority = SampleAuthority::generate(SAMPLE_TIMES)?;
    fs::write(&files.certificate, authority.certificate())?;
    for (path, number) in [(&files.list, 1), (&files.next_list, 2)] {
        authority.write_list(entries, number, SAMPLE_TIMES, &mut File::create(path)?)?;
    }
    Ok(files)
}

/// Imports, looks up, restarts and swaps.
///
/// # Errors
/// The folder cannot be written, or a list is refused, which is a defect.
pub fn measure(folder: &Path, files: &SampleFiles, entries: u64) -> Result<Measurement, ImportError> {
    let at = SAMPLE_TIMES.this_update.plus_seconds(60);
    let limits = Limits { max_list_octets: MAX_LIST_OCTETS, ..Limits::default() };
    let der = fs::read(&files.certificate)?;
    let authority = Certificate::parse(&der).map_err(|error| io::Error::other(error.to_string()))?;
    let signers = [ListSigner::from(&authority)];
    let store = RevocationStore::open(folder, limits)?;

    let start = Instant::now();
    let staged = store.stage(&mut File::open(&files.list)?)?;
    let receive = start.elapsed();
    let list_octets = staged.octets();

    let memory = PeakMemory::start();
    let (start, cpu) = (Instant::now(), thread_cpu());
    let imported = store.import(staged, &signers, at, Staleness::Refuse)?;
    let (import, import_cpu) = (start.elapsed(), thread_cpu().saturating_sub(cpu));
    let import_peak_octets = memory.peak();
    let index_octets = imported.list().index_octets();
    drop((imported, store));

    let start = Instant::now();
    let store = RevocationStore::open(folder, limits)?;
    let list = store.lists().first().cloned().ok_or_else(|| io::Error::other("no list after a restart"))?;
    let issuer = authority.subject();
    black_box(list.find(&issuer, &sample_serial(0)));
    let restart = start.elapsed();

    let listed = serials(|n| sample_serial(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % entries.max(1)));
    let unlisted = serials(|n| sample_serial(entries + n));
    let lookup_listed_ns = lookups(&*list, &issuer, &listed, true)?;
    let lookup_unlisted_ns = lookups(&*list, &issuer, &unlisted, false)?;
    drop(list);

    let verification = Verification::new(&authority)?;
    let quiet = verification.run_until(&store, &listed, || thread::sleep(Duration::from_secs(2)));
    let mut swapped = Ok(());
    let during = verification.run_until(&store, &listed, || {
        let imported = File::open(&files.next_list)
            .map_err(ImportError::from)
            .and_then(|mut file| store.stage(&mut file))
            .and_then(|staged| store.import(staged, &signers, at, Staleness::Refuse));
        swapped = imported.and_then(|imported| match imported {
            Imported::Replaced(_) => Ok(()),
            Imported::Unchanged(_) => Err(io::Error::other("the second list did not replace the first").into()),
        });
    });
    swapped?;

    let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
    #[allow(clippy::cast_precision_loss)] // Ratios for people.
    Ok(Measurement {
        entries,
        list_octets,
        index_octets,
        index_octets_per_entry: index_octets as f64 / entries as f64,
        receive_ms: ms(receive),
        import_ms: ms(import),
        import_cpu_ms: ms(import_cpu),
        import_peak_octets,
        import_peak_per_list_octet: import_peak_octets as f64 / list_octets as f64,
        lookup_listed_ns,
        lookup_unlisted_ns,
        restart_ms: ms(restart),
        verification_quiet_p99_us: p99_us(&quiet),
        verification_swap_p99_us: p99_us(&during),
        verifications_during_swap: during.len(),
    })
}

fn serials(serial: impl Fn(u64) -> [u8; 20]) -> Vec<[u8; 20]> {
    (0..LOOKUPS).map(serial).collect()
}

/// Nanoseconds a lookup, over serial numbers that are all listed, or none of them.
fn lookups(
    list: &impl crate::pki::RevocationList,
    issuer: &Name<'_>,
    serials: &[[u8; 20]],
    listed: bool,
) -> io::Result<f64> {
    let start = Instant::now();
    let found = serials.iter().filter(|serial| list.find(issuer, &serial[..]).is_some()).count();
    let elapsed = start.elapsed();
    if found != if listed { serials.len() } else { 0 } {
        return Err(io::Error::other("a lookup is wrong"));
    }
    #[allow(clippy::cast_precision_loss)] // A mean for people.
    Ok(elapsed.as_secs_f64() * 1e9 / serials.len() as f64)
}

/// A verification as requests have it at least: one signature and one look at the lists.
struct Verification {
    key: PublicKey,
    algorithm: SignatureAlgorithm,
    message: Vec<u8>,
    signature: Vec<u8>,
    issuer: Vec<u8>,
}

impl Verification {
    fn new(authority: &Certificate) -> io::Result<Verification> {
        let other = |error: String| io::Error::other(error);
        Ok(Verification {
            key: PublicKey::from_spki(authority.spki()).map_err(|error| other(error.to_string()))?,
            algorithm: crate::pki::public_key::signature_algorithm(authority.signature_algorithm())
                .map_err(|error| other(error.to_string()))?,
            message: authority.tbs().to_vec(),
            signature: authority.signature().to_vec(),
            issuer: authority.subject().raw().to_vec(),
        })
    }

    /// Verifies without pause on a thread of its own while something else is done here.
    fn run_until(&self, store: &RevocationStore, serials: &[[u8; 20]], meanwhile: impl FnOnce()) -> Vec<Duration> {
        let stop = Arc::new(AtomicBool::new(false));
        thread::scope(|scope| {
            let verifying = scope.spawn(|| {
                let issuer = Name::parse(&self.issuer).unwrap_or(Name::EMPTY);
                let mut latencies = Vec::new();
                for serial in serials.iter().cycle() {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let start = Instant::now();
                    black_box(self.key.verify(&self.algorithm, &self.message, &self.signature).is_ok());
                    black_box(store.lists().iter().any(|list| list.find(&issuer, serial).is_some()));
                    latencies.push(start.elapsed());
                }
                latencies
            });
            meanwhile();
            stop.store(true, Ordering::Relaxed);
            verifying.join().unwrap_or_default()
        })
    }
}

fn p99_us(latencies: &[Duration]) -> f64 {
    let mut sorted = latencies.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len().saturating_sub(1) * 99 / 100).map_or(0.0, |latency| latency.as_secs_f64() * 1e6)
}

/// The most memory held at once, above what was held at the start (Linux; nothing elsewhere).
struct PeakMemory(u64);

impl PeakMemory {
    fn start() -> PeakMemory {
        // "5" resets the peak: proc(5), /proc/pid/clear_refs.
        let _ = fs::write("/proc/self/clear_refs", "5");
        PeakMemory(status("VmRSS:"))
    }

    fn peak(&self) -> u64 {
        status("VmHWM:").saturating_sub(self.0)
    }
}

fn status(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() << 10
}

/// Time that this thread has spent on a processor (Linux; nothing elsewhere).
fn thread_cpu() -> Duration {
    let schedule = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(schedule.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or_default())
}
