//! The `fedward` command.

mod argocd;
mod args;
mod cache;
mod changed;
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
mod replaced;
mod setup;
mod version;

use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory as _, FromArgMatches as _};
use fedward_config::ConfigError;

use args::{Args, Command};
use exit::Exit;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let matches = Args::command().long_version(version::long()).try_get_matches();
    let result = match matches.and_then(|matches| Args::from_arg_matches(&matches)) {
        Ok(args) => run(args.command),
        Err(error) if error.use_stderr() => error.exit(),
        // The help, or the version: an answer as any other.
        Err(answer) => outputs::print(&answer.render().ansi().to_string()).map(|()| Exit::Clean),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            match error.downcast_ref::<ConfigError>() {
                Some(ConfigError(mistakes)) => mistakes.iter().for_each(|mistake| anstream::eprintln!("error: {mistake}")),
                None => anstream::eprintln!("error: {error:#}"),
            }
            Exit::Usage.into()
        }
    }
}

fn run(command: Command) -> Result<Exit> {
    if let Some(caches) = modules::caches() {
        fedward_render::keep_unpacked_in(caches.join("fedward/renderers"));
    }
    match command {
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
    }
}
