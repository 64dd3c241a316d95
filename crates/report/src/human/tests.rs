#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "tests")]

use std::collections::HashMap;

use fedward_manifest::Span;
use fedward_outcome::{Finding, Location, Mutation, Outcome, Skipped};
use insta::assert_snapshot;

use crate::testing::{WEB, at, blocks, everything, find, finding, human_text, manifest, outcome, place, related, source};
use crate::{Options, clean};

fn at_offset(name: &str, text: &str, start: usize, end: usize) -> Location {
    let span = Span::new(u32::try_from(start).unwrap(), u32::try_from(end).unwrap());
    Location { source: source(name, text), span, pointer: String::new() }
}

/// Findings without object and help, to see the lines.
fn bare(locations: impl IntoIterator<Item = Location>) -> String {
    let strip = |location| Finding { object: None, help: String::new(), ..finding(location) };
    blocks(locations.into_iter().map(strip).collect())
}

#[test]
fn a_whole_run() {
    assert_snapshot!(human_text(&everything(), Options::default()));
}

#[test]
fn verbose_shows_the_ignored_and_the_skipped() {
    assert_snapshot!(human_text(&everything(), Options { verbose: true, ..Options::default() }));
}

#[test]
fn a_policy_is_named_where_nothing_else_says_which_it_is() {
    let said = |change: &dyn Fn(&mut Finding)| {
        let mut finding = finding(at("apps/web.yaml", WEB, "name: web"));
        finding.manifests = vec![manifest("shop", "labels")];
        change(&mut finding);
        let short = blocks(vec![finding.clone()]);
        let verbose = human_text(&outcome(vec![finding]), Options { verbose: true, quiet: true, ..Options::default() });
        let footers = |text: String| text.lines().filter_map(|line| Some(line.split_once("= policy: ")?.1.to_owned())).collect::<Vec<_>>();
        assert_eq!(footers(verbose).len(), 1);
        footers(short)
    };
    assert_eq!(said(&|_| ()), ["AdmissionPolicy shop/labels (policies/labels.yaml:2)"]);
    let both = "AdmissionPolicy shop/labels (policies/labels.yaml:2), ClusterAdmissionPolicy all (policies/labels.yaml:2)";
    assert_eq!(said(&|finding| finding.manifests.push(manifest("", "all"))), [both]);
    // The only one with its module, one whose place is shown, and none at all.
    let none: [&str; 0] = [];
    assert_eq!(said(&|finding| std::sync::Arc::make_mut(&mut finding.manifests[0]).shares_module = false), none);
    assert_eq!(said(&|finding| finding.related = vec![related(finding.manifests[0].location.clone(), "the policy")]), none);
    assert_eq!(said(&|finding| finding.manifests.clear()), none);
}

#[test]
fn quiet_leaves_out_notes_and_summary() {
    let full = human_text(&everything(), Options::default());
    let quiet = human_text(&everything(), Options { quiet: true, ..Options::default() });
    assert!(full.starts_with(&quiet));
    assert!(quiet.contains("could not be judged by `require-labels`"));
    assert_snapshot!(full[quiet.len()..].to_owned());
}

#[test]
fn colours_are_the_callers_choice() {
    let colored = human_text(&everything(), Options { color: true, ..Options::default() });
    assert_snapshot!(colored.replace('\u{1b}', "␛"));
    let mut plain = String::new();
    let mut rest = colored.as_str();
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    plain.push_str(rest);
    assert_eq!(plain, human_text(&everything(), Options::default()));
}

#[test]
fn long_changes_are_cut() {
    let change = |lines: usize| {
        let long = "é".repeat(300);
        let after = (0..lines).map(|number| serde_json::json!(format!("{number}{long}"))).collect();
        let mutation = Mutation {
            location: at("a.yaml", "kind: Pod\n", "Pod"),
            object: None,
            policy: "many".into(),
            before: serde_json::json!([]),
            after: serde_json::Value::Array(after),
            patch: Vec::new(),
        };
        let outcome = Outcome { mutations: vec![mutation], evaluated: 1, ..Outcome::default() };
        human_text(&outcome, Options { mutations: true, quiet: true, ..Options::default() })
    };
    // The brackets before and after are three lines.
    let whole = change(497);
    assert!(whole.ends_with("  + ]\n\n"), "{whole}");
    // Two spaces and a quotation mark before, a quotation mark and a comma after.
    let line = format!("\n  +   \"7{}… (+106 more characters)\n", "é".repeat(196));
    assert!(whole.contains(&line), "{whole}");
    assert!(change(498).ends_with(")\n  … and 1 more line\n\n"));
    let cut = change(5_000);
    assert!(cut.ends_with(")\n  … and 4503 more lines\n\n"));
    assert_eq!(cut.lines().filter(|line| line.starts_with("  + ") || line.starts_with("  - ")).count(), 500);
}

