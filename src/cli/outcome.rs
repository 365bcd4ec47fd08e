//! How a command ends.

use crate::{adapter::material::Unreadable, app::AppError, config::ConfigError};
use std::{
    fmt,
    io::{self, Write as _},
    path::Path,
    process::ExitCode,
};

/// What the exit code says; ordered from best to worst, so that of several files the worst counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Accepted, or done.
    Success = 0,
    /// A later try may settle it.
    Undetermined = 2,
    /// Refused.
    Refused = 1,
    /// The input cannot be read.
    Unreadable = 65,
    /// The command was misused.
    Usage = 64,
    /// Our own fault.
    Fault = 70,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// Why a command gave up, in a sentence, and the exit code that says so.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
}

impl Failure {
    /// The command was misused.
    pub(crate) fn usage(message: impl fmt::Display) -> Failure {
        Failure { exit: Exit::Usage, message: message.to_string() }
    }

    /// The input cannot be read.
    pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Failure {
        Failure { exit: Exit::Unreadable, message: format!("cannot read {}: {error}", path.display()) }
    }

    /// We could not do our work.
    pub(crate) fn fault(message: impl fmt::Display) -> Failure {
        Failure { exit: Exit::Fault, message: message.to_string() }
    }

    /// Says it on standard error.
    pub(crate) fn say(self) -> Exit {
        let _ = writeln!(io::stderr(), "tamga: {}", self.message);
        self.exit
    }
}

impl From<Unreadable> for Failure {
    fn from(error: Unreadable) -> Failure {
        Failure { exit: Exit::Unreadable, message: error.to_string() }
    }
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Failure {
        match error {
            AppError::Config(error) => error.into(),
            AppError::Unreadable(error) => error.into(),
            AppError::Key(_) | AppError::Tsa(_) | AppError::DemonstrationInProduction { .. } => Failure::usage(error),
            _ => Failure::fault(error),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Failure {
        let exit = match error {
            ConfigError::Unreadable { .. } => Exit::Unreadable,
            ConfigError::Value { .. } | ConfigError::Contradiction(_) => Exit::Usage,
        };
        Failure { exit, message: error.to_string() }
    }
}

/// Writes a result to standard output; a reader that went away (`| head`) is not an error.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::fault(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}
