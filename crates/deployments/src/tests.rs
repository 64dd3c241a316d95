//! What must hold of every deployment, whoever writes it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice, reason = "tests")]

use std::collections::HashSet;
use std::sync::Arc;

use fedward_manifest::{Document, Kind as NodeKind, Limits, Node, Source, parse, split};
use regex_lite::Regex;

use crate::render::{is_word, render};
use crate::{Deployment, Draft, Filled, Kind, Parameter, deployments};

/// GUIDs that are the same for everybody. None is needed yet: role definitions are named by their names.
const GUIDS: [&str; 0] = [];
/// Hosts that are the same for everybody: APIs, sign-in, certificate authorities.
const HOSTS: [&str; 8] = [
    "acme-v02.api.letsencrypt.org",
    "container.googleapis.com",
    "kubernetes.default.svc",
    "graph.microsoft.com",
    "iam.googleapis.com",
    "login.microsoftonline.com",
    "schema.management.azure.com",
    "www.googleapis.com",
];
/// What stands where a sample stood.
const GONE: &str = "\u{1}";

fn pairs<'a>(deployment: &'a Deployment, value: &'a str) -> Vec<(&'a str, &'a str)> {
    deployment.parameters.iter().map(|parameter| (parameter.sample.as_str(), value)).collect()
}

/// Every file with the deployment it belongs to.
fn each(visit: impl Fn(&Deployment, &str, &str)) {
    let all = deployments().unwrap();
    assert!(all.len() >= 7, "only {}", all.len());
    for deployment in &all {
        assert!(deployment.files.iter().any(|file| file.path == "fedward.yaml"), "{}", deployment.name);
        for file in deployment.files {
            visit(deployment, file.path, file.text);
        }
    }
}

#[test]
fn parameters_are_well_formed() {
    let name = Regex::new("^[a-z]+(-[a-z]+)*$").unwrap();
    for deployment in deployments().unwrap() {
        let (mut names, mut samples) = (HashSet::new(), HashSet::new());
        for Parameter { name: own, help, kind, sample, differs, .. } in &deployment.parameters {
            let at = format!("{} of {}", own, deployment.name);
            assert!(name.is_match(own) && names.insert(own), "{at}");
            assert!(samples.insert(sample), "{at}: the sample of another");
            assert!(differs.as_ref().is_none_or(|other| other != own && names.contains(other)), "{at}: {differs:?} is no earlier one");
            assert_eq!(kind.read(sample).as_ref(), Ok(sample), "{at}");
            assert!(!help.is_empty() && !help.ends_with('.') && !help.contains('\n') && help.len() < 140, "{at}: {help}");
        }
    }
}

/// A default is right for right values, and comes from earlier parameters alone.
#[test]
fn defaults_can_be_known() {
    for deployment in deployments().unwrap() {
        let mut draft = Draft::new(&deployment);
        for parameter in &deployment.parameters {
            match &parameter.default {
                Some(default) => {
                    assert!(draft.default_of(parameter).is_some(), "{} of {}: {default}", parameter.name, deployment.name);
                    assert!(!default.contains(".example"), "{default}");
                }
                None => draft.set(parameter, &parameter.sample).unwrap(),
            }
        }
        assert!(draft.missing().is_empty());
    }
}

#[test]
fn every_sample_stands_in_the_manifests() {
    for deployment in deployments().unwrap() {
        for parameter in &deployment.parameters {
            // Other samples may hold this one: somewhere it has to stand by itself.
            let alone: Vec<(&str, &str)> = deployment
                .parameters
                .iter()
                .map(|other| (other.sample.as_str(), if other.name == parameter.name { GONE } else { other.sample.as_str() }))
                .collect();
            let is_there = deployment.files.iter().any(|file| render(file.text, &alone).contains(GONE));
            assert!(is_there, "{}: nothing is replaced by `{}`", deployment.name, parameter.name);
        }
    }
}

/// Two samples may lie in one another, where the longer is meant; they never overlap in part, and none is the middle of another word.
#[test]
fn samples_are_words_and_do_not_overlap() {
    each(|deployment, path, text| {
        for text in [text, path] {
            let mut found: Vec<(usize, usize, &str)> = Vec::new();
            for sample in deployment.parameters.iter().map(|parameter| parameter.sample.as_str()) {
                found.extend(text.match_indices(sample).map(|(start, _)| (start, start + sample.len(), sample)));
            }
            for (start, end, sample) in &found {
                let (before, after) = (text[..*start].chars().next_back(), text[*end..].chars().next());
                let lies_in_another = found.iter().any(|(from, to, other)| from <= start && end <= to && other.len() > sample.len());
                assert!(lies_in_another || is_word(before, sample, after), "{path}: `{sample}` in the middle of a word");
                let crosses = found.iter().find(|(from, to, _)| from < start && start < to && to < end);
                assert!(crosses.is_none(), "{path}: `{sample}` and {crosses:?}");
            }
        }
    });
}

