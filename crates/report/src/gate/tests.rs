#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use fedward_kit::finding::Severity;
use fedward_outcome::{Deployed, Finding, NotEvaluated, Outcome, Rendered, State, Suppression, SuppressionKind, Unread};
use serde_json::Value;

use super::{Gate, Verdict};
use crate::entry::{NOT_RENDERED, entries};
use crate::testing::{GATE, RULES, TOOL, WEB, at, deployed, finding, outcome, related, text};
use crate::{Options, azure, github, gitlab, human, json, junit, sarif, termination_log};

#[test]
fn what_is_not_rendered_is_listed_and_does_not_pass() {
    let strict = Gate { strict: true, ..GATE };
    for (state, lax, strictly) in [
        (State::Rendered, Verdict::Passed, Verdict::Passed),
        (State::Untouched, Verdict::Passed, Verdict::Passed),
        (State::Deferred, Verdict::Passed, Verdict::NotJudged),
        (State::Partial, Verdict::NotJudged, Verdict::NotJudged),
        (State::Failed, Verdict::NotJudged, Verdict::NotJudged),
    ] {
        let outcome = Outcome { deployed: vec![application(state)], evaluated: 1, ..Outcome::default() };
        assert_eq!((GATE.verdict(&outcome), strict.verdict(&outcome)), (lax, strictly));
        let listed: Vec<String> = entries(&outcome, &GATE).map(|entry| format!("{}: {}", entry.id, entry.message)).collect();
        let expected = format!("{NOT_RENDERED}: Application argocd/web is {}: the repository is not here", state.name());
        assert_eq!(listed, if matches!(state, State::Rendered | State::Untouched) { Vec::new() } else { vec![expected] });
    }
}

fn application(state: State) -> Deployed {
    deployed("argocd/web", state)
}

/// What a run with `--strict` does not pass for is told with the flag and with numbers, wherever a reason is.
#[test]
fn what_only_strict_counts_is_told_as_such() {
    let all = [State::Deferred, State::Partial, State::Deferred, State::Deferred, State::Deferred];
    let all: Vec<Deployed> = all.into_iter().map(application).collect();
    let outcome = Outcome { deployed: all, evaluated: 3, evaluated_applications: 2, ..outcome(Vec::new()) };
    let why = "5 not rendered (1 partial, 4 deferred, which `--strict` counts)";
    let gate = Gate { strict: true, ..GATE };
    let quiet = Options { quiet: true, ..Options::default() };
    for (name, written) in [
        ("human", text(|out| human(&outcome, &gate, &Options::default(), out))),
        ("human, quiet", text(|out| human(&outcome, &gate, &quiet, out))),
        ("json", text(|out| json(&outcome, &gate, &TOOL, out))),
        ("sarif", text(|out| sarif(&outcome, &gate, &TOOL, RULES, out))),
        ("github", text(|out| github(&outcome, &gate, out))),
        ("junit", text(|out| junit(&outcome, &gate, out))),
        ("azure", text(|out| azure(&outcome, &gate, out))),
        ("termination-log", text(|out| termination_log(&outcome, &gate, out))),
    ] {
        assert!(written.contains(why), "{name}: {written}");
        // Of a CI system, which and why as well, and no more than a few.
        if ["github", "junit", "azure"].contains(&name) {
            let line = written.lines().find(|line| line.contains(why)).unwrap();
            assert!(line.contains(": Application argocd/web is partial: the repository is not here; "), "{name}: {line}");
            assert!(line.contains("is deferred") && line.contains(" (+2 more)"), "{name}: {line}");
        }
        if name.starts_with("human") {
            assert!(written.trim_end().ends_with(&format!("error: {why}")), "{name}: {written}");
        }
    }
    assert!(!text(|out| human(&outcome, &GATE, &quiet, out)).contains("--strict"));
}

