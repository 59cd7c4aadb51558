//! One number per candidate out of several proxies.

use crate::boundary::guard;
use crate::error::ErrorReport;
use crate::pointer::{self, Descriptor, Struct};
use crate::refusal::Refusal;
use crate::status::Status;
use crate::written::Written;
use aznas::Error;
use aznas::aggregate::{self, MAX_CANDIDATES};
use core::ffi::c_void;

/// Most proxies that can be combined.
const MAX_COLUMNS: usize = 32;

/// How the relative ranks of the proxies are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Mode {
    /// Sum of `w * ln(rank / m)`, equation 12 of the paper.
    Log = 0,
    /// Sum of `w * rank / m`.
    Linear = 1,
}

impl Mode {
    fn to_core(number: u32) -> Result<aggregate::Mode, Refusal> {
        match number {
            _ if number == Self::Log as u32 => Ok(aggregate::Mode::Log),
            _ if number == Self::Linear as u32 => Ok(aggregate::Mode::Linear),
            _ => Err(Refusal::invalid("mode", "one of aznas_mode")),
        }
    }
}

/// The raw scores of all candidates. A candidate is judged by its rank in each column: 1 for the worst, `m` for the best,
/// the mean rank for ties. NaN ranks as minus infinity.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Ranking {
    /// `sizeof(aznas_ranking)`
    pub struct_size: usize,
    /// A pointer for every proxy, to one score for every candidate; "higher is better".
    pub columns: *const *const f64,
    /// Proxies, 1 to 32.
    pub column_count: usize,
    /// Candidates, 1 to 2147483647.
    pub candidate_count: usize,
    /// A finite factor for every proxy, or NULL for 1.
    pub weights: *const f64,
    /// One of `aznas_mode`.
    pub mode: u32,
    /// Must be 0.
    pub reserved: u32,
}

// SAFETY: numbers and pointers take every pattern of bits.
unsafe impl Struct for Ranking {
    const NAME: &'static str = "ranking";
}

// SAFETY: `struct_size` comes first.
unsafe impl Descriptor for Ranking {}

/// A ranking whose numbers and pointers have been checked.
pub(crate) struct Checked<'a> {
    columns: [&'a [f64]; MAX_COLUMNS],
    column_count: usize,
    weights: &'a [f64],
    mode: aggregate::Mode,
}

impl Checked<'_> {
    fn columns(&self) -> &[&[f64]] {
        &self.columns[..self.column_count]
    }

    /// Ranks the first candidates, as many as there is room for in `out` and, with as many numbers, in `scratch`.
    #[cfg(not(feature = "small"))]
    pub(crate) fn rank_first(mut self, out: &mut [f64], scratch: &mut [u64]) -> Result<(), Refusal> {
        self.columns[..self.column_count].iter_mut().for_each(|column| *column = &column[..out.len()]);
        Ok(aggregate::aggregate(self.columns(), self.weights, self.mode, out, scratch)?)
    }
}

impl Ranking {
    /// The numbers that say how much memory is read and needed.
    fn check_sizes(&self) -> Result<(), Refusal> {
        if self.candidate_count == 0 {
            return Err(Refusal::invalid("candidate_count", "at least 1"));
        }
        if self.column_count == 0 {
            return Err(Refusal::invalid("column_count", "at least 1"));
        }
        if self.column_count > MAX_COLUMNS {
            return Err(Error::TooLarge { quantity: "column_count", limit: MAX_COLUMNS }.into());
        }
        if self.candidate_count > MAX_CANDIDATES {
            return Err(Error::TooLarge { quantity: "candidate_count", limit: MAX_CANDIDATES }.into());
        }
        Ok(())
    }

    /// # Safety
    /// The pointers are NULL or point to as much as the numbers say.
    pub(crate) unsafe fn check<'a>(&self, written: &Written) -> Result<Checked<'a>, Refusal> {
        const ONES: [f64; MAX_COLUMNS] = [1.0; MAX_COLUMNS];
        self.check_sizes()?;
        let mode = Mode::to_core(self.mode)?;
        if self.reserved != 0 {
            return Err(Refusal::invalid("reserved", "0"));
        }
        // SAFETY: as promised by the caller.
        let starts = unsafe { pointer::slice(self.columns, self.column_count, "columns", written) }?;
        let mut columns: [&[f64]; MAX_COLUMNS] = [&[]; MAX_COLUMNS];
        for (column, &start) in columns.iter_mut().zip(starts) {
            // SAFETY: as promised by the caller.
            *column = unsafe { pointer::slice(start, self.candidate_count, "columns", written) }?;
        }
        let weights = if self.weights.is_null() {
            &ONES[..self.column_count]
        } else {
            // SAFETY: as promised by the caller.
            unsafe { pointer::slice(self.weights, self.column_count, "weights", written) }?
        };
        Ok(Checked { columns, column_count: self.column_count, weights, mode })
    }
}

/// Combines the proxies of `m` candidates into one score each; higher is better.
///
/// `workspace` is memory of any alignment and content, of `workspace_len` bytes; `aznas_aggregate_workspace_size` says how
/// many suffice. `out` takes a score for every candidate. A list of one candidate gets 0 in AZNAS_MODE_LOG.
///
/// `error` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aznas_aggregate(
    ranking: *const Ranking,
    workspace: *mut c_void,
    workspace_len: usize,
    out: *mut f64,
    error: *mut ErrorReport,
) -> Status {
    let body = |written: &mut Written| {
        pointer::check_output(workspace.cast::<u8>(), workspace_len, "workspace", written)?;
        // SAFETY: the contract of the header.
        let sizes = unsafe { pointer::read(ranking, written) }?;
        sizes.check_sizes()?;
        let candidates = sizes.candidate_count;
        pointer::check_output(out, candidates, "out", written)?;
        // SAFETY: the contract of the header. Now it is known all that is written.
        let ranking = unsafe { pointer::read(ranking, written) }?;
        // SAFETY: the contract of the header.
        let checked = unsafe { ranking.check(written) }?;
        // SAFETY: the contract of the header; nothing else lies in the workspace.
        let scratch = unsafe { pointer::scratch(workspace.cast::<u8>(), workspace_len, candidates) }?;
        // SAFETY: the contract of the header.
        let out = unsafe { pointer::slice_mut(out, candidates) };
        Ok(aggregate::aggregate(checked.columns(), checked.weights, checked.mode, out, scratch)?)
    };
    // SAFETY: the contract of the header.
    unsafe { guard(error, body) }
}

/// The bytes of workspace that suffice for `aznas_aggregate` with the same `ranking`, wherever the workspace starts. Only
/// the counts of `ranking` are used.
///
/// `error` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aznas_aggregate_workspace_size(
    ranking: *const Ranking,
    bytes: *mut usize,
    error: *mut ErrorReport,
) -> Status {
    let body = |written: &mut Written| {
        pointer::check_output(bytes, 1, "bytes", written)?;
        // SAFETY: the contract of the header.
        let ranking = unsafe { pointer::read(ranking, written) }?;
        ranking.check_sizes()?;
        let needed = pointer::scratch_len(ranking.candidate_count)?;
        // SAFETY: the pointer has been checked.
        unsafe { bytes.write(needed) };
        Ok(())
    };
    // SAFETY: the contract of the header.
    unsafe { guard(error, body) }
}
