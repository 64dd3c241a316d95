//! `fedward explain`.

use std::io::Write as _;

use anyhow::{Result, bail};
use fedward_kit::suggest;

use crate::args::Explain;
use crate::exit::Exit;
use crate::pages::PAGES;

pub(crate) fn run(args: &Explain) -> Result<Exit> {
    let mut out = anstream::stdout().lock();
    for line in page(&args.rule)?.lines() {
        if line.starts_with('#') {
            // Bold; the stream drops it where colours are not wanted.
            writeln!(out, "\u{1b}[1m{line}\u{1b}[0m")?;
        } else {
            writeln!(out, "{line}")?;
        }
    }
    Ok(Exit::Clean)
}

/// A rule's page, without the line that says how the file was made.
fn page(rule: &str) -> Result<&'static str> {
    if let Some((_, page)) = PAGES.iter().find(|(id, _)| *id == rule) {
        return Ok(page.split_once("-->\n").map_or(*page, |(_, body)| body));
    }
    let near = suggest::nearest(rule, PAGES.iter().map(|(id, _)| *id));
    let hint = near.map_or_else(|| "`fedward rules` lists them".to_owned(), |near| format!("did you mean `{near}`?"));
    bail!("no such rule: `{rule}` ({hint})")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn every_rule_has_a_page_that_begins_with_its_id() {
        let rules = fedward_modules::ALL.iter().flat_map(|builtin| builtin.policy.describe().rules);
        for rule in rules.chain(fedward_engine::INPUT_RULES) {
            assert!(page(rule.id).unwrap().starts_with(&format!("# {}\n", rule.id)), "{}", rule.id);
        }
    }

    #[test]
    fn a_slip_gets_a_hint() {
        assert_eq!(
            page("cluster-wide-edt").unwrap_err().to_string(),
            "no such rule: `cluster-wide-edt` (did you mean `cluster-wide-edit`?)"
        );
        assert_eq!(page("quite-another").unwrap_err().to_string(), "no such rule: `quite-another` (`fedward rules` lists them)");
    }
}
