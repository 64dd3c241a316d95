//! Documents inside the strings of a document.

use std::sync::Arc;

use crate::{
    base64,
    document::Node,
    limits::Limits,
    offsets::{OffsetMap, Outer},
    parse::{Parsed, parse_within},
    source::{Source, Span, number},
    split::{Chunk, Format, split},
    tree::Style,
};

/// How a text is kept in a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    Text,
    /// As in a Secret's `data`. Every place in it is the place of the key.
    Base64,
}

/// Why a node holds no text that could be parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmbeddedError {
    /// The node is no string.
    #[error("not a string")]
    NotString,
    /// The string is not base64.
    #[error("not base64")]
    NotBase64,
    /// The decoded bytes are not UTF-8.
    #[error("not UTF-8: invalid byte at offset {offset} of the decoded text")]
    NotUtf8 {
        /// Offset of the first byte that is not part of a character.
        offset: usize,
    },
}

impl Node<'_> {
    /// Parses the text of a string: as several documents where it holds several, as one value with [`Format::Json`].
    /// Every place, also of what is embedded in these documents again, is one in the file; only
    /// [`crate::Problem::text_offset`] and [`Node::text_span`] count in the decoded text.
    ///
    /// # Errors
    /// There is no text to parse. What is wrong with the text is in the result.
    pub fn embedded(self, encoding: Encoding, format: Format, limits: &Limits) -> Result<Vec<Parsed>, EmbeddedError> {
        let written = self.as_str().ok_or(EmbeddedError::NotString)?;
        let (text, map) = match encoding {
            Encoding::Text => (written.to_owned(), self.offsets(written)),
            Encoding::Base64 => {
                let bytes = base64::decode(written).ok_or(EmbeddedError::NotBase64)?;
                let text = String::from_utf8(bytes).map_err(|error| EmbeddedError::NotUtf8 { offset: error.utf8_error().valid_up_to() })?;
                let key = self.document.tree.key_span(self.raw);
                (text, OffsetMap::constant(key.unwrap_or(self.raw.span)))
            }
        };
        let file = self.document.source();
        let outer = Arc::new(Outer { source: Arc::clone(file), map, outer: self.document.outer.clone() });
        // A text inside a source is no longer than the source.
        let Ok(text) = Source::from_text(Arc::clone(file.name()), text) else { return Ok(Vec::new()) };
        let text = Arc::new(text);
        if format == Format::Json {
            let whole = Chunk { span: Span::new(0, number(text.text().len())), format };
            return Ok(vec![parse_within(&text, Some(&outer), whole, limits)]);
        }
        let split = split(&text, limits);
        let as_asked = |chunk: Chunk| if format == Format::Yaml { Chunk { format, ..chunk } } else { chunk };
        let parse = |chunk| parse_within(&text, Some(&outer), as_asked(chunk), limits);
        let mut parsed: Vec<Parsed> = split.chunks.into_iter().map(parse).collect();
        if let Some(last) = parsed.last_mut() {
            let in_file = |mut problem: crate::Problem| {
                problem.span = outer.span(problem.span);
                problem
            };
            last.problems.extend(split.problems.into_iter().map(in_file));
        }
        Ok(parsed)
    }

    fn offsets(self, decoded: &str) -> OffsetMap {
        if self.raw.style == Style::Alias {
            return OffsetMap::constant(self.raw.span);
        }
        OffsetMap::new(self.raw, self.document.text.text(), decoded)
    }
}
