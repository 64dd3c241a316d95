//! `fedward completions`.

use anyhow::Result;
use clap::CommandFactory as _;

use crate::args::{Args, Completions};
use crate::exit::Exit;
use crate::outputs;

pub(crate) fn run(args: &Completions) -> Result<Exit> {
    // Into memory first: the generator panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "fedward", &mut script);
    outputs::print(&String::from_utf8(script)?)?;
    Ok(Exit::Clean)
}