#[test]
fn nothing_found() {
    let empty = Outcome { files: 1, objects: 3, evaluated: 3, ..Outcome::default() };
    assert_eq!(human_text(&empty, Options::default()), "no findings\n1 file, 3 objects, 3 evaluated\n");
    assert_eq!(human_text(&empty, Options { quiet: true, ..Options::default() }), "");
}

#[test]
fn many_reasons_for_skipping_are_cut_short() {
    let skipped = (0..300).map(|index| Skipped { file: "a.yaml".into(), line: None, reason: format!("reason {}", index % 20) });
    let text = human_text(&Outcome { skipped: skipped.collect(), ..Outcome::default() }, Options::default());
    assert!(text.contains("300 skipped (--verbose lists them)\n    15 reason 0\n"));
    assert!(text.ends_with("   180 for 12 other reasons\n"));
}

#[test]
fn characters_of_several_bytes_and_columns() {
    assert_snapshot!(bare([at("a.yaml", "größe: 'Äpfel' # 世界\n", "'Äpfel'"), at("a.yaml", "世界: 'web'\n", "'web'")]));
}

#[test]
fn line_ends_of_every_kind() {
    let text = "kind: Pod\r\nmetadata:\r\n  name: web\r\nspec:\r  x: y\n";
    assert_snapshot!(bare([at("crlf.yaml", text, "web"), at("crlf.yaml", text, "y"), at("crlf.yaml", text, "metadata:\r\n  name: web")]));
}

#[test]
fn tabs() {
    assert_snapshot!(bare([at("tabs.yaml", "kind:\tPod\n", "Pod"), at("tabs.yaml", "\t\tkind:\tPod\n", "Pod")]));
}

#[test]
fn a_long_line_is_cut_around_the_span() {
    let long = format!("{{\"before\":\"{}\",\"kind\":\"Pod\",\"after\":\"{}\"}}\n", "b".repeat(5000), "a".repeat(5000));
    let all = at("long.json", &long, &long.clone());
    let text = bare([at("long.json", &long, "\"Pod\""), at("long.json", &long, "{"), all]);
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    assert_snapshot!(text);
}

#[test]
fn a_related_place_that_was_cut_away_gets_its_own_excerpt() {
    let long = format!("{{\"kind\":\"Pod\",\"between\":\"{}\",\"name\":\"web\"}}\n", "b".repeat(5000));
    let source = source("long.json", &long);
    let mut finding = finding(place(&source, "\"web\""));
    finding.related = vec![related(place(&source, "\"Pod\""), "of this kind")];
    assert_snapshot!(blocks(vec![finding]));
}

#[test]
fn spans_over_several_lines() {
    let long = format!("{WEB}{}", "      # more\n".repeat(30));
    assert_snapshot!(bare([
        at("web.yaml", WEB, "metadata:\n      labels:\n        app: web\n"),
        at("web.yaml", WEB, "name: web\nspec:\n"),
        at("long.yaml", &long, long.split_once("spec:").unwrap().1),
        at("long.yaml", &long, &long.clone()),
    ]));
}

#[test]
fn places_without_text() {
    let end = "kind: Pod\n";
    assert_snapshot!(bare([
        at_offset("end.yaml", end, end.len(), end.len()),
        at_offset("end.yaml", "kind: Pod", 9, 9),
        at_offset("middle.yaml", "kind: \nname: x\n", 6, 6),
        at_offset("past.yaml", end, 4000, 5000),
        at_offset("empty.yaml", "", 0, 0),
        at_offset("bom.yaml", "\u{feff}kind: Pod\n", 3, 7),
        at_offset("bom.yaml", "\u{feff}kind: Pod\n", 0, 0),
    ]));
}

