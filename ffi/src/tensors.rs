//! The caller's tensors as the core asks for them.

use crate::pointer::{self, Array};
use crate::refusal::Refusal;
use crate::source::{Lookup, Role, Source, Tensor};
use crate::written::Written;
use aznas::Error;
use core::cell::Cell;
use core::ffi::c_void;

/// The tensors of a [`Source`].
#[derive(Debug)]
pub(crate) struct CallerTensors {
    table: Table,
    lookup: Lookup,
    context: *mut c_void,
    /// The labels of the first batches, where there are some.
    labels: [Option<Labels>; LABELLED],
    /// What no tensor may overlap.
    written: Written,
    /// Why an answer of the function cannot be read. It counts as empty, so that planning refuses it.
    refused: Cell<Option<Refusal>>,
}

/// Batches that can have labels. Bare metal has no losses, and no room.
const LABELLED: usize = if cfg!(feature = "panic-handler") { 0 } else { 2 };

/// Classes that the caller gives.
#[derive(Clone, Copy, Debug)]
struct Labels {
    start: *const u32,
    len: usize,
}

impl Labels {
    /// Those of a source, which can be read.
    ///
    /// # Safety
    /// `start` is NULL or points to `len` numbers.
    unsafe fn new(
        start: *const u32,
        len: usize,
        name: &'static str,
        written: &Written,
    ) -> Result<Option<Self>, Refusal> {
        // SAFETY: as promised by the caller.
        unsafe { pointer::slice(start, len, name, written) }?;
        Ok(if start.is_null() { None } else { Some(Self { start, len }) })
    }
}

impl CallerTensors {
    /// The tensors of `source`, which may be NULL.
    ///
    /// # Safety
    /// `source` keeps the promises of the header, as long as the result is used.
    pub(crate) unsafe fn new(source: *const Source, written: Written) -> Result<Self, Refusal> {
        let (mut table, mut lookup, mut context) = (Array::EMPTY, None, core::ptr::null_mut());
        let mut labels = [None; LABELLED];
        if !source.is_null() {
            // SAFETY: as promised by the caller.
            let source = unsafe { pointer::read(source, &written) }?;
            let Source { tensors, tensor_count, tensor_size, .. } = source;
            // SAFETY: as promised by the caller.
            table = unsafe { Array::new(tensors, tensor_count, tensor_size, "tensor_size", &written) }?;
            (lookup, context) = (source.lookup, source.context);
            let given = [
                (source.labels, source.label_count, "labels"),
                (source.second_labels, source.second_label_count, "second_labels"),
            ];
            for (labels, (start, len, name)) in labels.iter_mut().zip(given) {
                // SAFETY: as promised by the caller.
                *labels = unsafe { Labels::new(start, len, name, &written) }?;
            }
        }
        Ok(Self { table: Table::new(table, &written)?, lookup, context, labels, written, refused: Cell::new(None) })
    }

    /// The outcome of a call that asked for tensors.
    pub(crate) fn answered<T>(&self, outcome: Result<T, Error>) -> Result<T, Refusal> {
        outcome.map_err(|error| self.refused.get().unwrap_or(error.into()))
    }

    fn find(&self, role: Role, block: usize, key: u32) -> Option<&[f32]> {
        let (role, block) = (role as u32, u32::try_from(block).ok()?);
        let (data, len) = match (self.table.find(role, block, key), self.lookup) {
            (Some(tensor), _) => (tensor.data, tensor.len),
            (None, Some(lookup)) => {
                let mut len = 0;
                // SAFETY: the caller supplied the function for this call.
                let data = unsafe { lookup(self.context, role, block, key, &mut len) };
                if data.is_null() {
                    return None;
                }
                (data, len)
            }
            (None, None) => return None,
        };
        // SAFETY: the promises of the header.
        let slice = unsafe { pointer::slice(data, len, "lookup", &self.written) };
        Some(slice.unwrap_or_else(|refusal| {
            self.refused.set(Some(refusal));
            &[]
        }))
    }
}

impl aznas::tensor::Source for CallerTensors {
    fn input(&self) -> Option<&[f32]> {
        self.find(Role::Input, 0, 0)
    }

    fn batch(&self, number: u32) -> Option<&[f32]> {
        self.find(Role::Input, number as usize, 0)
    }

    fn labels(&self, batch: u32) -> Option<&[u32]> {
        let Labels { start, len } = (*self.labels.get(batch as usize)?)?;
        // SAFETY: the promises of the header.
        unsafe { pointer::slice(start, len, "labels", &self.written) }.ok()
    }

    fn direction(&self, block: usize) -> Option<&[f32]> {
        self.find(Role::Direction, block, 0)
    }

    fn parameter(&self, block: usize, key: u32, role: aznas::tensor::Role) -> Option<&[f32]> {
        self.find(Role::of(role), block, key)
    }
}

/// Most stretches that a table is searched by.
const MAX_STRETCHES: usize = 16;

/// A table of tensors, cut into stretches of ascending blocks.
///
/// A stretch is searched by halves for the block, which has few nodes. So the tensors of a network are found in time in
/// proportion to their number (but for a logarithm) if their blocks ascend: once, or role after role, or in whatever order
/// has no more stretches. What comes after the last stretch is searched from its front.
#[derive(Debug)]
struct Table {
    tensors: Array<Tensor>,
    /// Where the stretches end.
    ends: [usize; MAX_STRETCHES],
    stretches: usize,
}

impl Table {
    /// A table each of whose tensors can be read.
    fn new(tensors: Array<Tensor>, written: &Written) -> Result<Self, Refusal> {
        let mut table = Self { tensors, ends: [0; MAX_STRETCHES], stretches: 0 };
        let mut before = None;
        let mut has_room = true;
        for index in 0..tensors.len() {
            let tensor = tensors.get(index);
            if tensor.role > Role::ValueColumn as u32 {
                return Err(Refusal::invalid("role", "one of aznas_role"));
            }
            if tensor.reserved != 0 {
                return Err(Refusal::invalid("reserved", "0"));
            }
            // SAFETY: the promises of the header.
            unsafe { pointer::slice(tensor.data, tensor.len, "data", written) }?;
            if before.is_none_or(|before| tensor.block < before) {
                has_room = table.stretches < MAX_STRETCHES;
                table.stretches += usize::from(has_room);
            }
            if has_room {
                table.ends[table.stretches - 1] = index + 1;
            }
            before = Some(tensor.block);
        }
        Ok(table)
    }

    /// The first tensor of the table with this role, block and key.
    fn find(&self, role: u32, block: u32, key: u32) -> Option<Tensor> {
        let is_wanted = |tensor: &Tensor| (tensor.role, tensor.block, tensor.key) == (role, block, key);
        let mut start = 0;
        for &end in &self.ends[..self.stretches] {
            let of_block = (self.first(block, start, end)..end).map(|index| self.tensors.get(index));
            let found = of_block.take_while(|tensor| tensor.block == block).find(is_wanted);
            if found.is_some() {
                return found;
            }
            start = end;
        }
        (start..self.tensors.len()).map(|index| self.tensors.get(index)).find(is_wanted)
    }

    /// The first tensor of a stretch that does not belong to an earlier block.
    fn first(&self, block: u32, start: usize, end: usize) -> usize {
        let (mut low, mut high) = (start, end);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.tensors.get(middle).block < block { low = middle + 1 } else { high = middle }
        }
        low
    }
}
