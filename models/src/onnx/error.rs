//! Why a model is not understood.

use std::fmt;

/// What is wrong with a model, and at which of its nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnnxError {
    /// The node by name and operator, such as `/layer1/conv1/Conv (Conv)`; else a part of the file.
    pub place: String,
    /// What is wrong there.
    pub reason: String,
}

impl OnnxError {
    pub(super) fn new(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { place: place.into(), reason: reason.into() }
    }
}

impl fmt::Display for OnnxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

impl std::error::Error for OnnxError {}
