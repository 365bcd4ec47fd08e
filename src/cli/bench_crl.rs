//! `tamga bench crl`: what this machine does with revocation lists of a size.

use super::{Exit, Failure, outcome::print};
use crate::adapter::revocation_store::measure::{Measurement, measure, write_samples};
use clap::Subcommand;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum What {
    /// Import, look up, restart and swap a revocation list that is made up.
    Crl {
        /// Entries in the list; several sizes give a curve.
        #[arg(long, default_value = "1000000", value_delimiter = ',')]
        entries: Vec<u64>,
        /// Folder to work in, on the disk that is to be measured; it is made, and removed afterwards.
        #[arg(long, value_name = "DIR", default_value = "tamga-bench")]
        folder: PathBuf,
        /// One JSON object a size.
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(what: What) -> Result<Exit, Failure> {
    let What::Crl { entries, folder, json } = what;
    if !json {
        // Other software is no part of the binary.
        print("beside x509-parser, rustls-webpki and openssl on the same list: cargo bench --bench crl\n\n")?;
    }
    for entries in entries {
        // A folder that is there already is somebody's.
        std::fs::create_dir(&folder).map_err(|error| Failure::fault(format!("{}: {error}", folder.display())))?;
        let measured = write_samples(&folder, entries)
            .map_err(Into::into)
            .and_then(|files| measure(&folder.join("revocation"), &files, entries));
        let removed = std::fs::remove_dir_all(&folder);
        let measured = measured.map_err(Failure::fault)?;
        removed.map_err(Failure::fault)?;
        let text = match json {
            true => serde_json::to_string(&measured).map_err(Failure::fault)?,
            false => table(&measured),
        };
        print(&format!("{text}\n"))?;
    }
    Ok(Exit::Success)
}

#[allow(clippy::cast_precision_loss)] // Megabytes for people.
fn table(measured: &Measurement) -> String {
    let megabytes = |octets: u64| octets as f64 / 1e6;
    format!(
        "{} entries, list of {:.1} MB\n\
         receive          {:>10.1} ms\n\
         import           {:>10.1} ms, {:.1} ms of one core\n\
         peak memory      {:>10.1} MB, {:.2} of the list\n\
         index            {:>10.1} MB, {:.2} bytes an entry\n\
         lookup, listed   {:>10.1} ns\n\
         lookup, unlisted {:>10.1} ns\n\
         restart          {:>10.1} ms\n\
         verification p99 {:>10.1} us quiet, {:.1} us while a list is swapped in\n",
        measured.entries,
        megabytes(measured.list_octets),
        measured.receive_ms,
        measured.import_ms,
        measured.import_cpu_ms,
        megabytes(measured.import_peak_octets),
        measured.import_peak_per_list_octet,
        megabytes(measured.index_octets as u64),
        measured.index_octets_per_entry,
        measured.lookup_listed_ns,
        measured.lookup_unlisted_ns,
        measured.restart_ms,
        measured.verification_quiet_p99_us,
        measured.verification_swap_p99_us,
    )
}
