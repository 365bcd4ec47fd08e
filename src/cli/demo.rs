//! `tamga demo`: the whole job on real bytes, through the real listener.
//!
//! *Invariant:* the exit code is 0 only if every step gave what it had to give.

mod applicant;
mod play;

use super::{Environment, Exit, Failure, outcome::print};
use crate::{
    adapter::demonstration_folder::write,
    app::App,
    config::{self, Config, DataFolder},
    http::{self, Parts},
    telemetry,
};
use clap::Args;
use play::{Play, Step};
use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Instant,
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Folder of the database and of the demonstration's material.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// One JSON object instead of the story.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: Arguments, environment: Environment) -> Result<Exit, Failure> {
    let started = Instant::now();
    let mut config = Config::load(None, environment)?;
    config.data = arguments.data.map_or(config.data, DataFolder);
    // The demonstration's own keys, on a free port, whatever else is configured.
    config.environment = config::Environment::Demonstration;
    config.authority = config::Authority::default();
    config.trust = config::Trust::default();
    config.http = config::Http { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), ..config::Http::default() };
    let files = config.data.0.join("demonstration").join("last-run");
    fs::create_dir_all(&files).map_err(|error| Failure::fault(format!("{}: {error}", files.display())))?;
    let log = files.join("service.log");
    let file = File::create(&log).map_err(|error| Failure::fault(format!("{}: {error}", log.display())))?;
    telemetry::start_log_in(&config.log, file).map_err(Failure::usage)?;

    let app = App::build(&config)?;
    let demonstration =
        app.demonstration.as_ref().ok_or_else(|| Failure::fault("there is no demonstration material"))?;
    let tokens = app.demonstration_tokens(demonstration)?;
    let parts = Parts {
        use_cases: app.service.clone(),
        tokens: app.tokens.clone(),
        readiness: app.readiness.clone(),
        metrics: telemetry::metrics().map_err(Failure::fault)?,
    };
    let runtime = tokio::runtime::Runtime::new().map_err(Failure::fault)?;
    let (steps, papers) = runtime.block_on(async {
        let router = http::router(parts, &config.http).map_err(Failure::fault)?;
        let server = http::start(&config.http, router).await.map_err(Failure::fault)?;
        let mut play = Play::new(server.address(), demonstration, &tokens)?;
        play.whole_job().await?;
        server.shut_down().await.map_err(Failure::fault)?;
        Ok::<_, Failure>(play.finish())
    })?;
    for (name, bytes) in &papers {
        write(&files.join(name), bytes).map_err(Failure::fault)?;
    }
    let good = steps.iter().all(Step::good);
    let seconds = started.elapsed().as_secs_f64();
    if arguments.json {
        let answer = serde_json::json!({
            "demonstration": true, "good": good, "seconds": seconds, "steps": steps,
            "files": files, "material": demonstration.folder(), "log": log,
        });
        print(&format!("{answer}\n"))?;
    } else {
        print(&story(&steps, good, seconds, &files, demonstration.folder()))?;
    }
    Ok(if good { Exit::Success } else { Exit::Refused })
}

fn story(steps: &[Step], good: bool, seconds: f64, files: &Path, material: &Path) -> String {
    let mut out = String::from("DEMONSTRATION: these keys, certificates and documents prove nothing.\n\n");
    for step in steps {
        let mark = if step.good() { "ok  " } else { "FAIL" };
        out += &format!("  {mark}  {:<66} {}\n", step.what, step.found);
        if !step.good() {
            out += &format!("        expected: {}\n", step.expected);
        }
    }
    let failed = steps.iter().filter(|step| !step.good()).count();
    let verdict =
        if good { "every step gave what it had to give".to_owned() } else { format!("{failed} steps did not") };
    out += &format!(
        "\n  {} steps in {seconds:.1} s: {verdict}\n  documents and log  {}\n  keys, certificates, tokens  {}\n",
        steps.len(),
        files.display(),
        material.display()
    );
    out
}