#[test]
fn a_reason_names_a_few_and_is_bounded() {
    let mut long = deployed("argocd/long", State::Failed);
    long.reasons = vec!["x".repeat(100_000)];
    let outcome = Outcome { deployed: vec![application(State::Partial), long], ..outcome(Vec::new()) };
    let reason = GATE.not_judged(&outcome).unwrap();
    assert!(reason.starts_with("2 not rendered (1 failed, 1 partial): Application argocd/long is failed: xxx"), "{reason}");
    assert!(reason.len() < 500 && reason.ends_with("…; Application argocd/web is partial: the repository is not here"), "{reason}");
    assert_eq!(GATE.not_judged(&Outcome::default()), None);
}

/// What is not applied as it stands in the file says who deploys it, and which value made it so.
#[test]
fn what_deploys_it_is_told_in_ci_formats() {
    let mut one = finding(at("charts/web/templates/a.yaml", WEB, "name: web"));
    let by = vec!["Application argocd/web".to_owned(), "Application argocd/shop".to_owned()];
    one.rendered = Some(Rendered { by, count: 5, text: "name: web".into(), exact: true });
    let values = at("values.yaml", "a: 1\nuse: no\n", "no");
    one.related = ["`use` is set here", "second", "third"].map(|message| related(values.clone(), message)).to_vec();
    let plain = Finding { rendered: None, ..one.clone() };
    let (outcome, plain) = (outcome(vec![one]), outcome(vec![plain]));
    type Write = fn(&Outcome, &mut dyn std::io::Write) -> std::io::Result<()>;
    let formats: [(&str, Write); 5] = [
        ("github", |outcome, out| github(outcome, &GATE, out)),
        ("azure", |outcome, out| azure(outcome, &GATE, out)),
        ("gitlab", |outcome, out| gitlab(outcome, &GATE, out)),
        ("junit", |outcome, out| junit(outcome, &GATE, out)),
        ("sarif", |outcome, out| sarif(outcome, &GATE, &TOOL, RULES, out)),
    ];
    for (name, write) in formats {
        let written = text(|out| write(&outcome, out));
        assert!(written.contains("deployed by Application argocd/web, Application argocd/shop (+3 more)"), "{name}: {written}");
        if name != "sarif" {
            assert!(written.contains("values.yaml:2:6: `use` is set here") && written.contains("second"), "{name}: {written}");
            assert!(!written.contains("third"), "{name}: {written}");
        }
        assert!(!text(|out| write(&plain, out)).contains("deployed by"), "{name}");
    }
}

/// A finding that says why an Application failed is not told once more for people; the counts and other formats keep both.
#[test]
fn a_failure_is_told_once() {
    let cause = at("app.yaml", "path: /x\n", "/x");
    let failed = Deployed { cause: Some(cause.clone()), ..deployed("argocd/web", State::Failed) };
    let said = Finding { message: failed.reasons[0].clone(), rule: "unrenderable-application".into(), ..finding(cause) };
    let elsewhere = Finding { location: at("app.yaml", "path: /x\n", "path"), ..said.clone() };
    let ignored = Suppression { kind: SuppressionKind::Inline, reason: "known".into() };
    let ignored = Finding { suppressed: Some(ignored), ..said.clone() };
    for (finding, times) in [(said, 1), (elsewhere, 2), (ignored, 1)] {
        let is_told = finding.suppressed.is_none() && times == 1;
        let outcome = Outcome { deployed: vec![failed.clone()], ..outcome(vec![finding]) };
        for quiet in [false, true] {
            let written = text(|out| human(&outcome, &GATE, &Options { quiet, ..Options::default() }, out));
            assert_eq!(written.matches("the repository is not here").count(), times, "{written}");
            assert_eq!(written.contains("failed: Application `argocd/web`"), !is_told, "{written}");
            assert_eq!(written.contains("1 Application: 1 failed"), !quiet, "{written}");
        }
        let json: Value = serde_json::from_str(&text(|out| json(&outcome, &GATE, &TOOL, out))).unwrap();
        assert_eq!((json["deployed"][0]["state"].as_str(), json["findings"].as_array().map(Vec::len)), (Some("failed"), Some(1)));
    }
}

