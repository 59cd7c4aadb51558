//! Tensors of a model that are known before it runs.

use super::OnnxError;
use super::fold::check_axes;
use rten_onnx::onnx::{DataLocation, DataType, TensorProto};
use std::sync::Arc;

/// The elements of a constant.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Elements {
    Floats(Arc<[f32]>),
    Integers(Arc<[i64]>),
}

/// A constant, row-major.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tensor {
    pub(super) dims: Vec<usize>,
    pub(super) elements: Elements,
}

impl Tensor {
    pub(super) fn floats(dims: Vec<usize>, elements: Vec<f32>) -> Self {
        Self { dims, elements: Elements::Floats(elements.into()) }
    }

    pub(super) fn integers(dims: Vec<usize>, elements: Vec<i64>) -> Self {
        Self { dims, elements: Elements::Integers(elements.into()) }
    }

    pub(super) fn len(&self) -> usize {
        match &self.elements {
            Elements::Floats(elements) => elements.len(),
            Elements::Integers(elements) => elements.len(),
        }
    }

    pub(super) fn as_floats(&self) -> Option<&Arc<[f32]>> {
        match &self.elements {
            Elements::Floats(elements) => Some(elements),
            Elements::Integers(_) => None,
        }
    }

    pub(super) fn as_integers(&self) -> Option<&[i64]> {
        match &self.elements {
            Elements::Integers(elements) => Some(elements),
            Elements::Floats(_) => None,
        }
    }

    /// The only element.
    pub(super) fn scalar(&self) -> Option<f64> {
        match &self.elements {
            Elements::Floats(elements) if elements.len() == 1 => Some(f64::from(elements[0])),
            Elements::Integers(elements) if elements.len() == 1 => Some(elements[0] as f64),
            _ => None,
        }
    }

    /// The same numbers as floats.
    pub(super) fn into_floats(self) -> Self {
        match &self.elements {
            Elements::Floats(_) => self,
            Elements::Integers(elements) => {
                let elements = elements.iter().map(|&x| x as f32).collect();
                Self::floats(self.dims, elements)
            }
        }
    }

    /// The number that every element is.
    pub(super) fn uniform(&self) -> Option<f64> {
        match &self.elements {
            Elements::Floats(elements) => {
                let first = *elements.first()?;
                elements.iter().all(|&x| x == first).then_some(f64::from(first))
            }
            Elements::Integers(elements) => {
                let first = *elements.first()?;
                elements.iter().all(|&x| x == first).then_some(first as f64)
            }
        }
    }

    /// Reads a tensor of a file.
    pub(super) fn read(proto: &TensorProto, place: &str) -> Result<Self, OnnxError> {
        let refuse = |reason: String| OnnxError::new(place, reason);
        if proto.data_location == Some(DataLocation::EXTERNAL) || !proto.external_data.is_empty() {
            return Err(refuse(
                "its elements are in another file; export the model with its weights inside (external_data=False)"
                    .into(),
            ));
        }
        let dims: Option<Vec<usize>> = proto.dims.iter().map(|&dim| usize::try_from(dim).ok()).collect();
        let dims = dims.ok_or_else(|| refuse("a negative dimension".into()))?;
        check_axes(dims.len(), place)?;
        let len = dims.iter().try_fold(1usize, |len, &dim| len.checked_mul(dim));
        let len = len.ok_or_else(|| refuse("more elements than memory".into()))?;
        let kind = proto.data_type.ok_or_else(|| refuse("no data type".into()))?;
        let raw = proto.raw_data.as_ref().map(|raw| raw.borrow());
        let raw = raw.as_deref().filter(|raw| !raw.is_empty()).map(Vec::as_slice);
        let tensor = match (kind, raw) {
            (DataType::FLOAT, Some(raw)) => Self::floats(dims, chunks(raw, f32::from_le_bytes)),
            (DataType::FLOAT, None) => Self::floats(dims, proto.float_data.clone()),
            (DataType::DOUBLE, Some(raw)) => Self::floats(dims, chunks(raw, |b| f64::from_le_bytes(b) as f32)),
            (DataType::DOUBLE, None) => Self::floats(dims, proto.double_data.iter().map(|&x| x as f32).collect()),
            (DataType::INT64, Some(raw)) => Self::integers(dims, chunks(raw, i64::from_le_bytes)),
            (DataType::INT64, None) => Self::integers(dims, proto.int64_data.clone()),
            (DataType::INT32, Some(raw)) => Self::integers(dims, chunks(raw, |b| i32::from_le_bytes(b).into())),
            (DataType::BOOL, Some(raw)) => Self::integers(dims, raw.iter().map(|&b| i64::from(b != 0)).collect()),
            (DataType::INT32 | DataType::BOOL, None) => {
                Self::integers(dims, proto.int32_data.iter().map(|&x| x.into()).collect())
            }
            _ => {
                return Err(refuse(format!(
                    "elements of data type {}; float, double, int32, int64, bool are read",
                    kind.0
                )));
            }
        };
        if tensor.len() != len {
            return Err(refuse(format!("{len} elements by its dimensions, {} given", tensor.len())));
        }
        Ok(tensor)
    }
}

/// Little-endian numbers of `N` bytes.
fn chunks<const N: usize, T>(raw: &[u8], number: impl Fn([u8; N]) -> T) -> Vec<T> {
    raw.as_chunks::<N>().0.iter().map(|&bytes| number(bytes)).collect()
}
