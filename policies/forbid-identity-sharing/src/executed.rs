//! What a container executes: which of its words are code, which are options or arguments, and which cannot be mistaken for anything.

use fedward_kit::node::Node;
use fedward_kit::workload::Container;

/// What becomes of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// It is run: the program, or the text after `sh -c`.
    Code,
    /// The program reads it, and takes it for an option if it begins like one.
    Argument,
    /// It is taken as it is: behind `--`, or as a numbered argument of `sh -c`.
    Fixed,
}

/// Programs that run a text, and the letter of the option for it.
const INTERPRETERS: [(&str, char); 12] = [
    ("sh", 'c'),
    ("bash", 'c'),
    ("ash", 'c'),
    ("dash", 'c'),
    ("zsh", 'c'),
    ("ksh", 'c'),
    ("python", 'c'),
    ("python3", 'c'),
    ("pwsh", 'c'),
    ("perl", 'e'),
    ("ruby", 'e'),
    ("node", 'e'),
];

/// The words of `command` and `args`, and the code of a script, each with what becomes of it.
///
/// `is_hit` tells whether something is written to a field that the manifest does not have: an element behind the last, or a whole list.
pub(crate) fn parts<'a>(container: &Container<'a>, is_hit: &dyn Fn(Node<'a>) -> bool) -> Vec<(Node<'a>, Part)> {
    let source = container.node.peek("source");
    let list = |field| {
        let list = container.node.get(field);
        let mut items: Vec<Node<'a>> = list.items().collect();
        let behind = [list.peek(list.session().text(&items.len().to_string())), list.peek("-1")].into_iter().find(|node| is_hit(*node));
        // Where the whole list is written, its elements stand for it, if it has any.
        items.extend(behind.filter(|_| items.is_empty() || !is_hit(list)));
        items
    };
    let (command, args) = (list("command"), list("args"));
    let has_command = !command.is_empty();
    let nodes: Vec<Node<'a>> = command.into_iter().chain(args).collect();
    let texts: Vec<&str> = nodes.iter().map(|node| node.peek_str().unwrap_or("")).collect();
    let mut found: Vec<_> = nodes.into_iter().zip(read(&texts, has_command)).collect();
    if source.is_present() || is_hit(source) {
        found.push((source, Part::Code));
    }
    found
}

/// What becomes of the words of a command line; without a command the image has one.
fn read(words: &[&str], has_command: bool) -> Vec<Part> {
    let mut parts = Vec::with_capacity(words.len());
    // The letter of the running interpreter's option, whether it was met, and whether the next word belongs to another option.
    let mut interpreter: Option<(char, bool, bool)> = None;
    let mut rest = Part::Argument;
    for (index, word) in words.iter().enumerate() {
        let is_program = index == 0 && has_command;
        parts.push(match interpreter {
            Some((letter, met, true)) => {
                interpreter = Some((letter, met, false));
                Part::Fixed
            }
            Some((letter, met, false)) if word.starts_with(['-', '+']) => {
                let is_long = word.starts_with("--");
                // PowerShell writes its options out.
                let meets = !is_long && (word.contains(letter) || word.eq_ignore_ascii_case("-command"));
                interpreter = Some((letter, met || meets, letter == 'c' && !is_long && word.ends_with(['o', 'O'])));
                Part::Argument
            }
            Some((_, true, _)) => {
                (interpreter, rest) = (None, Part::Fixed);
                Part::Code
            }
            Some(_) => {
                interpreter = None;
                // The interpreter runs a file; where it was no program but a word like its name, nothing is known.
                if index == 1 && has_command { Part::Code } else { Part::Argument }
            }
            None => {
                let name = word.rsplit('/').next().unwrap_or(word);
                interpreter = INTERPRETERS.iter().find(|(known, _)| *known == name).map(|(_, letter)| (*letter, false, false));
                if is_program {
                    Part::Code
                } else if *word == "--" {
                    rest = Part::Fixed;
                    Part::Fixed
                } else {
                    rest
                }
            }
        });
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::Part::{Argument, Code, Fixed};
    use super::read;

    #[test]
    fn tells_code_from_arguments() {
        for (words, has_command, want) in [
            (&["git", "clone", "x"][..], true, &[Code, Argument, Argument][..]),
            (&["git", "clone", "--", "x", "y"], true, &[Code, Argument, Fixed, Fixed, Fixed]),
            (&["--destination=x", "y"], false, &[Argument, Argument]),
            (&["sh", "-c", "x", "y", "z"], true, &[Code, Argument, Code, Fixed, Fixed]),
            (&["/bin/bash", "-euo", "pipefail", "-c", "x"], true, &[Code, Argument, Fixed, Argument, Code]),
            (&["tini", "--", "sh", "-ec", "x"], true, &[Code, Fixed, Fixed, Argument, Code]),
            (&["sh", "-c", "x"], false, &[Argument, Argument, Code]),
            (&["-c", "x"], false, &[Argument, Argument]),
            (&["bash", "build.sh", "x"], true, &[Code, Code, Argument]),
            (&["apk", "add", "bash", "x"], true, &[Code, Argument, Argument, Argument]),
            (&["python3", "-c", "x"], true, &[Code, Argument, Code]),
            (&["node", "-e", "x"], true, &[Code, Argument, Code]),
            (&["pwsh", "-Command", "x"], true, &[Code, Argument, Code]),
        ] {
            assert_eq!(read(words, has_command), want, "{words:?}");
        }
    }
}
