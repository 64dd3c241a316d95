//! The `fedward` command.

mod argocd;
mod args;
mod charts;
mod commands;
mod exit;
mod filter;
mod folder;
mod inputs;
mod modules;
mod old;
mod outputs;
mod pages;
mod progress;
mod setup;
mod version;

use std::io;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};
use fedward_config::ConfigError;

use args::{Args, Command};
use exit::Exit;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let matches = Args::command().long_version(version::long()).get_matches();
    let args = Args::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let result = match args.command {
        Command::Check(args) => commands::check::run(&args),
        Command::Identities(args) => commands::identities::run(&args),
        Command::Bench(args) => commands::bench::run(&args),
        Command::Test(args) => commands::test::run(&args),
        Command::Init(args) => commands::init::run(&args),
        Command::Render(args) => commands::render::run(&args),
        Command::Cmp(args) => commands::cmp::run(&args),
        Command::Rules(args) => commands::rules::run(&args),
        Command::Explain(args) => commands::explain::run(&args),
        Command::Config(args) => commands::config::run(&args),
        Command::Completions(args) => commands::completions::run(&args),
    };
    match result {
        Ok(exit) => exit.into(),
        // Whoever reads our output stopped reading: that is their good right.
        Err(error)
            if error
                .chain()
                .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)) =>
        {
            ExitCode::SUCCESS
        }
        Err(error) => {
            match error.downcast_ref::<ConfigError>() {
                Some(ConfigError(mistakes)) => mistakes.iter().for_each(|mistake| anstream::eprintln!("error: {mistake}")),
                None => anstream::eprintln!("error: {error:#}"),
            }
            Exit::Usage.into()
        }
    }
}
