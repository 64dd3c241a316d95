//! `fedward check`.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use fedward_engine::{Options, Policy};
use fedward_host::{Host, Limits};
use fedward_kit::finding::Severity;
use fedward_modules::Builtin;
use fedward_outcome::Outcome;
use fedward_report::{RuleInfo, Tool};

use crate::args::Check;
use crate::config::{Level, Loaded, all_rules, today};
use crate::exit::Exit;
use crate::{inputs, progress};

pub(crate) fn run(args: &Check) -> Result<Exit> {
    let formats = formats(args)?;
    let loaded = Loaded::find(args.config.as_deref(), &args.paths)?;
    let config = &loaded.config;
    let policies = policies(args, &loaded)?;
    let base = loaded.file.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
    let context: Vec<PathBuf> = config.context.iter().map(|path| base.join(path)).chain(args.context.iter().cloned()).collect();
    let both = |one: &[String], other: &[String]| -> Vec<String> { one.iter().chain(other).cloned().collect() };
    let (inputs, skipped) = inputs::read(&inputs::Request {
        paths: &args.paths,
        context: &context,
        stdin_filename: &args.stdin_filename,
        include: &both(&config.paths.include, &args.include),
        exclude: &both(&config.paths.exclude, &args.exclude),
        config: loaded.file.as_deref(),
    })?;
    let namespace = args.namespace.clone().or_else(|| config.namespace.clone()).unwrap_or_else(|| "default".to_owned());
    let mut options = Options {
        namespace,
        closed_world: args.closed_world || config.closed_world.unwrap_or(false),
        ignores: loaded.ignores(),
        use_ignores: !args.no_ignores,
        known_rules: all_rules(),
        today: today(),
        input_severities: config.severities.iter().map(|(rule, level)| (rule.clone(), level.severity())).collect(),
        ..Options::default()
    };
    config.limits.apply(&mut options.limits, &mut options.max_objects);
    if args.threads > 0 {
        options.threads = args.threads;
    }
    let (mut outcome, _) = progress::shown(args.quiet, |count| fedward_engine::run(inputs, &policies, &options, count));
    outcome.skipped.splice(0..0, skipped);
    for (format, file) in &formats {
        match file {
            Some(file) => {
                let out = File::create(file).with_context(|| format!("cannot write `{}`", file.display()))?;
                write(*format, &outcome, args, false, &mut BufWriter::new(out))
                    .with_context(|| format!("cannot write `{}`", file.display()))?;
            }
            None => {
                let stdout = io::stdout();
                let color = anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never;
                write(*format, &outcome, args, color, &mut BufWriter::new(stdout.lock()))?;
            }
        }
    }
    let threshold = args.fail_on.map(Severity::from).or_else(|| config.fail_on.and_then(Level::severity)).unwrap_or(Severity::Error);
    Ok(exit(&outcome, threshold, args.allow_empty))
}

/// The first that applies, most serious first (ARCHITECTURE.md, exit codes).
fn exit(outcome: &Outcome, threshold: Severity, allow_empty: bool) -> Exit {
    let counts = outcome.findings.iter().any(|finding| finding.suppressed.is_none() && finding.severity >= threshold);
    if !outcome.not_evaluated.is_empty() {
        Exit::NotJudged
    } else if counts {
        Exit::Findings
    } else if outcome.evaluated == 0 && !allow_empty {
        Exit::Nothing
    } else {
        Exit::Clean
    }
}

#[derive(Debug, Clone, Copy)]
enum Format {
    Human,
    Json,
    Sarif,
}

fn formats(args: &Check) -> Result<Vec<(Format, Option<PathBuf>)>> {
    let mut formats = Vec::new();
    for text in &args.format {
        let (name, file) = text.split_once('=').map_or((text.as_str(), None), |(name, file)| (name, Some(PathBuf::from(file))));
        let format = match name {
            "human" => Format::Human,
            "json" => Format::Json,
            "sarif" => Format::Sarif,
            other => bail!("no such format: `{other}` (`human`, `json` or `sarif`)"),
        };
        formats.push((format, file));
    }
    if let (Some(output), Some((_, file @ None))) = (&args.output, formats.first_mut()) {
        *file = Some(output.clone());
    }
    if formats.iter().filter(|(_, file)| file.is_none()).count() > 1 {
        bail!("only one format can go to standard output: give the others a file, as in `--format sarif=fedward.sarif`");
    }
    Ok(formats)
}

fn policies(args: &Check, loaded: &Loaded) -> Result<Vec<Policy>> {
    let mut files: HashMap<&str, serde_json::Map<String, serde_json::Value>> = HashMap::new();
    for text in &args.settings {
        let (policy, file) = text.split_once('=').with_context(|| format!("`{text}` is not of the form POLICY=FILE"))?;
        known(policy)?;
        let content = std::fs::read_to_string(file).with_context(|| format!("cannot read `{file}`"))?;
        let value = fedward_engine::from_yaml(&content).map_err(|error| anyhow::anyhow!("`{file}`: {error}"))?;
        files.insert(policy, value);
    }
    let enabled = |builtin: &&'static Builtin| loaded.config.policies.get(builtin.id).and_then(|policy| policy.enabled).unwrap_or(true);
    let chosen: Vec<&'static Builtin> = if args.policy.is_empty() {
        fedward_modules::ALL.iter().filter(enabled).collect()
    } else {
        args.policy.iter().map(|id| known(id)).collect::<Result<_>>()?
    };
    let host = Host::new(Limits::default());
    let mut policies = Vec::new();
    for builtin in chosen {
        let rules: Vec<&str> = builtin.policy.describe().rules.iter().map(|rule| rule.id).collect();
        let mut settings = loaded.settings(builtin.id, &rules);
        settings.extend(files.remove(builtin.id).unwrap_or_default());
        policies.push(Policy::builtin(&host, builtin, &settings.into())?);
    }
    Ok(policies)
}

fn known(id: &str) -> Result<&'static Builtin> {
    fedward_modules::find(id).with_context(|| {
        let names: Vec<&str> = fedward_modules::ALL.iter().map(|builtin| builtin.id).collect();
        format!("no such policy: `{id}` (there are {})", names.join(", "))
    })
}

fn write(format: Format, outcome: &Outcome, args: &Check, color: bool, out: &mut dyn Write) -> Result<()> {
    let tool = Tool { name: "fedward", version: env!("CARGO_PKG_VERSION"), home: None };
    match format {
        Format::Human => {
            let options = fedward_report::Options { color, verbose: args.verbose, quiet: args.quiet, ..fedward_report::Options::default() };
            fedward_report::human(outcome, &options, out)?;
        }
        Format::Json => fedward_report::json(outcome, &tool, out)?,
        Format::Sarif => {
            let policies = super::descriptors();
            let pages: Vec<(String, &'static str, &fedward_kit::policy::RuleDescriptor)> = policies
                .iter()
                .flat_map(|policy| policy.rules.iter().map(move |rule| (format!("docs/rules/{}.md", rule.id), policy.id, rule)))
                .collect();
            let rules: Vec<RuleInfo<'_>> = pages
                .iter()
                .map(|(docs, policy, rule)| RuleInfo {
                    id: rule.id,
                    policy,
                    summary: rule.summary,
                    default_severity: rule.conditions.iter().map(|condition| condition.severity).max().unwrap_or(Severity::Info),
                    docs,
                })
                .collect();
            fedward_report::sarif(outcome, &tool, &rules, out)?;
        }
    }
    out.flush()?;
    Ok(())
}
