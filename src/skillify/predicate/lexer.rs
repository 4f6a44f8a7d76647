//! Words and texts of a line, each with the column where it begins.

/// A longer line is no predicate that a person wrote.
pub(super) const LONGEST_LINE: usize = 2_000;

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    /// The character of the line where it begins, from 1.
    pub(super) column: usize,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// Lower-case letters.
    Word(String),
    /// What stands between quotation marks.
    Text(String),
}

/// The tokens of a line; `#` begins a comment.
pub(super) fn tokens(line: &str) -> Result<Vec<Token>, ParseError> {
    if line.len() > LONGEST_LINE {
        return Err(ParseError::new(1, format!("a predicate has at most {LONGEST_LINE} bytes")));
    }
    let mut tokens = Vec::new();
    let mut chars = line.chars().enumerate().peekable();
    while let Some((at, char)) = chars.next() {
        let column = at + 1;
        let kind = match char {
            '#' => break,
            char if char.is_whitespace() => continue,
            '"' => TokenKind::Text(text(&mut chars, column)?),
            char if char.is_ascii_alphabetic() => {
                let mut word = String::from(char);
                while let Some((_, next)) = chars.next_if(|(_, next)| next.is_ascii_alphanumeric()) {
                    word.push(next);
                }
                TokenKind::Word(word)
            }
            other => {
                let message = format!(
                    "{other:?} begins no word; commands, paths and texts stand between quotation marks"
                );
                return Err(ParseError::new(column, message));
            }
        };
        tokens.push(Token { kind, column });
    }
    Ok(tokens)
}

/// The rest of a text, whose mark stands at `column`.
fn text(chars: &mut impl Iterator<Item = (usize, char)>, column: usize) -> Result<String, ParseError> {
    let mut text = String::new();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Ok(text),
            '\\' => match chars.next() {
                Some((_, next @ ('"' | '\\'))) => text.push(next),
                _ => {
                    let message = "after a backslash stands a quotation mark or a second backslash";
                    return Err(ParseError::new(at + 1, message.to_owned()));
                }
            },
            char if char.is_control() => {
                let message = "a text has no control characters".to_owned();
                return Err(ParseError::new(at + 1, message));
            }
            char => text.push(char),
        }
    }
    Err(ParseError::new(column, "this text has no closing quotation mark".to_owned()))
}

/// What is wrong with a predicate, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {message}")]
pub struct ParseError {
    /// The character of the line, from 1.
    pub column: usize,
    /// What the lexer expected, and a likely correction.
    pub message: String,
}

impl ParseError {
    pub(in crate::skillify) const fn new(column: usize, message: String) -> Self {
        Self { column, message }
    }
}
