//! `tamga config check|print`.

use super::{Environment, Exit, Failure, Settings, outcome::print};
use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Say whether the service would start with this configuration.
    Check(Settings),
    /// Print the configuration in force, secrets masked.
    Print(Settings),
}

pub(super) fn run(arguments: Arguments, environment: Environment) -> Result<Exit, Failure> {
    match arguments.action {
        Action::Check(settings) => {
            let config = settings.load(environment)?;
            crate::app::check(&config)?;
            crate::http::check(&config.http).map_err(Failure::usage)?;
            print("configuration is valid\n")?;
        }
        Action::Print(settings) => print(&settings.load(environment)?.masked()?)?,
    }
    Ok(Exit::Success)
}
