//! What crosses the border with every object, in a form that costs little to read: numbers are little-endian, texts have their length
//! before them. `crates/conditions/src/wire.rs` is the other side.

/// The payload of `evaluate`.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Request<'a> {
    /// The host's number for the variables.
    pub(crate) number: u64,
    /// The variables as JSON, in the order of [`NAMES`](crate::paths::NAMES), if they are told now: of what was told before,
    /// nothing is left then. One that is not there is not known.
    pub(crate) variables: Option<[Option<&'a [u8]>; 4]>,
    /// Expressions that are new, each under the host's number for it.
    pub(crate) told: Vec<(u64, &'a str)>,
    /// The conditions to evaluate, of each policy for itself.
    pub(crate) asked: Vec<Asked>,
}

/// Conditions of a policy: their numbers follow on each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Asked {
    /// The number of the first.
    pub(crate) first: u64,
    /// How many they are.
    pub(crate) count: u32,
}

/// What came of the conditions of a policy, which are counted from 0.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    /// All are true.
    Match,
    /// The first that is false.
    NoMatch(u32),
    /// None is false, and only a cluster knows what comes of some: the first of these, and what it is that is not known.
    NotKnown(u32, String),
    /// None is false, and of all that are not true is known that they have no value: the first of them, and why.
    Error(u32, String),
}

/// The bit that says that variables are told; those below it say which.
const FRESH: u8 = 1 << 4;

const MATCH: u8 = 0;
const NO_MATCH: u8 = 1;
const ERROR: u8 = 2;
/// The whole answer, if the module does not know the variables or an expression: then everything has to be told again.
pub(crate) const FORGOTTEN: u8 = 3;
const NOT_KNOWN: u8 = 4;

impl<'a> Request<'a> {
    /// Reads a payload; `None` if it is no such payload.
    pub(crate) fn read(payload: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(payload);
        let mut request = Request { number: reader.long()?, ..Self::default() };
        let flags = reader.byte()?;
        if flags & FRESH != 0 {
            let mut variables = [None; 4];
            for (index, variable) in variables.iter_mut().enumerate() {
                if flags & (1 << index) != 0 {
                    *variable = Some(reader.bytes()?);
                }
            }
            request.variables = Some(variables);
        }
        for _ in 0..reader.int()? {
            request.told.push((reader.long()?, std::str::from_utf8(reader.bytes()?).ok()?));
        }
        for _ in 0..reader.int()? {
            request.asked.push(Asked { first: reader.long()?, count: reader.int()? });
        }
        reader.0.is_empty().then_some(request)
    }
}

impl Verdict {
    /// Adds itself to an answer.
    pub(crate) fn write(&self, answer: &mut Vec<u8>) {
        match self {
            Self::Match => answer.push(MATCH),
            Self::NoMatch(index) => {
                answer.push(NO_MATCH);
                answer.extend_from_slice(&index.to_le_bytes());
            }
            Self::NotKnown(index, text) => write_text(answer, NOT_KNOWN, *index, text),
            Self::Error(index, text) => write_text(answer, ERROR, *index, text),
        }
    }
}

fn write_text(answer: &mut Vec<u8>, kind: u8, index: u32, text: &str) {
    answer.push(kind);
    answer.extend_from_slice(&index.to_le_bytes());
    answer.extend_from_slice(&(text.len() as u32).to_le_bytes());
    answer.extend_from_slice(text.as_bytes());
}

/// What is left of a payload.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn chunk<const LENGTH: usize>(&mut self) -> Option<[u8; LENGTH]> {
        let (chunk, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*chunk)
    }

    fn byte(&mut self) -> Option<u8> {
        self.chunk().map(u8::from_le_bytes)
    }

    fn int(&mut self) -> Option<u32> {
        self.chunk().map(u32::from_le_bytes)
    }

    fn long(&mut self) -> Option<u64> {
        self.chunk().map(u64::from_le_bytes)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.int()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::*;

    #[test]
    fn a_payload_is_read_whole_or_not_at_all() {
        let payload = [
            7_u64.to_le_bytes().as_slice(),
            &[FRESH | 0b1001],
            b"\x02\0\0\0{}",
            b"\x04\0\0\0null",
            b"\x01\0\0\0",
            &9_u64.to_le_bytes(),
            b"\x04\0\0\0true",
            b"\x01\0\0\0",
            &9_u64.to_le_bytes(),
            b"\x01\0\0\0",
        ]
        .concat();
        let expected = Request {
            number: 7,
            variables: Some([Some(b"{}"), None, None, Some(b"null")]),
            told: vec![(9, "true")],
            asked: vec![Asked { first: 9, count: 1 }],
        };
        assert_eq!(Request::read(&payload), Some(expected));
        for length in 0..payload.len() {
            assert_eq!(Request::read(&payload[..length]), None, "{length}");
        }
        assert_eq!(Request::read(&[payload.as_slice(), b"\0"].concat()), None);
    }

    #[test]
    fn verdicts_are_told_apart_by_what_they_are() {
        let mut answer = Vec::new();
        let text = || "why".to_owned();
        for verdict in [Verdict::Match, Verdict::NoMatch(2), Verdict::Error(1, text()), Verdict::NotKnown(1, text())] {
            verdict.write(&mut answer);
        }
        assert_eq!(answer, b"\0\x01\x02\0\0\0\x02\x01\0\0\0\x03\0\0\0why\x04\x01\0\0\0\x03\0\0\0why");
    }

    #[test]
    fn a_count_without_anything_behind_it_takes_no_room() {
        let payload = [7_u64.to_le_bytes().as_slice(), &[0], b"\xff\xff\xff\xff", &9_u64.to_le_bytes()].concat();
        assert_eq!(Request::read(&payload), None);
    }
}
