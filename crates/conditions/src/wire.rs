//! What crosses the border with every object, in a form that costs little to read: numbers are little-endian, texts have their length
//! before them. `crates/cel/src/wire.rs` is the other side.

/// The bit that says that variables are told; those below it say which.
const FRESH: u8 = 1 << 4;

const MATCH: u8 = 0;
const NO_MATCH: u8 = 1;
const ERROR: u8 = 2;
/// The whole answer.
const FORGOTTEN: u8 = 3;
const NOT_KNOWN: u8 = 4;

/// What came of the conditions of a policy, which are counted from the first that was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// All are true.
    Match,
    /// The first that is false.
    NoMatch(usize),
    /// None is false, and only a cluster knows what comes of some: the first of these, and what it is that is not known.
    NotKnown(usize, String),
    /// None is false, and of all that are not true is known that they have no value: the first of them, and why.
    Error(usize, String),
}

/// The answer to a question.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A verdict for each policy.
    Verdicts(Vec<Verdict>),
    /// The module does not know the variables or the expressions (any more).
    Forgotten,
}

/// Begins a question about the variables of a number. `told` has them in the order of the module, each as JSON if it is known; `None` if
/// they were told before.
pub(crate) fn begin(payload: &mut Vec<u8>, number: u64, told: Option<[Option<&[u8]>; 4]>) {
    payload.clear();
    long(payload, number);
    let Some(variables) = told else { return payload.push(0) };
    let which = (0..).zip(&variables).filter(|(_, json)| json.is_some()).fold(FRESH, |which, (index, _)| which | 1 << index);
    payload.push(which);
    variables.into_iter().flatten().for_each(|json| text(payload, json));
}

/// A number of variables or of an expression.
pub(crate) fn long(payload: &mut Vec<u8>, number: u64) {
    payload.extend_from_slice(&number.to_le_bytes());
}

/// A number that is less than 32 bits can hold. A payload with more of anything could not be in a module's memory.
pub(crate) fn int(payload: &mut Vec<u8>, number: usize) {
    payload.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
}

/// A text.
pub(crate) fn text(payload: &mut Vec<u8>, text: &[u8]) {
    int(payload, text.len());
    payload.extend_from_slice(text);
}

/// Reads an answer; `None` if it is none.
pub(crate) fn read(mut answer: &[u8]) -> Option<Answer> {
    if answer == [FORGOTTEN] {
        return Some(Answer::Forgotten);
    }
    let mut verdicts = Vec::new();
    while let Some((kind, rest)) = answer.split_first() {
        answer = rest;
        verdicts.push(match *kind {
            MATCH => Verdict::Match,
            NO_MATCH => Verdict::NoMatch(next(&mut answer)?),
            kind @ (ERROR | NOT_KNOWN) => {
                let (index, length) = (next(&mut answer)?, next(&mut answer)?);
                let (text, rest) = answer.split_at_checked(length)?;
                answer = rest;
                let text = std::str::from_utf8(text).ok()?.to_owned();
                if kind == ERROR { Verdict::Error(index, text) } else { Verdict::NotKnown(index, text) }
            }
            _ => return None,
        });
    }
    Some(Answer::Verdicts(verdicts))
}

fn next(answer: &mut &[u8]) -> Option<usize> {
    let (number, rest) = answer.split_first_chunk()?;
    *answer = rest;
    usize::try_from(u32::from_le_bytes(*number)).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "tests")]

    use super::*;

    #[test]
    fn variables_stand_in_their_order() {
        let mut payload = b"what was here before".to_vec();
        begin(&mut payload, 7, Some([Some(b"{}"), None, None, Some(b"null")]));
        let expected = [b"\x07\0\0\0\0\0\0\0\x19".as_slice(), b"\x02\0\0\0{}", b"\x04\0\0\0null"].concat();
        assert_eq!(payload, expected);
        begin(&mut payload, 7, None);
        assert_eq!(payload, b"\x07\0\0\0\0\0\0\0\0");
    }

    #[test]
    fn an_answer_is_read_whole_or_not_at_all() {
        let answer = b"\0\x01\x02\0\0\0\x02\x01\0\0\0\x03\0\0\0why\x04\x01\0\0\0\x03\0\0\0why";
        let text = || "why".to_owned();
        let verdicts = vec![Verdict::Match, Verdict::NoMatch(2), Verdict::Error(1, text()), Verdict::NotKnown(1, text())];
        assert_eq!(read(answer), Some(Answer::Verdicts(verdicts)));
        for length in (2..6).chain(7..18).chain(19..answer.len()) {
            assert_eq!(read(&answer[..length]), None, "{length}");
        }
        assert_eq!(read(b"\x03"), Some(Answer::Forgotten));
        assert_eq!(read(b"\x05"), None);
    }
}
