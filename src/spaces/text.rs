//! A cursor over the bytes of an architecture text, that knows where it stands when something does not fit.

use crate::Error;
use crate::base::SMALL;
use core::fmt;
use core::ops::RangeInclusive;

/// Whether spaces read the notations of other programs beside their own: small builds do not.
pub(super) const NOTATIONS: bool = !SMALL;

/// Reads tokens from left to right. Any byte sequence is a valid text to read from. A byte-order mark and blanks around
/// the text are skipped.
#[derive(Clone)]
pub(super) struct Cursor<'a> {
    text: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        let mut cursor = Self { text, position: 0 };
        cursor.accept("\u{feff}");
        cursor.skip_blanks();
        cursor
    }

    fn rest(&self) -> &'a [u8] {
        &self.text[self.position..]
    }

    /// The one-based column of the next byte.
    pub(super) fn column(&self) -> usize {
        self.position + 1
    }

    /// Whether nothing is left.
    pub(super) fn is_at_end(&self) -> bool {
        self.rest().is_empty()
    }

    /// The next byte does not fit.
    pub(super) fn error(&self, expected: &'static str) -> Error {
        Error::Parse { column: self.column(), expected }
    }

    /// The next byte, if there is one.
    pub(super) fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    /// Steps over blanks.
    pub(super) fn skip_blanks(&mut self) {
        self.take_while(|byte| byte.is_ascii_whitespace());
    }

    /// Steps over `literal` if it comes next, maybe behind blanks. Else nothing moves but over the blanks.
    pub(super) fn accept_token(&mut self, literal: &str) -> bool {
        self.skip_blanks();
        self.accept(literal)
    }

    /// Steps over `literal`, which must come next, maybe behind blanks.
    pub(super) fn require_token(&mut self, literal: &'static str) -> Result<(), Error> {
        self.skip_blanks();
        self.require(literal)
    }

    /// What stands between quotes of either kind, maybe behind blanks.
    pub(super) fn quoted(&mut self, expected: &'static str) -> Result<&'a [u8], Error> {
        self.skip_blanks();
        let start = self.clone();
        let quote = self.one_of(b"'\"", expected)?;
        let content = self.take_while(|byte| byte != quote && byte != b'\n');
        self.one_of(&[quote], expected).map_err(|_| start.error(expected))?;
        Ok(content)
    }

    /// Steps over what a log line has before the first of `literals`: up to a blank, a quote, `=`, `:` or `,`. Without one,
    /// nothing moves.
    pub(super) fn skip_to(&mut self, literals: &[&str]) {
        let rest = self.rest();
        let begins = |&at: &usize| literals.iter().any(|literal| rest[at..].starts_with(literal.as_bytes()));
        if let Some(at) = (0..rest.len()).find(begins) {
            let is_apart = at == 0 || b" \t\"'=:,".contains(&rest[at - 1]);
            self.position += if is_apart { at } else { 0 };
        }
    }

    /// Steps over everything up to the end of the first `literal`, if there is one.
    pub(super) fn skip_past(&mut self, literal: &str) {
        let mut windows = self.rest().windows(literal.len());
        if let Some(at) = windows.position(|window| window == literal.as_bytes()) {
            self.position += at + literal.len();
        }
    }

    /// Steps over `literal` if it comes next.
    pub(super) fn accept(&mut self, literal: &str) -> bool {
        let found = self.rest().starts_with(literal.as_bytes());
        if found {
            self.position += literal.len();
        }
        found
    }

    /// Steps over `literal`, which must come next.
    pub(super) fn require(&mut self, literal: &'static str) -> Result<(), Error> {
        if self.accept(literal) { Ok(()) } else { Err(self.error(literal)) }
    }

    /// The longest run of bytes, possibly empty, that satisfy `belongs`.
    pub(super) fn take_while(&mut self, belongs: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let length = rest.iter().position(|&byte| !belongs(byte)).unwrap_or(rest.len());
        self.position += length;
        &rest[..length]
    }

    /// The longest run, possibly empty, of ASCII letters, digits and underscores.
    pub(super) fn word(&mut self) -> &'a [u8] {
        self.take_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    }

    /// One byte out of `allowed`.
    pub(super) fn one_of(&mut self, allowed: &[u8], expected: &'static str) -> Result<u8, Error> {
        match self.rest().first() {
            Some(byte) if allowed.contains(byte) => {
                self.position += 1;
                Ok(*byte)
            }
            _ => Err(self.error(expected)),
        }
    }

    /// An unsigned decimal number in `range`, maybe behind blanks. Errors point at its first digit.
    pub(super) fn integer(&mut self, range: RangeInclusive<u32>, expected: &'static str) -> Result<u32, Error> {
        self.skip_blanks();
        let start = self.clone();
        let digits = self.take_while(|byte| byte.is_ascii_digit());
        let value =
            digits.iter().try_fold(0u32, |value, digit| value.checked_mul(10)?.checked_add(u32::from(digit - b'0')));
        match value {
            Some(value) if !digits.is_empty() && range.contains(&value) => Ok(value),
            _ => Err(start.error(expected)),
        }
    }

    /// Nothing may be left but blanks.
    pub(super) fn end(mut self) -> Result<(), Error> {
        self.skip_blanks();
        if self.is_at_end() { Ok(()) } else { Err(self.error("the end of the text")) }
    }
}

/// What prints itself by a closure.
pub(super) fn printed(print: impl Fn(&mut fmt::Formatter<'_>) -> fmt::Result) -> impl fmt::Display {
    struct Printed<F>(F);

    impl<F: Fn(&mut fmt::Formatter<'_>) -> fmt::Result> fmt::Display for Printed<F> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0(f)
        }
    }

    Printed(print)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_tokens_and_counts_columns() {
        let mut cursor = Cursor::new(b"conv_3(12,0,4294967296k");
        let width = |cursor: &mut Cursor| cursor.integer(1..=u32::MAX, "a width");
        assert_eq!(cursor.word(), b"conv_3");
        assert!(!cursor.accept("["));
        assert_eq!(cursor.require("("), Ok(()));
        assert_eq!(width(&mut cursor), Ok(12));
        assert_eq!(cursor.clone().end(), Err(Error::Parse { column: 10, expected: "the end of the text" }));
        assert_eq!(cursor.require(")"), Err(Error::Parse { column: 10, expected: ")" }));
        assert_eq!(width(&mut cursor), Err(Error::Parse { column: 10, expected: "a width" }));
        assert!(cursor.accept(","));
        assert_eq!(width(&mut cursor), Err(Error::Parse { column: 11, expected: "a width" }));
        assert!(cursor.accept(","));
        assert_eq!(width(&mut cursor), Err(Error::Parse { column: 13, expected: "a width" }));
        assert_eq!(cursor.one_of(b"jk", "j or k"), Ok(b'k'));
        assert_eq!(cursor.one_of(b"jk", "j or k"), Err(Error::Parse { column: 24, expected: "j or k" }));
        assert!(cursor.is_at_end());
        assert_eq!(cursor.word(), b"");
    }
}
