//! `fedward init`.

use std::collections::{BTreeMap, HashSet};
use std::fmt::{self, Write as _};
use std::io::{self, BufRead, IsTerminal as _, Read as _, Write};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use fedward_config::{ConfigError, Placed, words};
use fedward_deployments::{Deployment, Draft, deployments};
use fedward_report::printable;
use serde::{Deserialize, Deserializer};

use crate::args::Init;
use crate::exit::Exit;
use crate::{folder, outputs};

/// No answer is longer.
const MAX_ANSWER: u64 = 1 << 20;

pub(crate) fn run(args: &Init) -> Result<Exit> {
    let known = deployments().map_err(anyhow::Error::msg)?;
    let mut out = String::new();
    let Some(name) = &args.deployment else {
        for deployment in &known {
            writeln!(out, "{:<20} {}", deployment.name, deployment.summary)?;
        }
        outputs::print(&out)?;
        return Ok(Exit::Clean);
    };
    let Some(deployment) = known.iter().find(|deployment| deployment.name == name.as_str()) else {
        let near = words::did_you_mean(name, known.iter().map(|deployment| deployment.name));
        bail!("no such deployment: `{}`{}", printable(name), if near.is_empty() { " (`fedward init --list` lists them)" } else { &near });
    };
    if args.list {
        outputs::print(&needs(deployment))?;
        return Ok(Exit::Clean);
    }
    let target = args.folder.clone().unwrap_or_else(|| PathBuf::from(deployment.name));
    if !args.dry_run {
        // Before anybody is asked for anything.
        folder::check(&target, args.force)?;
    }
    let mut draft = given(args, deployment)?;
    if io::stdin().is_terminal() {
        ask(deployment, &mut draft, &mut io::stdin().lock(), &mut io::stderr())?;
    }
    let filled = match draft.finish() {
        Ok(filled) => filled,
        Err(wrong) => {
            let is_missing = wrong.iter().any(|text| text.contains("` is required: "));
            wrong.iter().for_each(|text| anstream::eprintln!("error: {text}"));
            if is_missing {
                anstream::eprintln!(
                    "give values with `--set NAME=VALUE`, or in a file with `--values FILE`: `fedward init {name} --list` prints one to fill in"
                );
            }
            return Ok(Exit::Usage);
        }
    };
    let files = filled.files().map_err(anyhow::Error::msg)?;
    if !args.dry_run {
        let values = outputs::Inputs::of(&args.values);
        files.iter().try_for_each(|(path, _)| values.check_file(&target.join(path)))?;
        folder::write(&target, &files)?;
    }
    let (verb, count, shown) = (if args.dry_run { "would write" } else { "wrote" }, files.len(), shown(&target));
    writeln!(out, "{verb} {count} files to `{shown}`:")?;
    for (path, _) in &files {
        writeln!(out, "  {path}")?;
    }
    if args.dry_run {
        writeln!(out, "with these values:")?;
        for (parameter, value) in filled.values() {
            writeln!(out, "  {}: {value}", parameter.name)?;
        }
    } else {
        writeln!(out, "next: fedward check {shown}")?;
    }
    outputs::print(&out)?;
    Ok(Exit::Clean)
}

fn shown(path: &Path) -> String {
    printable(&path.display().to_string()).into_owned()
}

/// The values of the command line and of the file that it names.
fn given<'d>(args: &Init, deployment: &'d Deployment) -> Result<Draft<'d>> {
    let mut draft = Draft::new(deployment);
    let (mut wrong, mut is_set) = (Vec::new(), HashSet::new());
    for text in &args.set {
        let Some((name, value)) = text.split_once('=') else {
            wrong.push(format!("`--set {}` is not of the form NAME=VALUE", printable(text)));
            continue;
        };
        if !is_set.insert(name) {
            wrong.push(format!("`--set` gives `{}` twice", printable(name)));
        } else if let Err(why) = take(&mut draft, deployment, name, value) {
            wrong.push(format!("`--set`: {why}"));
        }
    }
    if let Some(file) = &args.values {
        match Placed::read(file).and_then(Placed::get::<Written>) {
            Ok((values, placed)) => wrong.extend(take_all(&mut draft, deployment, &values, &placed, &is_set)),
            Err(ConfigError(mistakes)) => wrong.extend(mistakes),
        }
    }
    if wrong.is_empty() { Ok(draft) } else { Err(ConfigError(wrong).into()) }
}