/// Of every way to end: what is told, in each format, and that no format tells of a failure where there is none.
#[test]
fn every_format_says_why_a_run_does_not_pass() {
    let judged = || outcome(Vec::new());
    let found = |severity| outcome(vec![Finding { severity, ..finding(at("a.yaml", WEB, "name: web")) }]);
    let deploying = |state| Outcome { deployed: vec![application(state)], evaluated: 2, evaluated_applications: 1, ..judged() };
    let not_evaluated =
        NotEvaluated { location: at("a.yaml", WEB, "name: web"), object: None, policy: "labels".into(), reason: "it trapped".into() };
    let unread = Unread { file: "locked".into(), reason: "permission denied".into() };
    let (label, repository) = ("the label `example/use` is missing", "the repository is not here");
    let strict = Gate { strict: true, ..GATE };
    let empty = Gate { allow_empty: true, ..GATE };
    let warnings = Gate { fail_on: Severity::Warning, ..GATE };
    let infos = Gate { fail_on: Severity::Info, ..GATE };
    let all = [
        (judged(), GATE, Verdict::Passed, ""),
        (found(Severity::Warning), GATE, Verdict::Passed, ""),
        (found(Severity::Error), GATE, Verdict::Findings, label),
        (found(Severity::Warning), warnings, Verdict::Findings, label),
        (found(Severity::Info), infos, Verdict::Findings, label),
        (Outcome { not_evaluated: vec![not_evaluated], ..judged() }, GATE, Verdict::NotJudged, "it trapped"),
        (Outcome { unread: vec![unread], ..judged() }, GATE, Verdict::NotJudged, "permission denied"),
        (deploying(State::Failed), GATE, Verdict::NotJudged, repository),
        (deploying(State::Partial), GATE, Verdict::NotJudged, repository),
        (deploying(State::Deferred), GATE, Verdict::Passed, ""),
        (deploying(State::Deferred), strict, Verdict::NotJudged, repository),
        (Outcome::default(), GATE, Verdict::Nothing, "nothing was judged"),
        (Outcome::default(), empty, Verdict::Passed, ""),
        (Outcome { evaluated: 0, ..found(Severity::Info) }, GATE, Verdict::Nothing, "nothing was judged"),
        (Outcome { evaluated: 1, ..deploying(State::Deferred) }, GATE, Verdict::Nothing, "nothing was judged of what"),
    ];
    for (outcome, gate, verdict, why) in all {
        let case = format!("{verdict:?} {why:?} {:?}", outcome.deployed);
        assert_eq!(gate.verdict(&outcome), verdict, "{case}");
        assert_eq!(gate.why(&outcome).is_none(), verdict == Verdict::Passed, "{case}");
        let quiet = Options { quiet: true, ..Options::default() };
        let formats = [
            ("human", text(|out| human(&outcome, &gate, &Options::default(), out))),
            ("human, quiet", text(|out| human(&outcome, &gate, &quiet, out))),
            ("json", text(|out| json(&outcome, &gate, &TOOL, out))),
            ("sarif", text(|out| sarif(&outcome, &gate, &TOOL, RULES, out))),
            ("github", text(|out| github(&outcome, &gate, out))),
            ("gitlab", text(|out| gitlab(&outcome, &gate, out))),
            ("junit", text(|out| junit(&outcome, &gate, out))),
            ("azure", text(|out| azure(&outcome, &gate, out))),
            ("termination-log", text(|out| termination_log(&outcome, &gate, out))),
        ];
        for (name, written) in &formats {
            // The summary for people and the verdict of a log are shorter.
            let short = if why.starts_with("nothing") { "nothing was judged" } else { why };
            let wanted = if matches!(*name, "human" | "termination-log") { short } else { why };
            assert!(written.contains(wanted), "{case} {name}: {written}");
        }
        let of = |wanted: &str| formats.iter().find(|(name, _)| *name == wanted).map(|(_, written)| written.as_str()).unwrap();
        let passes = verdict == Verdict::Passed;
        let [json, sarif]: [Value; 2] = ["json", "sarif"].map(|name| serde_json::from_str(of(name)).unwrap());
        assert_eq!(json["summary"]["verdict"], verdict.name(), "{case}");
        assert_eq!(json["summary"]["reason"].is_null(), passes, "{case}");
        let invocation = &sarif["runs"][0]["invocations"][0];
        assert_eq!(invocation["executionSuccessful"], passes || verdict == Verdict::Findings, "{case}");
        assert_eq!(invocation["exitCodeDescription"].is_null(), passes, "{case}");
        let notifications = invocation["toolExecutionNotifications"].as_array().unwrap();
        let is_told = notifications.iter().any(|one| one["level"] == "error");
        assert_eq!(is_told, matches!(verdict, Verdict::NotJudged | Verdict::Nothing), "{case}: {notifications:?}");
        let is_empty = !of("junit").contains("<failure") && !of("junit").contains("<error");
        assert_eq!(is_empty, passes, "{case}: {}", of("junit"));
        if passes {
            assert!(!of("github").contains("::error") && !of("azure").contains("type=error"), "{case}");
            assert!(!of("gitlab").contains("blocker") && !of("gitlab").contains("critical"), "{case}");
            assert!(!of("human").contains("error: ") && !of("human, quiet").contains("error"), "{case}");
        }
    }
}