#[test]
fn samples_as_values_change_nothing() {
    each(|deployment, path, text| {
        let same: Vec<(&str, &str)> =
            deployment.parameters.iter().map(|parameter| (parameter.sample.as_str(), parameter.sample.as_str())).collect();
        assert_eq!(render(text, &same), text, "{path}");
    });
}

/// What belongs to somebody is a parameter: ids, accounts, hosts.
#[test]
fn what_belongs_to_somebody_is_a_parameter() {
    let guid = Regex::new("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").unwrap();
    let arn = Regex::new("arn:[a-z-]+:[^\\s\"',\\]]*").unwrap();
    let host = Regex::new("https?://([^\\s/:\"']+)").unwrap();
    let mail = Regex::new("[A-Za-z0-9._-]+@[A-Za-z0-9.\u{1}-]+").unwrap();
    let digits = Regex::new("\\b[0-9]{10,}\\b").unwrap();
    each(|deployment, path, text| {
        let at = format!("{}/{path}", deployment.name);
        let left = render(text, &pairs(deployment, GONE));
        for found in guid.find_iter(&left) {
            assert!(GUIDS.contains(&found.as_str()), "{at}: `{}`", found.as_str());
        }
        for found in arn.find_iter(&left) {
            let parts: Vec<&str> = found.as_str().splitn(6, ':').collect();
            assert!(parts.len() == 6, "{at}: `{}`", found.as_str());
            // A bucket has no account: its name is what belongs to somebody.
            let bucket = parts[2] != "s3" || parts[5].starts_with(GONE);
            let (region, account) = (["", GONE].contains(&parts[3]), ["", "aws", GONE].contains(&parts[4]));
            assert!(parts[1] == "aws" && region && account && bucket, "{at}: `{}`", found.as_str());
        }
        for found in host.captures_iter(&left) {
            let host = found.get(1).unwrap().as_str();
            // A name without a dot is a Service of the namespace.
            assert!(HOSTS.contains(&host) || host.contains(GONE) || !host.contains('.'), "{at}: `{host}`");
        }
        for found in mail.find_iter(&left) {
            assert!(found.as_str().contains(GONE), "{at}: `{}`", found.as_str());
        }
        if let Some(found) = digits.find(&left) {
            panic!("{at}: `{}`", found.as_str());
        }
        assert!(!left.contains(".example"), "{at}");
    });
}

/// Values as odd as their kinds allow, each another.
fn odd(parameter: &Parameter, number: usize) -> String {
    let guid = |seed: usize| format!("{seed:07}e-1000-0000-0000-{seed:012}");
    let number = number + 1;
    match parameter.kind {
        Kind::Name => format!("e{number}-0x1f"),
        Kind::DnsName => format!("1e{number}.0.xn--test"),
        Kind::Email => format!("1.{number}%a+b-c_d@1e1.test"),
        Kind::Image => format!("127.0.0.1:5000/e{number}/a__b.c:1e3"),
        Kind::ImageRegistry => format!("1e{number}:5000/1e3"),
        Kind::DevopsRepository => format!("https://dev.azure.com/1e{number}/a%20b/_git/-.c"),
        Kind::GithubName => format!("No-{number}-"),
        Kind::GithubRepository => format!("0_No-{number}-"),
        Kind::Folder => format!("_{number}/1e3"),
        Kind::Repository => format!("https://git.test:1/~a/{number}%20b"),
        Kind::Server => format!("https://1e{number}.test:6443"),
        Kind::Certificates => {
            use base64::Engine as _;
            base64::prelude::BASE64_STANDARD.encode(format!("-----BEGIN CERTIFICATE-----\n{number}\n-----END CERTIFICATE-----\n"))
        }
        Kind::Guid => guid(number),
        Kind::AksIssuer => format!("https://testland{}.oic.prod-aks.azure.com/{}/{}/", number % 10, guid(90 + number), guid(190 + number)),
        Kind::AzureRegion => format!("testland{}{}", "x".repeat(number), number % 10),
        Kind::AzureName => format!("No_{number}-x"),
        Kind::AzureGroup => format!("e{number}-1.0x1f"),
        Kind::AzureRegistry => format!("null{number}"),
        Kind::EksIssuer => format!("oidc.eks.ap-test-{}.amazonaws.com/id/{number:032}", number % 10),
        Kind::AwsAccount => format!("{number:012}"),
        Kind::AwsRegion => format!("us-test-{}", number % 10),
        Kind::Bucket => format!("e{number}---0.1"),
        Kind::HostedZone => format!("Z0000{number}"),
        Kind::GcpProject => format!("e12345-{number}"),
        Kind::GcpProjectNumber => format!("{number}00000"),
        Kind::GcpLocation => format!("e-e{number}"),
    }
}