#[test]
fn related_places() {
    let long = format!("{WEB}{}---\nkind: ServiceAccount\n", "# more\n".repeat(100));
    let web = source("apps/web.yaml", &long);
    let mut finding = finding(place(&web, "serviceAccountName: web"));
    finding.related = vec![
        related(place(&web, "labels:\n        app: web"), "the labels are here"),
        related(place(&web, "ServiceAccount\n"), "this account is federated"),
        related(at("rbac/admin.yaml", "kind: ClusterRoleBinding\nname: admin\n", "admin"), "bound here"),
    ];
    finding.related_more = 4;
    assert_snapshot!(blocks(vec![finding]));
}

#[test]
fn no_number_of_related_places_fills_the_screen() {
    let web = source("apps/web.yaml", WEB);
    let mut finding = finding(place(&web, "labels:"));
    finding.related = vec![related(at("b.yaml", "x\n", "x"), "another"); 5000];
    finding.related_more = 1;
    let text = blocks(vec![finding]);
    assert_eq!(text.matches("another").count(), 10);
    assert!(text.contains("= note: (+4991 more places)"));
}

#[test]
fn documents_in_strings_show_their_path() {
    let mut finding = finding(at("map.yaml", "data:\n  values: |\n    account: web\n", "account: web"));
    finding.location.pointer = "/data/values#/account".into();
    assert_snapshot!(blocks(vec![finding]));
}

#[test]
fn a_message_of_several_lines_cannot_forge_a_finding() {
    let mut finding = finding(at("a.yaml\nerror: all is well", "kind: Pod\n", "Pod"));
    finding.message = "first line\nerror[other-rule]: forged\n  --> b.yaml:1:1".into();
    finding.help = "do this\nand that".into();
    finding.rule = "a\nerror: b".into();
    finding.object.as_mut().unwrap().name = "web\nerror: c".into();
    let text = blocks(vec![finding]);
    assert_eq!(text.lines().filter(|line| line.starts_with("error")).count(), 1);
    assert_snapshot!(text);
}

/// Every text that comes from outside carries these.
const HOSTILE: &str = "\u{1b}[31m\u{1b}]0;x\u{7}\u{9b}2J\u{202e}\u{2066}\u{200b}\u{feff}\u{85}\u{2028}\r\t\u{8}\u{7f}\0";

#[test]
fn nothing_in_the_input_reaches_the_terminal_as_a_command() {
    let hostile = |name: &str| source(&format!("{name}{HOSTILE}"), &format!("{HOSTILE}kind{HOSTILE}: {HOSTILE}Pod{HOSTILE}\n"));
    let here = hostile("a");
    let mut full = everything();
    for finding in &mut full.findings {
        for text in [&mut finding.rule, &mut finding.policy, &mut finding.message, &mut finding.help, &mut finding.docs] {
            text.push_str(HOSTILE);
        }
        finding.location = place(&here, "Pod");
        finding.location.pointer.push_str(HOSTILE);
        let object = finding.object.insert(crate::testing::object());
        for text in [&mut object.kind, &mut object.namespace, &mut object.name] {
            text.push_str(HOSTILE);
        }
        finding.related = vec![related(place(&here, "kind"), HOSTILE), related(place(&hostile("b"), "kind"), HOSTILE)];
    }
    for suppression in full.findings.iter_mut().filter_map(|finding| finding.suppressed.as_mut()) {
        suppression.reason.push_str(HOSTILE);
    }
    full.not_evaluated[0].location = place(&here, "Pod");
    full.not_evaluated[0].policy.push_str(HOSTILE);
    full.not_evaluated[0].reason.push_str(HOSTILE);
    full.skipped[0].file.push_str(HOSTILE);
    full.skipped[0].reason.push_str(HOSTILE);
    full.notes[0].push_str(HOSTILE);
    full.unread[0].file.push_str(HOSTILE);
    full.unread[0].reason.push_str(HOSTILE);
    for verbose in [false, true] {
        let text = human_text(&full, Options { verbose, ..Options::default() });
        let bad: Vec<char> = text.chars().filter(|char| *char != '\n' && clean::replacement(*char).is_some()).collect();
        assert_eq!(bad, []);
    }
}

fn hiding(findings: Vec<Finding>, secrets: Vec<Span>) -> String {
    let name = findings[0].location.source.name().clone();
    let outcome = Outcome { secrets: HashMap::from([(name, secrets)]), ..outcome(findings) };
    human_text(&outcome, Options { quiet: true, width: 100, ..Options::default() })
}