/// A file of values.
type Written = BTreeMap<String, Option<Scalar>>;

/// A value in a file.
#[derive(Debug)]
enum Scalar {
    Text(String),
    /// What YAML takes for a number or a truth value: the text that was written counts, since the numbers of accounts may begin with zeros.
    Plain,
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Scalar;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a string")
            }
            fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(text.to_owned()))
            }
            fn visit_bool<E>(self, _: bool) -> Result<Scalar, E> {
                Ok(Scalar::Plain)
            }
            fn visit_u64<E>(self, _: u64) -> Result<Scalar, E> {
                Ok(Scalar::Plain)
            }
            fn visit_i64<E>(self, _: i64) -> Result<Scalar, E> {
                Ok(Scalar::Plain)
            }
            fn visit_f64<E>(self, _: f64) -> Result<Scalar, E> {
                Ok(Scalar::Plain)
            }
        }
        from.deserialize_any(Visitor)
    }
}

/// Takes the values of a file but those of the command line, which win. What is wrong comes back with its place, in the order of the text.
fn take_all<'d>(
    draft: &mut Draft<'d>,
    deployment: &'d Deployment,
    values: &Written,
    placed: &Placed,
    is_set: &HashSet<&str>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, value) in values {
        let taken = match value {
            _ if deployment.parameter(name).is_none() => Err(unknown(deployment, name)),
            // Open, as `--list` leaves it.
            None => Ok(()),
            Some(_) if is_set.contains(name.as_str()) => Ok(()),
            Some(Scalar::Text(value)) => take(draft, deployment, name, value),
            Some(Scalar::Plain) => {
                let span = placed.span(&pointer(name));
                take(draft, deployment, name, placed.source().slice(span))
            }
        };
        if let Err(why) = taken {
            let pointer = pointer(name);
            wrong.push((placed.span(&pointer).start, format!("{}: {why}", placed.at(&pointer))));
        }
    }
    wrong.sort();
    wrong.into_iter().map(|(_, text)| text).collect()
}

fn pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn take<'d>(draft: &mut Draft<'d>, deployment: &'d Deployment, name: &str, value: &str) -> Result<(), String> {
    let parameter = deployment.parameter(name).ok_or_else(|| unknown(deployment, name))?;
    draft.set(parameter, value)
}

fn unknown(deployment: &Deployment, name: &str) -> String {
    let names: Vec<&str> = deployment.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    let near = words::did_you_mean(name, names.iter().copied());
    let known = if near.is_empty() { format!(" (there are {})", names.join(", ")) } else { near };
    format!("`{}` has no parameter `{}`{known}", deployment.name, printable(name))
}

/// What a deployment needs to be told, as a file of values in which only those without a default are open.
fn needs(deployment: &Deployment) -> String {
    let mut text = format!("# {}: {}\n", deployment.name, deployment.summary);
    text.push_str("# A file for `--values`. What stands in a comment has that value if you give none.\n");
    for parameter in &deployment.parameters {
        text.push_str(&format!("\n# {}\n", parameter.help));
        match &parameter.default {
            // In quotes where it would begin a map.
            Some(default) if default.starts_with('{') => text.push_str(&format!("# {}: \"{default}\"\n", parameter.name)),
            Some(default) => text.push_str(&format!("# {}: {default}\n", parameter.name)),
            None => {
                text.push_str(&format!("# ({})\n{}:\n", parameter.expected(), parameter.name));
            }
        }
    }
    text
}

