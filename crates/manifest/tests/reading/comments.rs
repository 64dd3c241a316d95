use crate::{one, read};

#[test]
fn comments_keep_their_places() {
    let text = "# head\n---\na: 1 # right\n# own\nb: 'x # no' #two\nc: |  # header\n  # text\n # after\nd: x#no\ne: [1, # flow\n  # own flow\n  2]\n#last";
    let document = one(text);
    let comments: Vec<_> = document.comments().map(|comment| (comment.text, comment.own_line)).collect();
    let expected = [
        (" head", true),
        (" right", false),
        (" own", true),
        ("two", false),
        ("  header".trim_start(), false),
        (" after", true),
        (" flow", false),
        (" own flow", true),
        ("last", true),
    ];
    let expected = expected.map(|(text, own)| (if text == "header" { " header" } else { text }, own));
    assert_eq!(comments, expected);
    for comment in document.comments() {
        assert!(document.source().slice(comment.span).starts_with('#'));
    }
}

#[test]
fn comments_belong_to_their_document() {
    let all = read("# one\na: 1\n# two\n---\n# three\nb: 2\r\n# four\r\n");
    let texts = |index: usize| all[index].document.as_ref().unwrap().comments().map(|comment| comment.text.to_owned()).collect::<Vec<_>>();
    assert_eq!(texts(0), [" one", " two"]);
    assert_eq!(texts(1), [" three", " four"]);
}

#[test]
fn a_broken_document_has_comments_too() {
    let all = read("# one\na: 'x # no'\nb: c: d # lost\n# two\ne: \"# maybe\"\n");
    let source = fedward_manifest::Source::from_text("t", "# one\na: 'x # no'\nb: c: d # lost\n# two\n".to_owned()).unwrap();
    let texts: Vec<_> = all[0].stray_comments.iter().map(|span| source.slice(*span)).collect();
    assert_eq!(texts, ["# one", "# two"]);
}