#[test]
fn what_is_told_of_nothing_is_true() {
    let of = |states: &[State], evaluated, evaluated_applications| {
        let deployed = states.iter().map(|state| application(*state)).collect();
        GATE.nothing(&Outcome { deployed, evaluated, evaluated_applications, ..Outcome::default() })
    };
    assert_eq!(of(&[], 0, 0), Some("nothing was judged: is the path right?"));
    let unselected = Outcome { objects: 2, ..Outcome::default() };
    assert_eq!(GATE.nothing(&unselected), Some("nothing was judged: no policy that runs selects any of the objects"));
    assert_eq!(of(&[State::Failed], 0, 0), Some("nothing was judged: what is named is not rendered"));
    assert_eq!(of(&[State::Deferred], 1, 1), Some("nothing was judged of what Applications deploy: all of it is deferred"));
    assert_eq!(of(&[State::Deferred, State::Failed], 2, 2), Some("nothing was judged of what Applications deploy: none of it is rendered"));
    assert_eq!(of(&[State::Deferred, State::Rendered], 3, 2), None);
}

/// Whoever reads only that something passed reads what was left out.
#[test]
fn what_a_change_leaves_out_is_counted() {
    let deployed = vec![application(State::Untouched), application(State::Untouched)];
    let outcome = Outcome { deployed, is_narrowed: true, ..Outcome::default() };
    let log = text(|out| termination_log(&outcome, &GATE, out));
    assert_eq!(log, "fedward: no findings, 0 objects judged, 2 Applications untouched\n");
    let xml = text(|out| junit(&outcome, &GATE, out));
    assert!(xml.contains("<testcase name=\"everything that the change touches was judged (2 Applications untouched)\""), "{xml}");
}

#[test]
fn what_nothing_deploys_names_nobody() {
    let mut one = finding(at("charts/web/templates/a.yaml", WEB, "name: web"));
    one.rendered = Some(Rendered { by: Vec::new(), count: 0, text: "name: web".into(), exact: true });
    let outcome = outcome(vec![one]);
    for written in [
        text(|out| human(&outcome, &GATE, &Options::default(), out)),
        text(|out| github(&outcome, &GATE, out)),
        text(|out| sarif(&outcome, &GATE, &TOOL, RULES, out)),
    ] {
        assert!(!written.contains("deployed by"), "{written}");
    }
}
