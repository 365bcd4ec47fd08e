//! The command line, one file per subcommand.
//!
//! *Invariant:* the exit code says what happened: 0 accepted or done, 1 refused, 2 undetermined, 64 usage, 65 unreadable
//! input, 70 our own fault. Results go to standard output, everything else to standard error.

mod audit;
mod audit_folder;
mod audit_log;
mod audit_registry;
mod audit_replay;
mod bench;
mod bench_crl;
mod bench_http;
mod config;
mod crl;
mod demo;
mod extend;
mod openapi;
mod outcome;
mod readable;
mod serve;
mod sign;
mod token;
mod trust;
mod verify;

pub use outcome::Exit;

use crate::{
    config::{Config, DataFolder, Log, LogFormat},
    telemetry,
};
use clap::{Args, Parser, Subcommand};
use outcome::Failure;
use std::{ffi::OsString, path::PathBuf, process::ExitCode};

/// Verification and sealing for electronic licensing.
#[derive(Debug, Parser)]
#[command(name = "tamga", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the HTTP service.
    Serve(serve::Arguments),
    /// Play the whole job on real bytes: verify, refuse, register, stamp, verify again.
    Demo(demo::Arguments),
    /// Verify signed documents.
    Verify(verify::Arguments),
    /// Extend a signed document so that its proof lasts: time-stamp, evidence, archive time-stamp.
    Extend(extend::Arguments),
    /// Sign a document as an applicant does, for trials.
    Sign(sign::Arguments),
    /// Verify licences again: a folder, or the whole registry and its journal.
    Audit(audit::Arguments),
    /// Make, list and revoke the tokens of the HTTP service.
    Token(token::Arguments),
    /// Revocation lists: look into them, import, refresh, and say which are in force.
    Crl(crl::Arguments),
    /// Trust anchors: list them, add one by its fingerprint, check them.
    Trust(trust::Arguments),
    /// Measure this machine: bare signatures, whole verification, stamping; with `crl`, revocation lists.
    Bench(bench::Arguments),
    /// Check or print the configuration.
    Config(config::Arguments),
    /// Print the OpenAPI description of the HTTP service.
    Openapi,
}

/// Where the configuration comes from; shared by the commands that need one.
#[derive(Debug, Default, Args)]
pub(crate) struct Settings {
    /// Configuration file (TOML).
    #[arg(long, value_name = "FILE", env = "TAMGA_CONFIG")]
    config: Option<PathBuf>,
    /// Folder of the database and of demonstration material.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Settings {
    /// File, then environment, then flags; checked.
    fn load(self, environment: Environment) -> Result<Config, Failure> {
        let mut config = Config::load(self.config.as_deref(), environment)?;
        if let Some(data) = self.data {
            config.data = DataFolder(data);
        }
        config.check()?;
        Ok(config)
    }
}

/// The variables the process was started with.
type Environment = Vec<(OsString, OsString)>;

/// Runs the command that the arguments name and says how it ended.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> ExitCode {
    let environment: Environment = environment.into_iter().collect();
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, everything else is misuse.
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Success };
            let _ = error.print();
            return exit.into();
        }
    };
    // A panic is our own fault, and the exit code says so; the hook has said where.
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| dispatch(cli.command, environment)))
        .unwrap_or_else(|_| Err(Failure::fault("an unexpected fault")));
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => failure.say().into(),
    }
}

fn dispatch(command: Command, environment: Environment) -> Result<Exit, Failure> {
    match command {
        Command::Serve(arguments) => serve::run(arguments, environment),
        Command::Demo(arguments) => demo::run(arguments, environment),
        Command::Audit(arguments) => audit::run(arguments, environment),
        Command::Token(arguments) => token::run(arguments, environment),
        Command::Verify(arguments) => verify::run(arguments, environment),
        Command::Extend(arguments) => extend::run(arguments),
        Command::Sign(arguments) => sign::run(arguments, &environment),
        Command::Crl(arguments) => crl::run(arguments, environment),
        Command::Trust(arguments) => trust::run(arguments, environment),
        Command::Bench(arguments) => bench::run(arguments),
        Command::Config(arguments) => config::run(arguments, environment),
        Command::Openapi => openapi::run(),
    }
}

/// A command's log on standard error: what was passed over, and nothing of the rest.
fn log_for_a_person() {
    // A second start in one process keeps the first log, which is as good.
    let _ = telemetry::start_log(&Log { level: "warn".into(), format: LogFormat::Text });
}