fn filled(deployment: &Deployment) -> Filled<'_> {
    let mut draft = Draft::new(deployment);
    for (number, parameter) in deployment.parameters.iter().enumerate() {
        draft.set(parameter, &odd(parameter, number)).unwrap();
    }
    draft.finish().unwrap()
}

fn documents(text: &str) -> Vec<Document> {
    let source = Arc::new(Source::from_text("", text.to_owned()).unwrap());
    let limits = Limits::default();
    split(&source, &limits)
        .chunks
        .into_iter()
        .filter_map(|chunk| {
            let parsed = parse(&source, chunk, &limits);
            assert!(parsed.problems.is_empty(), "{:?}\n{text}", parsed.problems);
            parsed.document.filter(|document| !document.is_empty())
        })
        .collect()
}

/// Two nodes of one shape: the same keys, the same kinds, texts that are JSON still are.
fn compare(before: Node<'_>, after: Node<'_>, at: &str) {
    match (before.kind(), after.kind()) {
        (NodeKind::Map, NodeKind::Map) => {
            let (before, after): (Vec<_>, Vec<_>) = (before.entries().collect(), after.entries().collect());
            let keys = |entries: &[fedward_manifest::Entry<'_>]| entries.iter().map(|entry| entry.key.to_owned()).collect::<Vec<_>>();
            // A service account can be a key of a setting.
            let has_names = at.ends_with("/identityOwners");
            assert!(keys(&before) == keys(&after) || (has_names && before.len() == after.len()), "{at}: {:?}", keys(&after));
            for (before, after) in before.iter().zip(&after) {
                compare(before.value, after.value, &format!("{at}/{}", before.key));
            }
        }
        (NodeKind::Seq, NodeKind::Seq) => {
            let (before, after): (Vec<_>, Vec<_>) = (before.items().collect(), after.items().collect());
            assert_eq!(before.len(), after.len(), "{at}");
            before.iter().zip(&after).for_each(|(before, after)| compare(*before, *after, at));
        }
        (NodeKind::Str(before), NodeKind::Str(after)) => {
            if at.ends_with("/apiVersion") || at.ends_with("/kind") {
                assert_eq!(before, after, "{at}");
            }
            if before.starts_with('{') && !before.starts_with("{{") {
                // Conditions of IAM have the issuer in their keys: what must stay is that it is one document of JSON.
                assert!(documents(before).len() == 1 && documents(after).len() == 1, "{at}");
                assert_eq!(
                    before.matches(['{', '}', '[', ']', '"', ',']).count(),
                    after.matches(['{', '}', '[', ']', '"', ',']).count(),
                    "{at}"
                );
            }
        }
        (before, after) => assert_eq!(before, after, "{at}"),
    }
}

/// However odd the values, the manifests are the same but for them: no value begins a comment, a map or another type.
#[test]
fn values_change_nothing_but_values() {
    for deployment in deployments().unwrap() {
        let filled = filled(&deployment);
        let files = filled.files().unwrap();
        assert_eq!(files.len(), deployment.files.len());
        for (file, (path, text)) in deployment.files.iter().zip(&files) {
            let (before, after) = (documents(file.text), documents(text));
            assert_eq!(before.len(), after.len(), "{path}");
            for (before, after) in before.iter().zip(&after) {
                compare(before.root(), after.root(), &format!("{}/{path}", deployment.name));
            }
            assert_eq!(file.text.lines().count(), text.lines().count(), "{path}");
            assert_eq!(file.text.matches(" #").count(), text.matches(" #").count(), "{path}: comments");
            for parameter in &deployment.parameters {
                assert!(!text.contains(&parameter.sample) && !path.contains(&parameter.sample), "{path}: `{}`", parameter.sample);
            }
        }
    }
}
