//! Values on their way into a deployment.

use std::collections::{BTreeMap, HashSet};

use crate::model::{Deployment, Parameter};
use crate::render::render;

/// A deployment with the values that are known so far.
#[derive(Debug)]
pub struct Draft<'d> {
    deployment: &'d Deployment,
    values: BTreeMap<&'d str, String>,
}

/// A deployment with all its values.
#[derive(Debug)]
pub struct Filled<'d> {
    deployment: &'d Deployment,
    /// In the order of the parameters.
    values: Vec<(&'d Parameter, String)>,
}

impl<'d> Draft<'d> {
    /// Nothing is known yet.
    pub fn new(deployment: &'d Deployment) -> Self {
        Draft { deployment, values: BTreeMap::new() }
    }

    /// Takes a value.
    ///
    /// # Errors
    /// Why it cannot be that, in a sentence.
    pub fn set(&mut self, parameter: &'d Parameter, text: &str) -> Result<(), String> {
        let value = parameter.read(text)?;
        self.values.insert(&parameter.name, value);
        Ok(())
    }

    /// Whether a value was given.
    pub fn has(&self, parameter: &Parameter) -> bool {
        self.values.contains_key(parameter.name.as_str())
    }

    /// The value that a parameter has if none is given, from those that are given; `None` if it has none.
    pub fn default_of(&self, parameter: &Parameter) -> Option<String> {
        let mut rest = parameter.default.as_deref()?;
        let mut text = String::new();
        while let Some((before, after)) = rest.split_once('{') {
            let (reference, after) = after.split_once('}')?;
            let (name, part) = reference.split_once('.').map_or((reference, None), |(name, part)| (name, Some(part)));
            // Only from earlier ones, so that this ends.
            let other =
                self.deployment.parameters.iter().take_while(|other| other.name != parameter.name).find(|other| other.name == name)?;
            let value = match self.values.get(name) {
                Some(value) => value.clone(),
                None => self.default_of(other)?,
            };
            text.push_str(before);
            text.push_str(&match part {
                Some(part) => other.kind.part(&value, part)?,
                None => value,
            });
            rest = after;
        }
        text.push_str(rest);
        // Made of right values it can still be wrong, too long for one.
        parameter.kind.read(&text).ok()
    }

    /// The parameters that have to be given. Those that follow from others come by themselves, once the others are there.
    pub fn missing(&self) -> Vec<&'d Parameter> {
        let is_open = |parameter: &Parameter| !self.has(parameter) && self.default_of(parameter).is_none();
        let follows = |parameter: &Parameter| self.deployment.parameters.iter().any(|other| parameter.comes_from(other) && is_open(other));
        self.deployment.parameters.iter().filter(|parameter| is_open(parameter) && !follows(parameter)).collect()
    }

    /// The deployment with these values, and defaults for the others.
    ///
    /// # Errors
    /// Everything that is wrong, a sentence each: values that are missing, and those that must differ and do not.
    pub fn finish(self) -> Result<Filled<'d>, Vec<String>> {
        let mut wrong: Vec<String> = self.missing().into_iter().map(|one| format!("`{}` is required: {}", one.name, one.help)).collect();
        let mut values: Vec<(&Parameter, String)> = Vec::new();
        for parameter in &self.deployment.parameters {
            let Some(value) = self.values.get(parameter.name.as_str()).cloned().or_else(|| self.default_of(parameter)) else { continue };
            for (other, known) in &values {
                let must_differ =
                    parameter.differs.as_ref() == Some(&other.name) || (other.kind == parameter.kind && other.kind.is_unique());
                if must_differ && known.eq_ignore_ascii_case(&value) {
                    // Nobody compares certificates by reading them.
                    let shown = parameter.kind.example(&value).map_or_else(String::new, |value| format!(", `{value}`"));
                    wrong.push(format!("`{}` and `{}` have one value{shown}: they are two things", other.name, parameter.name));
                }
            }
            values.push((parameter, value));
        }
        if wrong.is_empty() { Ok(Filled { deployment: self.deployment, values }) } else { Err(wrong) }
    }
}

