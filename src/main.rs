//! The `tamga` command: arguments and environment in, exit code out.

fn main() -> std::process::ExitCode {
    tamga::cli::run(std::env::args_os(), std::env::vars_os())
}
