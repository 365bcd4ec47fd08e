//! Log and measurements of the process.
//!
//! *Invariant:* a log line says what happened to which call, never to whom: no IIN, BIN, name, token or document.

use crate::config::{Log, LogFormat};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::{io, sync::OnceLock};
use tracing_subscriber::{EnvFilter, fmt::writer::BoxMakeWriter};

/// Bounds of the time histograms, in seconds: a verification takes some 100 µs, the regulations allow 10 s.
const SECONDS_BUCKETS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// The log or the measurements cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("telemetry: {0}")]
pub struct TelemetryError(String);

/// Starts the log on standard error and makes panics say where they happened, not with which data.
///
/// # Errors
/// [`TelemetryError`] for a level that is none, or where the process has a log already.
pub fn start_log(log: &Log) -> Result<(), TelemetryError> {
    start_log_on(log, BoxMakeWriter::new(io::stderr))
}

/// The same in a file.
///
/// # Errors
/// As [`start_log`].
pub fn start_log_in(log: &Log, file: std::fs::File) -> Result<(), TelemetryError> {
    start_log_on(log, BoxMakeWriter::new(std::sync::Mutex::new(file)))
}

fn start_log_on(log: &Log, writer: BoxMakeWriter) -> Result<(), TelemetryError> {
    let filter = EnvFilter::try_new(&log.level).map_err(|error| TelemetryError(format!("log.level: {error}")))?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(false);
    let started = match log.format {
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init(),
        LogFormat::Text => builder.try_init(),
    };
    started.map_err(|error| TelemetryError(error.to_string()))?;
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        tracing::error!(location, "panic");
    }));
    Ok(())
}

/// The measurements of this process; there is one recorder, however often it is asked for.
pub fn metrics() -> Result<PrometheusHandle, TelemetryError> {
    static HANDLE: OnceLock<Result<PrometheusHandle, String>> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            PrometheusBuilder::new()
                .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS_BUCKETS)
                .and_then(PrometheusBuilder::install_recorder)
                .map_err(|error| error.to_string())
        })
        .clone()
        .map_err(TelemetryError)
}