impl Filled<'_> {
    /// The parameters and their values.
    pub fn values(&self) -> impl Iterator<Item = (&Parameter, &str)> {
        self.values.iter().map(|(parameter, value)| (*parameter, value.as_str()))
    }

    /// The files, each with its place below the deployment's folder and its text.
    ///
    /// # Errors
    /// Two files that would have one name.
    pub fn files(&self) -> Result<Vec<(String, String)>, String> {
        let pairs: Vec<(&str, &str)> = self.values.iter().map(|(parameter, value)| (parameter.sample.as_str(), value.as_str())).collect();
        let mut names = HashSet::new();
        let mut files = Vec::new();
        for file in self.deployment.files {
            // Part by part, so that no value makes a folder of its own.
            let path: Vec<String> = file.path.split('/').map(|part| render(part, &pairs).replace(['/', '\\'], "-")).collect();
            let path = path.join("/");
            if !names.insert(path.clone()) {
                return Err(format!("two files would be called `{path}`: give the names in `{}` different values", file.path));
            }
            files.push((path, render(file.text, &pairs)));
        }
        Ok(files)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::{File, Kind};

    fn parameter(name: &str, kind: Kind, sample: &str, default: Option<&str>) -> Parameter {
        Parameter {
            name: name.to_owned(),
            help: "…".to_owned(),
            kind,
            sample: sample.to_owned(),
            default: default.map(str::to_owned),
            differs: None,
        }
    }

    fn deployment() -> Deployment {
        const FILES: &[File] =
            &[File { path: "a/shop.yaml", text: "name: shop # in eu-west-1\n" }, File { path: "a/blue.yaml", text: "bucket: shop-1\n" }];
        Deployment {
            name: "sample",
            summary: String::new(),
            parameters: vec![
                parameter("issuer", Kind::EksIssuer, "oidc.eks.eu-west-1.amazonaws.com/id/0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A", None),
                parameter("region", Kind::AwsRegion, "eu-west-1", Some("{issuer.region}")),
                parameter("app", Kind::Name, "shop", None),
                parameter("cluster", Kind::Name, "blue", Some("blue")),
                parameter("bucket", Kind::Bucket, "shop-1", Some("{app}-{region}-data")),
                parameter("other", Kind::Bucket, "other-1", Some("{bucket}-{app}")),
            ],
            files: FILES,
        }
    }

    fn filled<'d>(deployment: &'d Deployment, values: &[(&str, &str)]) -> Result<Filled<'d>, Vec<String>> {
        let mut draft = Draft::new(deployment);
        for (name, value) in values {
            draft.set(deployment.parameter(name).unwrap(), value).unwrap();
        }
        draft.finish()
    }

    const ISSUER: &str = "https://oidc.eks.us-east-2.amazonaws.com/id/0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B0B";

    #[test]
    fn defaults_come_from_other_values() {
        let deployment = deployment();
        let filled = filled(&deployment, &[("issuer", ISSUER), ("app", "store")]).unwrap();
        let values: Vec<&str> = filled.values().map(|(_, value)| value).skip(1).collect();
        assert_eq!(values, ["us-east-2", "store", "blue", "store-us-east-2-data", "store-us-east-2-data-store"]);
        let files = filled.files().unwrap();
        let want = [("a/store.yaml", "name: store # in us-east-2\n"), ("a/blue.yaml", "bucket: store-us-east-2-data\n")];
        assert_eq!(files, want.map(|(path, text)| (path.to_owned(), text.to_owned())));
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let deployment = deployment();
        // Without an issuer there is no region, without that no bucket: the issuer is what has to be given.
        let wrong = filled(&deployment, &[]).unwrap_err();
        let names: Vec<&str> = wrong.iter().map(|text| text.split('`').nth(1).unwrap()).collect();
        assert_eq!(names, ["issuer", "app"]);
        let same = filled(&deployment, &[("issuer", ISSUER), ("app", "store"), ("bucket", "data"), ("other", "data")]).unwrap_err();
        assert_eq!(same, ["`bucket` and `other` have one value, `data`: they are two things"]);
    }

    #[test]
    fn two_files_have_two_names() {
        let deployment = deployment();
        let filled = filled(&deployment, &[("issuer", ISSUER), ("app", "store"), ("cluster", "store")]).unwrap();
        assert!(filled.files().unwrap_err().starts_with("two files would be called `a/store.yaml`"));
    }

    #[test]
    fn a_default_that_cannot_be_is_none() {
        let deployment = deployment();
        let long = "a".repeat(40);
        let mut draft = Draft::new(&deployment);
        draft.set(deployment.parameter("issuer").unwrap(), ISSUER).unwrap();
        draft.set(deployment.parameter("app").unwrap(), &long).unwrap();
        assert!(draft.default_of(deployment.parameter("bucket").unwrap()).is_some());
        assert_eq!(draft.default_of(deployment.parameter("other").unwrap()), None);
    }
}