/// Asks for every value that was not given; an empty answer takes the default.
fn ask<'d>(deployment: &'d Deployment, draft: &mut Draft<'d>, input: &mut dyn BufRead, out: &mut dyn Write) -> Result<()> {
    for parameter in &deployment.parameters {
        if draft.has(parameter) {
            continue;
        }
        let default = draft.default_of(parameter);
        writeln!(out, "{}: {}\n  ({})", parameter.name, parameter.help, parameter.expected())?;
        loop {
            match &default {
                Some(default) => write!(out, "  [{default}] ")?,
                None => write!(out, "  > ")?,
            }
            out.flush()?;
            let mut line = String::new();
            if input.take(MAX_ANSWER).read_line(&mut line)? == 0 {
                writeln!(out)?;
                bail!("`{}` was not answered: {}", parameter.name, parameter.help);
            }
            if line.trim().is_empty() && default.is_some() {
                break;
            }
            match draft.set(parameter, &line) {
                Ok(()) => break,
                Err(why) => writeln!(out, "  {why}")?,
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    /// The answers to what a deployment asks, what is asked, and what comes of it.
    fn asked(answers: &str) -> (String, Result<Vec<String>>) {
        let known = deployments().unwrap();
        let deployment = known.iter().find(|deployment| deployment.name == "eks-irsa").unwrap();
        let mut draft = Draft::new(deployment);
        draft.set(deployment.parameter("account").unwrap(), "220033004400").unwrap();
        let mut out = Vec::new();
        let result = ask(deployment, &mut draft, &mut answers.as_bytes(), &mut out);
        let values = result.map(|()| draft.finish().unwrap().values().map(|(_, value)| value.to_owned()).collect());
        (String::from_utf8(out).unwrap(), values)
    }

    #[test]
    fn what_is_not_given_is_asked_for() {
        let answers = "https://oidc.eks.eu-west-1.amazonaws.com/id/0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B\n\n\n\nregistry.test/writer:1\n\
            registry.test/portal:1\nShop\n shop.test \nZ0ZZZZZZZZ\n\n";
        let (out, values) = asked(answers);
        let values = values.unwrap();
        let want = [
            "oidc.eks.eu-west-1.amazonaws.com/id/0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B",
            "eu-west-1",
            "220033004400",
            "invoicing",
            "invoices-220033004400",
            "registry.test/writer:1",
            "registry.test/portal:1",
            "shop.test",
            "Z0ZZZZZZZZ",
            "hostmaster@shop.test",
        ];
        assert_eq!(values, want);
        assert!(!out.contains("account: "), "{out}");
        assert!(
            out.contains("  [eu-west-1] ") && out.contains("  [invoices-220033004400] ") && out.contains("  [hostmaster@shop.test] "),
            "{out}"
        );
        assert!(
            out.contains(
                "  `domain`: `Shop` is wrong; expected: a DNS name of two labels or more, in lower case, such as `invoices.example`"
            ),
            "{out}"
        );
    }

    #[test]
    fn an_answer_that_does_not_come_is_told() {
        let (_, values) = asked("\n");
        assert!(values.unwrap_err().to_string().starts_with("`issuer` was not answered: "));
    }

    #[test]
    fn lists_are_files_of_values() {
        for deployment in &deployments().unwrap() {
            let text = needs(deployment);
            let open = Placed::new("values.yaml", text.clone().into_bytes()).unwrap().get::<BTreeMap<String, Option<String>>>().unwrap().0;
            let required: Vec<&str> =
                deployment.parameters.iter().filter(|one| one.default.is_none()).map(|one| one.name.as_str()).collect();
            let mut names: Vec<&str> = open.keys().map(String::as_str).collect();
            names.sort_by_key(|name| required.iter().position(|known| known == name));
            assert_eq!(names, required, "{text}");
            // With every comment on a value made a value, it has them all.
            let all = deployment
                .parameters
                .iter()
                .filter(|one| one.default.is_some())
                .fold(text, |text, one| text.replace(&format!("# {}: ", one.name), &format!("{}: ", one.name)));
            let all = Placed::new("values.yaml", all.into_bytes()).unwrap().get::<BTreeMap<String, Option<String>>>().unwrap().0;
            assert_eq!(all.len(), deployment.parameters.len());
        }
    }
}
