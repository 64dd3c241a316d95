//! `fedward completions`.

use std::io;

use anyhow::Result;
use clap::CommandFactory as _;

use crate::args::{Args, Completions};
use crate::exit::Exit;

pub(crate) fn run(args: &Completions) -> Result<Exit> {
    clap_complete::generate(args.shell, &mut Args::command(), "fedward", &mut io::stdout());
    Ok(Exit::Clean)
}
