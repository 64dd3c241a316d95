//! Results for people: a line a case, and what differs.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use fedward_report::printable;

use crate::{CaseResult, Counts, Verdict, diff};

/// Writes results. Texts of cases and policies cannot move a cursor or begin a line of their own.
///
/// # Errors
/// What writing gives.
pub fn human(results: &[CaseResult], color: bool, out: &mut dyn Write) -> io::Result<()> {
    let styled = |style: Style| if color { style } else { Style::new() };
    let of = |color: AnsiColor| styled(Style::new().fg_color(Some(color.into())));
    let (green, red, yellow, bold) = (of(AnsiColor::Green), of(AnsiColor::Red), of(AnsiColor::Yellow), styled(Style::new().bold()));
    for result in results {
        let (style, word) = match result.verdict {
            Verdict::Passed => (green, "ok"),
            Verdict::Failed { .. } => (red, "failed"),
            Verdict::Updated => (yellow, "updated"),
            Verdict::Broken(_) => (red, "error"),
            Verdict::Skipped => (yellow, "skipped"),
        };
        writeln!(out, "{style}{word:<7}{style:#} {}:{}: {}", printable(&result.file), result.line, printable(&result.name))?;
        match &result.verdict {
            Verdict::Passed | Verdict::Updated | Verdict::Skipped => {}
            Verdict::Broken(why) => {
                for line in why.lines() {
                    writeln!(out, "    {}", printable(line))?;
                }
            }
            Verdict::Failed { differences, .. } => {
                for difference in differences {
                    writeln!(
                        out,
                        "  {bold}{}{bold:#} ({}:{}:{})",
                        difference.field,
                        printable(&result.file),
                        difference.line,
                        difference.column
                    )?;
                    for line in diff::lines(difference) {
                        let style = match line.sign {
                            '-' => red,
                            '+' => green,
                            _ => Style::new(),
                        };
                        writeln!(out, "    {style}{}{}{style:#}", line.sign, printable(&line.text))?;
                    }
                }
            }
        }
        for note in result.notes.iter().take(MAX_NOTES) {
            writeln!(out, "  note: {}", printable(note))?;
        }
    }
    let counts = Counts::of(results);
    let failed = counts.failed + counts.updated + counts.broken + counts.skipped > 0;
    if failed && counts.failed > 0 {
        writeln!(out, "\n- is what was expected, + is what the policy gave; `--update` writes that")?;
    }
    let ran = results.len() - counts.skipped;
    let cases = if ran == 1 { "1 case".to_owned() } else { format!("{ran} cases") };
    let parts = [("passed", counts.passed), ("failed", counts.failed), ("updated", counts.updated), ("could not be run", counts.broken)];
    let parts: Vec<String> = parts.iter().filter(|(_, count)| *count > 0).map(|(what, count)| format!("{count} {what}")).collect();
    writeln!(out, "{}{cases}: {}", if failed { "\n" } else { "" }, if parts.is_empty() { "none ran".to_owned() } else { parts.join(", ") })
}

/// Notes of one case that are shown at most.
const MAX_NOTES: usize = 10;
