#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use fedward_kit::finding::Severity;
use fedward_outcome::{Deployed, Finding, NotEvaluated, Outcome, State, Unread};
use serde_json::Value;

use super::{Gate, Verdict};
use crate::entry::{NOT_RENDERED, entries};
use crate::testing::{GATE, RULES, TOOL, WEB, at, finding, outcome, text};
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
        let deployed = application(state);
        let outcome = Outcome { deployed: vec![deployed], evaluated: 1, ..Outcome::default() };
        assert_eq!((GATE.verdict(&outcome), strict.verdict(&outcome)), (lax, strictly));
        let listed: Vec<String> = entries(&outcome, &GATE).map(|entry| format!("{}: {}", entry.id, entry.message)).collect();
        let expected = format!("{NOT_RENDERED}: Application argocd/web is {}: the repository is not here", state.name());
        assert_eq!(listed, if matches!(state, State::Rendered | State::Untouched) { Vec::new() } else { vec![expected] });
    }
}

fn application(state: State) -> Deployed {
    Deployed {
        kind: "Application",
        name: "argocd/web".into(),
        destination: String::new(),
        state,
        reasons: vec!["the repository is not here".into()],
        location: None,
        objects: 0,
    }
}

/// Of every way to end: what is told, in each format, and that no format tells of a failure where there is none.
#[test]
fn every_format_says_why_a_run_does_not_pass() {
    let judged = || outcome(Vec::new());
    let found = |severity| outcome(vec![Finding { severity, ..finding(at("a.yaml", WEB, "name: web")) }]);
    let deployed = |state| Outcome { deployed: vec![application(state)], evaluated: 2, evaluated_applications: 1, ..judged() };
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
        (deployed(State::Failed), GATE, Verdict::NotJudged, repository),
        (deployed(State::Partial), GATE, Verdict::NotJudged, repository),
        (deployed(State::Deferred), GATE, Verdict::Passed, ""),
        (deployed(State::Deferred), strict, Verdict::NotJudged, repository),
        (Outcome::default(), GATE, Verdict::Nothing, "nothing was judged"),
        (Outcome::default(), empty, Verdict::Passed, ""),
        (Outcome { evaluated: 0, ..found(Severity::Info) }, GATE, Verdict::Nothing, "nothing was judged"),
        (Outcome { evaluated: 1, ..deployed(State::Deferred) }, GATE, Verdict::Nothing, "nothing was judged of what"),
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
