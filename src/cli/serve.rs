//! `tamga serve`.

use super::{Environment, Exit, Failure, Settings};
use crate::{
    app::App,
    http::{self, Parts},
    port::TransparencyLog as _,
    telemetry,
};
use clap::Args;
use std::net::SocketAddr;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    settings: Settings,
    /// Run our own time-stamping authority at /tsa.
    #[arg(long)]
    with_tsa: bool,
    /// Address and port.
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
}

pub(super) fn run(arguments: Arguments, environment: Environment) -> Result<Exit, Failure> {
    let mut config = arguments.settings.load(environment)?;
    if arguments.with_tsa {
        config.tsa.enabled = true;
        config.check()?;
    }
    if let Some(listen) = arguments.listen {
        config.http.listen = listen;
    }
    telemetry::start_log(&config.log).map_err(Failure::usage)?;
    let metrics = telemetry::metrics().map_err(Failure::fault)?;
    let app = App::build(&config)?;
    if let Some(demonstration) = &app.demonstration {
        app.demonstration_tokens(demonstration)?;
        let folder = demonstration.folder().display();
        tracing::warn!(%folder, "DEMONSTRATION: keys, certificates and tokens in this folder prove nothing");
    }
    tracing::info!(verifier_key = %app.log.verifier_key(), "the journal is published as a transparency log");
    let refresher = app.refresher;
    // Until the listener has ended; the last rows are published then.
    let _publisher = app.publisher;
    let parts = Parts { use_cases: app.service, tokens: app.tokens, readiness: app.readiness, metrics };
    let runtime = tokio::runtime::Runtime::new().map_err(Failure::fault)?;
    runtime.block_on(async {
        // Before anyone is told that we listen, the signals to stop are ours.
        let mut terminate = signal(SignalKind::terminate()).map_err(Failure::fault)?;
        let router = http::router(parts, &config.http).map_err(Failure::usage)?;
        let server = http::start(&config.http, router).await.map_err(Failure::usage)?;
        tracing::info!(address = %server.address(), "listening");
        tokio::select! {
            () = refresher.run() => {}
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        tracing::info!("stopping");
        server.shut_down().await.map_err(Failure::fault)
    })?;
    Ok(Exit::Success)
}
