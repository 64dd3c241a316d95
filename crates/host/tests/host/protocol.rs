//! waPC as upstream's host speaks it.

use fedward_host::{CallError, Limits, Strategy};

use crate::guests::{Recorder, STRATEGIES, calling, echo, load, wasm};

fn call(wasm: &[u8], strategy: Strategy, payload: &str) -> (Result<String, CallError>, Recorder) {
    let mut recorder = Recorder::default();
    let mut evaluator = load(wasm, strategy, &Limits::default())
        .unwrap()
        .evaluator();
    let answer = evaluator.call("validate", payload.as_bytes(), &mut recorder);
    (
        answer.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()),
        recorder,
    )
}

/// The guest's answer, the same whichever way its instance lives.
fn answer(wasm: &[u8], payload: &str) -> Result<String, CallError> {
    let [fresh, kept] = STRATEGIES.map(|strategy| call(wasm, strategy, payload).0);
    assert_eq!(fresh, kept);
    fresh
}

fn guest_error(text: &str) -> Result<String, CallError> {
    Err(CallError::Guest {
        text: text.to_owned(),
    })
}

#[test]
fn a_payload_reaches_the_guest_and_its_response_comes_back() {
    assert_eq!(
        answer(&echo(), r#"{"request":{}}"#).unwrap(),
        r#"{"request":{}}"#
    );
    assert_eq!(answer(&echo(), "").unwrap(), "");
}
