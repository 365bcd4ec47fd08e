//! `tamga openapi`.

use super::{Exit, Failure, outcome::print};

pub(super) fn run() -> Result<Exit, Failure> {
    let description = crate::http::openapi().to_pretty_json().map_err(Failure::fault)?;
    print(&format!("{description}\n"))?;
    Ok(Exit::Success)
}