#[test]
fn secrets_are_never_shown() {
    let text = "kind: Secret\nstringData:\n  key: hunter2 # plain\n  block: |\n    swordfish\n    opensesame\n  ünïcode: größe\n";
    let file = source("secret.yaml", text);
    let secrets = ["hunter2", "|\n    swordfish\n    opensesame\n", "größe"].map(|needle| find(&file, needle)).to_vec();
    let mut with_related = finding(place(&file, "stringData:"));
    with_related.related = vec![related(place(&file, "hunter2"), "the key"), related(place(&file, "fish"), "the block")];
    let findings = vec![
        finding(place(&file, "hunter2")),
        finding(place(&file, "unter")),
        finding(place(&file, "key: hunter2 # plain")),
        finding(place(&file, "block: |\n    swordfish\n    opensesame")),
        finding(place(&file, "größe")),
        with_related,
    ];
    let shown = hiding(findings, secrets);
    for secret in ["hunter", "unter", "sword", "fish", "sesame", "gr", "öße"] {
        assert!(!shown.contains(secret), "{secret} in\n{shown}");
    }
    assert_snapshot!(shown);
}

#[test]
fn a_secret_in_a_long_line_is_hidden_even_where_the_line_is_cut() {
    let text = format!("{{\"data\": \"{}\", \"kind\": \"Secret\"}}\n", "s3cr3t".repeat(500));
    let file = source("secret.json", &text);
    let secret = find(&file, &"s3cr3t".repeat(500));
    // Pointing into the secret, so that both ends of the cut line lie in it, and behind it.
    let middle = Location { span: Span::new(1501, 1502), ..place(&file, "data") };
    let shown = hiding(vec![finding(middle), finding(place(&file, "\"Secret\""))], vec![secret]);
    assert!(!shown.contains("s3c") && !shown.contains("r3t"), "{shown}");
    assert_snapshot!(shown);
}

#[test]
fn a_mask_between_the_bytes_of_a_character_hides_the_character() {
    let file = source("a.yaml", "key: äöü\n");
    let shown = hiding(vec![finding(place(&file, "key"))], vec![Span::new(6, 8)]);
    assert!(shown.contains("key: •••ü\n"), "{shown}");
}

/// Neither this crate nor the one that draws may panic, whatever the places are: outside of the text, between the bytes of a character,
/// upside down.
#[test]
fn no_place_is_too_strange() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let alphabet = ["a", "ä", "世", "😀", "\n", "\r\n", "\r", "\t", " ", "\u{1b}", "\u{feff}", "e\u{301}", "\u{200d}", "{", "// x"];
    for _ in 0..4000 {
        let length = [3, 30, 900][random(3)];
        let text: String = (0..random(length) + 1).map(|_| alphabet[random(alphabet.len())]).collect();
        let file = source("a.yaml", &text);
        let mut span = || {
            let mut offset = || u32::try_from(random(text.len() + 9)).unwrap();
            Span::new(offset(), offset())
        };
        let mut strange = finding(Location { source: file.clone(), span: span(), pointer: String::new() });
        strange.related = (0..3).map(|_| related(Location { span: span(), ..strange.location.clone() }, "here")).collect();
        let secrets = HashMap::from([(file.name().clone(), vec![span(), span()])]);
        let strange = Outcome { secrets, ..outcome(vec![strange]) };
        human_text(&strange, Options { width: 40, ..Options::default() });
        crate::testing::json_text(&strange);
        crate::testing::sarif_text(&strange);
    }
}

#[test]
fn ten_thousand_findings() {
    let file = source("all.yaml", &WEB.repeat(10_000));
    let line_bytes = WEB.len();
    let findings = (0..10_000).map(|index| {
        let span = find(&file, "labels:");
        let start = span.start + u32::try_from(index * line_bytes).unwrap();
        finding(Location { source: file.clone(), span: Span::new(start, start + span.len()), pointer: String::new() })
    });
    let text = human_text(&outcome(findings.collect()), Options::default());
    assert_eq!(text.matches("error[missing-label]: ").count(), 10_000);
    assert!(text.contains("109997 |       labels:\n"), "{}", text.lines().rev().take(12).collect::<Vec<_>>().join("\n"));
}
