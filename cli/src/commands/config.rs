//! `fedward config`.

use std::fmt::Write as _;

use anyhow::Result;
use fedward_config::{FILE_NAME, Loaded, Threshold};
use serde_json::json;

use crate::args::{Config as Args, ListFormat};
use crate::exit::Exit;
use crate::outputs;
use crate::setup::{Request, Setup};

pub(crate) fn run(args: &Args) -> Result<Exit> {
    if args.schema {
        outputs::print(&format!("{:#}\n", fedward_config::schema()))?;
        return Ok(Exit::Clean);
    }
    let paths = std::slice::from_ref(&args.path);
    let Setup { loaded, .. } = Setup::new(&Request { paths, config: args.config.as_deref(), ..Request::default() })?;
    let values = in_force(&loaded);
    let mut out = String::new();
    match args.format {
        ListFormat::Json => {
            let values: Vec<_> = values.iter().map(|(name, value, from)| json!({ "name": name, "value": value, "from": from })).collect();
            writeln!(out, "{}", serde_json::to_string_pretty(&json!({ "schema_version": 1, "values": values }))?)?;
        }
        ListFormat::Human => {
            match &loaded.file {
                Some(file) => writeln!(out, "configuration: {}", file.display())?,
                None => writeln!(out, "configuration: none (no {FILE_NAME} for `{}`)", args.path.display())?,
            }
            for (name, value, from) in values {
                writeln!(out, "{name}: {value}  # {from}")?;
            }
        }
    }
    outputs::print(&out)?;
    Ok(Exit::Clean)
}

/// Every value that is in force: name, value, where it comes from.
fn in_force(loaded: &Loaded) -> Vec<(String, serde_json::Value, String)> {
    let config = &loaded.config;
    let from = |pointer: &str, is_set: bool| if is_set { loaded.at(pointer) } else { "default".to_owned() };
    let mut values = vec![
        ("namespace".to_owned(), json!(config.namespace.as_deref().unwrap_or("default")), from("/namespace", config.namespace.is_some())),
        ("closedWorld".to_owned(), json!(config.closed_world.unwrap_or(false)), from("/closedWorld", config.closed_world.is_some())),
        ("failOn".to_owned(), json!(config.fail_on.unwrap_or(Threshold::Error)), from("/failOn", config.fail_on.is_some())),
        ("paths.include".to_owned(), json!(config.paths.include), from("/paths/include", !config.paths.include.is_empty())),
        ("paths.exclude".to_owned(), json!(config.paths.exclude), from("/paths/exclude", !config.paths.exclude.is_empty())),
        ("context".to_owned(), json!(config.context), from("/context", !config.context.is_empty())),
    ];
    for (reference, place) in &config.modules {
        let pointer = format!("/modules/{}", reference.replace('~', "~0").replace('/', "~1"));
        values.push((format!("modules.{reference}"), json!(place), from(&pointer, true)));
    }
    for (name, value) in config.limits.set() {
        values.push((format!("limits.{name}"), json!(value), from(&format!("/limits/{name}"), true)));
    }
    for (rule, level) in &config.severities {
        values.push((format!("severities.{rule}"), json!(level), from(&format!("/severities/{rule}"), true)));
    }
    for builtin in fedward_modules::ALL {
        let own = config.policies.get(builtin.id);
        let enabled = own.and_then(|own| own.enabled);
        values.push((
            format!("policies.{}.enabled", builtin.id),
            json!(enabled.unwrap_or(true)),
            from(&format!("/policies/{}/enabled", builtin.id), enabled.is_some()),
        ));
        for field in builtin.policy.describe().settings {
            let set = own.and_then(|own| own.settings.get(field.name));
            let default = field.schema.get("default").cloned().unwrap_or(serde_json::Value::Null);
            let value = set.cloned().unwrap_or(default);
            values.push((
                format!("policies.{}.settings.{}", builtin.id, field.name),
                value,
                from(&format!("/policies/{}/settings/{}", builtin.id, field.name), set.is_some()),
            ));
        }
    }
    for (index, entry) in config.ignore.iter().enumerate() {
        values.push((format!("ignore.{index}"), json!(entry), from(&format!("/ignore/{index}"), true)));
    }
    values
}
