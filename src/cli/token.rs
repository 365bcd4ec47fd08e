//! `tamga token create|list|revoke`.

use super::{Environment, Exit, Failure, Settings, outcome::print};
use crate::{
    adapter::clock::SystemClock,
    app::{new_token, open_registry},
    port::{
        Clock as _,
        token::{Role, TokenStore as _},
    },
};
use clap::{Args, Subcommand};
use secrecy::ExposeSecret as _;

/// Longest life of a token, in days.
const MAX_DAYS: i64 = 3660;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a token and print it, once: only its digest is kept.
    Create {
        #[command(flatten)]
        settings: Settings,
        /// portal, officer, auditor or admin.
        #[arg(long)]
        role: Role,
        /// Who holds it, in your words.
        #[arg(long)]
        holder: String,
        /// Days until it expires.
        #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(i64).range(1..=MAX_DAYS))]
        days: i64,
    },
    /// List tokens, never their secrets.
    List {
        #[command(flatten)]
        settings: Settings,
        /// One token a line, JSON.
        #[arg(long)]
        json: bool,
    },
    /// Revoke a token; it stops to count at once.
    Revoke {
        #[command(flatten)]
        settings: Settings,
        /// The token's id, as `list` shows it.
        id: String,
    },
}

pub(super) fn run(arguments: Arguments, environment: Environment) -> Result<Exit, Failure> {
    let now = SystemClock.now();
    match arguments.action {
        Action::Create { settings, role, holder, days } => {
            let registry = open_registry(&settings.load(environment)?)?;
            let expires = now.plus_seconds(days.saturating_mul(86_400));
            let token = new_token(registry.as_ref(), &holder, role, now, expires)?;
            print(&format!("{}\n", token.expose_secret()))?;
        }
        Action::List { settings, json } => {
            let registry = open_registry(&settings.load(environment)?)?;
            let mut text = String::new();
            for token in registry.list().map_err(Failure::fault)? {
                let revoked = token.revoked.map(|at| at.to_string());
                text += &if json {
                    let row = serde_json::json!({
                        "id": token.id, "role": token.role.as_str(), "holder": token.holder, "created": token.created,
                        "expires": token.expires, "revoked": revoked,
                    });
                    format!("{row}\n")
                } else {
                    let state = match revoked {
                        Some(at) => format!("revoked {at}"),
                        None if now >= token.expires => format!("expired {}", token.expires),
                        None => format!("until {}", token.expires),
                    };
                    format!("{}  {:<8} {state}  {}\n", token.id, token.role, token.holder)
                };
            }
            print(&text)?;
        }
        Action::Revoke { settings, id } => {
            let registry = open_registry(&settings.load(environment)?)?;
            if !registry.revoke(&id, now).map_err(Failure::fault)? {
                return Err(Failure::usage(format!("there is no token {id}")));
            }
            print(&format!("{id} is revoked\n"))?;
        }
    }
    Ok(Exit::Success)
}
