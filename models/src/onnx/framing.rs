//! How messages lie in the bytes of a file, checked before anybody reads them.
//!
//! A field of a message says how long it is. The reader believes it: it makes room for as many bytes, and goes on behind them.
//! So every length is looked at first, in all messages that the reader goes into, and how deep messages lie in messages.

use super::OnnxError;

/// Messages in messages. A model has eight levels; more come from graphs inside operators, which no network has.
const DEPTH: usize = 32;

/// The messages that are read, as far as they lie in each other.
#[derive(Clone, Copy, PartialEq)]
enum Message {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    Value,
    Type,
    TensorType,
    Sequence,
    Shape,
    /// One that has no other in it.
    Leaf,
}

/// What the bytes of a field are.
enum Content {
    Message(Message),
    /// Numbers of so many bytes.
    Fixed(usize),
    Varints,
    Bytes,
}

impl Message {
    /// What is in field `number`, by the schema of ONNX.
    fn content(self, number: u64) -> Content {
        Content::Message(match (self, number) {
            (Self::Model, 7) | (Self::Attribute, 6) => Self::Graph,
            (Self::Graph, 1) => Self::Node,
            (Self::Graph, 5) | (Self::Attribute, 5) => Self::Tensor,
            (Self::Graph, 11..=13) => Self::Value,
            (Self::Node, 5) => Self::Attribute,
            (Self::Value, 2) | (Self::Sequence, 1) => Self::Type,
            (Self::Type, 1) => Self::TensorType,
            (Self::Type, 4) => Self::Sequence,
            (Self::TensorType, 2) => Self::Shape,
            (Self::Model, 8 | 14) | (Self::Tensor, 13) | (Self::Shape, 1) => Self::Leaf,
            (Self::Tensor, 4) => return Content::Fixed(4),
            (Self::Tensor, 10) => return Content::Fixed(8),
            (Self::Tensor, 5 | 7) => return Content::Varints,
            _ => return Content::Bytes,
        })
    }
}

/// Refuses bytes that are no message, with the place of the first that is wrong.
pub(super) fn check(bytes: &[u8]) -> Result<(), OnnxError> {
    let mut cursor = Cursor { bytes, at: 0 };
    cursor.message(Message::Model, bytes.len(), DEPTH).ok_or_else(|| {
        let reason = "no ONNX model: what begins here is longer than what it lies in, or not what it says";
        OnnxError::new(format!("byte {}", cursor.at), reason)
    })
}

/// A place in the file. Where something is wrong, it stays.
struct Cursor<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Cursor<'_> {
    /// Passes over the fields of a message up to byte `end`.
    fn message(&mut self, message: Message, end: usize, depth: usize) -> Option<()> {
        while self.at < end {
            self.field(message, end, depth)?;
        }
        Some(())
    }

    fn field(&mut self, message: Message, end: usize, depth: usize) -> Option<()> {
        let tag = self.varint(end)?;
        match tag & 7 {
            0 => self.varint(end).map(drop),
            1 => self.skip(8, end),
            5 => self.skip(4, end),
            2 => {
                let len = usize::try_from(self.varint(end)?).ok()?;
                let inner = self.at.checked_add(len).filter(|&inner| inner <= end)?;
                match message.content(tag >> 3) {
                    Content::Message(message) => self.message(message, inner, depth.checked_sub(1)?),
                    Content::Fixed(size) if !len.is_multiple_of(size) => None,
                    Content::Fixed(_) | Content::Bytes => self.skip(len, end),
                    Content::Varints => {
                        while self.at < inner {
                            self.varint(inner)?;
                        }
                        Some(())
                    }
                }
            }
            _ => None,
        }
    }

    /// A number of seven bits a byte, at most ten of them.
    fn varint(&mut self, end: usize) -> Option<u64> {
        let mut value = 0;
        for index in 0..10 {
            let byte = *self.bytes[..end].get(self.at + index)?;
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                self.at += index + 1;
                return (index < 9 || byte < 2).then_some(value);
            }
        }
        None
    }

    fn skip(&mut self, len: usize, end: usize) -> Option<()> {
        self.at = self.at.checked_add(len).filter(|&at| at <= end)?;
        Some(())
    }
}
