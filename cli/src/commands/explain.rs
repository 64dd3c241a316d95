//! `fedward explain`.

use std::io::Write as _;

use anyhow::{Result, bail};
use fedward_kit::suggest;

use crate::args::Explain;
use crate::exit::Exit;
use crate::pages::PAGES;

pub(crate) fn run(args: &Explain) -> Result<Exit> {
    let Some((_, page)) = PAGES.iter().find(|(id, _)| *id == args.rule) else {
        let near = suggest::nearest(&args.rule, PAGES.iter().map(|(id, _)| *id));
        let hint = near.map_or_else(|| "`fedward rules` lists them".to_owned(), |near| format!("did you mean `{near}`?"));
        bail!("no such rule: `{}` ({hint})", args.rule);
    };
    let mut out = anstream::stdout().lock();
    // Whoever reads it here has no use for how the file was made.
    let body = page.split_once("-->\n").map_or(*page, |(_, body)| body);
    for line in body.lines() {
        if line.starts_with('#') {
            // Bold; the stream drops it where colours are not wanted.
            writeln!(out, "\u{1b}[1m{line}\u{1b}[0m")?;
        } else {
            writeln!(out, "{line}")?;
        }
    }
    Ok(Exit::Clean)
}
