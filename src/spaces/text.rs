//! A cursor over the bytes of an architecture text, that knows where it stands when something does not fit.

use crate::Error;
use core::fmt;
use core::ops::RangeInclusive;

/// Reads tokens from left to right. Any byte sequence is a valid text to read from.
#[derive(Clone)]
pub(super) struct Cursor<'a> {
    text: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, position: 0 }
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

    /// An unsigned decimal number in `range`. Errors point at its first digit.
    pub(super) fn integer(&mut self, range: RangeInclusive<u32>, expected: &'static str) -> Result<u32, Error> {
        let start = self.clone();
        let digits = self.take_while(|byte| byte.is_ascii_digit());
        let value =
            digits.iter().try_fold(0u32, |value, digit| value.checked_mul(10)?.checked_add(u32::from(digit - b'0')));
        match value {
            Some(value) if !digits.is_empty() && range.contains(&value) => Ok(value),
            _ => Err(start.error(expected)),
        }
    }

    /// Nothing may be left.
    pub(super) fn end(&self) -> Result<(), Error> {
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
        assert_eq!(cursor.end(), Err(Error::Parse { column: 10, expected: "the end of the text" }));
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
