//! The parser's errors in words for people who write manifests.

use granit_parser::ErrorKind;

use crate::problem::ProblemKind;

pub(crate) const EXPECTED_DOCUMENT: &str = "expected a new document (`---`) or the end of the file; check the indentation";

/// What an error of the parser means; `None` where its bound on nesting is broken.
pub(crate) fn of(error: &ErrorKind) -> Option<(ProblemKind, &'static str)> {
    use ErrorKind as E;
    let message = match error {
        E::RecursionLimitExceeded => return None,
        E::UnknownAnchor => {
            let message = "alias names no anchor before it; quote a text that begins with `*`";
            return Some((ProblemKind::Alias, message));
        }
        E::UnexpectedEofFlowSequence => "the list opened with `[` is not closed",
        E::UnexpectedEofFlowMapping | E::UnexpectedEofImplicitFlowMapping => "the map opened with `{` is not closed",
        E::UnclosedFlowCollection { open: '[' } => "the list opened with `[` is not closed",
        E::UnclosedFlowCollection { .. } => "the map opened with `{` is not closed",
        E::UnexpectedEofBlockSequence | E::UnexpectedEofBlockMapping | E::UnexpectedEof => "the document ends in the middle of a value",
        E::DuplicateVersionDirective => "`%YAML` stands twice",
        E::UnsupportedYamlMajorVersion => "`%YAML` names a version other than 1",
        E::DuplicateTagDirective => "`%TAG` declares the same handle twice",
        E::ExpectedDocumentStart => EXPECTED_DOCUMENT,
        E::MissingDocumentEndBeforeDirective => "a directive needs `...` before it, to end the document above",
        E::ExpectedNodeContent => "expected a value",
        E::ExpectedBlockMappingKey => "expected a key of the map; check the indentation",
        E::ExpectedBlockSequenceEntry => "expected `- ` and the next item of the list; check the indentation",
        E::ExpectedFlowMappingSeparator => "expected `,` or `}`",
        E::ExpectedFlowSequenceSeparator => "expected `,` or `]`",
        E::UndeclaredTagHandle => "tag with a handle that no `%TAG` declares",
        E::ExpectedTagBang
        | E::ExpectedTagDirectiveBang
        | E::InvalidGlobalTagCharacter
        | E::InvalidTagDirectiveTerminator
        | E::InvalidTagTerminator
        | E::MissingTagUri
        | E::UnclosedVerbatimTag
        | E::InvalidTagEscape
        | E::InvalidTagUtf8LeadingByte
        | E::InvalidTagUtf8TrailingByte
        | E::InvalidTagUtf8 => "malformed tag; quote a text that begins with `!`",
        E::SimpleKeyExpected | E::InvalidSimpleKey => "expected `:` after the key (a key fits on one line and in 1024 characters)",
        E::InvalidDocumentEnd => "text after `...`",
        E::InvalidIndentation | E::InvalidFlowScalarIndent => "wrong indentation",
        E::BomInsideDocument => "byte order mark inside a document",
        E::UnexpectedCharacter { character: '@' | '`' } => "a text cannot begin with `@` or a backtick unless it is quoted",
        E::UnexpectedCharacter { character: '%' } => "a text cannot begin with `%` unless it is quoted",
        E::UnexpectedCharacter { .. } => "unexpected character",
        tab if is_tab(tab) => "tab where YAML wants spaces",
        E::TabAtBlockScalarStart => "a block text cannot begin with a tab; indent it with spaces",
        E::CommentInterceptedScalar => "a comment stands inside a text of several lines",
        E::ExpectedWhitespace => "expected a space",
        E::CommentNotSeparated => "a comment needs a space before its `#`",
        E::InvalidDirectiveTerminator
        | E::DirectiveDisallowed
        | E::MissingYamlVersionSeparator
        | E::MissingDirectiveName
        | E::InvalidDirectiveName
        | E::DirectiveByteLimitExceeded { .. }
        | E::TooManyReservedDirectiveParams { .. }
        | E::YamlVersionTooLong
        | E::MissingYamlVersion => "malformed directive; quote a text that begins with `%`",
        E::MissingAnchorOrAliasName => "`&` and `*` need a name; quote a text that begins with one",
        E::MisplacedFlowCollectionEnd => "closing bracket without an opening one",
        E::MismatchedFlowCollectionEnd { .. } => "closing bracket of another sort than the opening one",
        E::BlockEntryInFlowCollection => "`- ` cannot stand inside brackets",
        E::BlockSequenceEntryNotAllowed => "`- ` cannot begin a list here; check the indentation",
        E::InvalidBlockEntryWhitespace => "`-` needs a space after it",
        E::ZeroBlockScalarIndent | E::InvalidBlockScalarHeader => "malformed header of a block text (`|` or `>`)",
        E::InvalidBlockScalarIndent => "wrong indentation in a block text",
        E::DocumentIndicatorInQuotedScalar => "`---` or `...` begins a line inside quotes",
        E::UnclosedQuotedScalar => "the quote is not closed",
        E::InvalidQuotedScalarIndent => "wrong indentation inside quotes",
        E::InvalidTrailingSingleQuotedScalar | E::InvalidTrailingDoubleQuotedScalar => {
            "text after the closing quote; quote the whole value, or escape the quotes in it"
        }
        E::UnknownQuotedScalarEscape => "unknown escape in double quotes; single quotes need none",
        E::InvalidQuotedScalarHexEscape
        | E::InvalidLowSurrogateHexEscape
        | E::InvalidLowSurrogate
        | E::MissingLowSurrogate
        | E::UnpairedLowSurrogate
        | E::InvalidUnicodeEscape => "malformed escape of a character in double quotes",
        E::PlainScalarStartsWithDashFlowIndicator => "a text cannot begin like this unless it is quoted",
        E::UnexpectedEndOfPlainScalar => "expected a value",
        E::MappingKeyNotAllowed => "a key cannot stand here; check the indentation",
        E::FlowMappingValueAdjacentCollection | E::InvalidMappingValueWhitespace | E::InvalidColonPlacement => {
            "misplaced `:`; check that the brackets before it are closed"
        }
        E::MappingValueNotAllowed => {
            "a second `:` or a key in the middle of a value; check the indentation, or quote a text that holds `: `"
        }
        _ => "not valid YAML",
    };
    Some((ProblemKind::Syntax, message))
}

/// Whether a tab is what is wrong.
pub(crate) fn is_tab(error: &ErrorKind) -> bool {
    use ErrorKind as E;
    matches!(error, E::TabNotAllowed | E::TabInBlockIndentation | E::TabInIndentation | E::TabInPlainScalar)
}
