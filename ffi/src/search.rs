//! Evolutionary search by ask and tell: what is told lies in tables of the caller, and what is asked for is a function of them.

use crate::aggregate::{Checked, Ranking};
use crate::arch::Arch;
use crate::boundary::guard;
use crate::error::ErrorReport;
use crate::pointer::{self, Descriptor, Struct};
use crate::refusal::Refusal;
use crate::status::Status;
use crate::written::Written;
use aznas::Error;
use aznas::search::{Budget, Settings, leaders, propose};
use aznas::spaces::{Space, Visitor, mbv2};
use core::ffi::{c_char, c_void};
use core::fmt::{self, Display, Write};
use core::ptr;

/// How the first candidates of a search come about. A space without an initial structure gives independent samples instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Warmup {
    /// The first candidate is the initial structure itself; `warmup_count` is not used.
    Initial = 0,
    /// The first `warmup_count` candidates are the initial structure with one replacement each.
    Mutants = 1,
    /// The first `warmup_count` candidates are independent samples of the space: random search if that is all of them.
    Samples = 2,
}

/// How a search varies a candidate. Only MobileNetV2-like structures have more than one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Mutation {
    /// `replacements` super-blocks are replaced, as in the authors' program.
    Published = 0,
    /// The same with every expansion and kernel alike.
    Uniform = 1,
    /// Half of the candidates as published; of the others up to three single numbers change a little, or repetitions move.
    Mixed = 2,
}

/// An evolutionary search by aggregated ranks (Algorithm 1 of the paper): what it looks for, and all that is known by now. Fill
/// with `aznas_search_init`, then change what differs.
///
/// The search is in the memory of the caller, who keeps a table of the candidates and of their scores, asks for the next
/// candidate with `aznas_search_ask`, and tells it by adding its scores to the table. A candidate is a function of its number
/// and of the lines of those before it: any number of threads may ask, and a search goes on from a table that was kept.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Search {
    /// `sizeof(aznas_search)`
    pub struct_size: usize,
    /// Decides, with a candidate's number, every random choice made for that candidate. Default 123, the authors'.
    pub seed: u64,
    /// How many candidates may be out to be scored at a time, at least 1: candidate `number` knows those up to
    /// `number - workers`, whatever else the table has. More than one thus change the search. Default 1.
    pub workers: usize,
    /// How many of the best candidates may become parents, at least 1, all with the same chance. Default 1023, the authors'.
    pub parents: usize,
    /// How many replacements a mutation makes. Default that of the space.
    pub replacements: u32,
    /// How the first candidates come about, one of `aznas_warmup`. Default AZNAS_WARMUP_MUTANTS.
    pub warmup: u32,
    /// How many first candidates have no parents. Default 11, the authors'.
    pub warmup_count: usize,
    /// The most multiply-adds of a candidate, by the convention of the space; 0 for no limit. Default 0.
    pub max_complexity: f64,
    /// The most parameters of a candidate, by the convention of the space; 0 for no limit. Default 0.
    pub max_parameters: u64,
    /// The fewest parameters of a candidate. Default 0.
    pub min_parameters: u64,
    /// The most layers of a candidate, by the convention of the space; 0 for no limit. Default that of the space.
    pub max_layers: u32,
    /// How a candidate is varied, one of `aznas_mutation`. Default AZNAS_MUTATION_PUBLISHED.
    pub mutation: u32,
    /// After how many proposals outside the limits a search gives up, at least 1. Default 100000.
    pub max_proposals: usize,
    /// The texts of the candidates that are known, in the order of their numbers, as `aznas_search_ask` has written them.
    pub texts: *const *const c_char,
    /// Bytes of each text.
    pub text_lens: *const usize,
    /// Their scores, and how they are ranked: line by line those of `texts`. NULL while nothing is known.
    pub history: *const Ranking,
}

// SAFETY: numbers and pointers take every pattern of bits.
unsafe impl Struct for Search {
    const NAME: &'static str = "search";
}

// SAFETY: `struct_size` comes first.
unsafe impl Descriptor for Search {}

impl Warmup {
    fn to_core(number: u32, count: usize) -> Result<aznas::search::Warmup, Refusal> {
        match number {
            _ if number == Self::Initial as u32 => Ok(aznas::search::Warmup::Initial),
            _ if number == Self::Mutants as u32 => Ok(aznas::search::Warmup::Mutants(count)),
            _ if number == Self::Samples as u32 => Ok(aznas::search::Warmup::Samples(count)),
            _ => Err(Refusal::invalid("warmup", "one of aznas_warmup")),
        }
    }
}

impl Mutation {
    fn to_core(number: u32) -> Result<mbv2::Mutation, Refusal> {
        match number {
            _ if number == Self::Published as u32 => Ok(mbv2::Mutation::Published),
            _ if number == Self::Uniform as u32 => Ok(mbv2::Mutation::Uniform),
            _ if number == Self::Mixed as u32 => Ok(mbv2::Mutation::Mixed),
            _ => Err(Refusal::invalid("mutation", "one of aznas_mutation")),
        }
    }
}

impl Search {
    /// The core's settings of the same meaning. Ranks and their weights are the history's.
    fn to_core(self) -> Result<Settings, Refusal> {
        Mutation::to_core(self.mutation)?;
        if self.max_complexity.is_nan() || self.max_complexity < 0.0 {
            return Err(Refusal::invalid("max_complexity", "at least 0"));
        }
        let settings = Settings {
            seed: self.seed,
            workers: self.workers,
            warmup: Warmup::to_core(self.warmup, self.warmup_count)?,
            parents: self.parents,
            replacements: self.replacements as usize,
            budget: Budget {
                complexity: (self.max_complexity != 0.0).then_some(self.max_complexity),
                parameters: (self.max_parameters != 0).then_some(self.max_parameters),
                minimum_parameters: (self.min_parameters != 0).then_some(self.min_parameters),
                layers: (self.max_layers != 0).then_some(self.max_layers),
                ..Budget::default()
            },
            max_proposals: self.max_proposals,
            ..Settings::program()
        };
        settings.check()?;
        Ok(settings)
    }

    /// How many candidates candidate `number` knows; none if it has no parents.
    fn known(&self, settings: &Settings, number: usize) -> usize {
        if settings.has_parents(number) { number.saturating_sub(self.workers - 1) } else { 0 }
    }

    /// The candidates that are known, each as a text.
    ///
    /// # Safety
    /// The pointers are NULL or point to as many.
    unsafe fn known_texts<'a>(&self, known: usize, written: &Written) -> Result<Texts<'a>, Refusal> {
        let texts = Texts {
            // SAFETY: as promised by the caller.
            starts: unsafe { pointer::slice(self.texts, known, "texts", written) }?,
            // SAFETY: as promised by the caller.
            lens: unsafe { pointer::slice(self.text_lens, known, "text_lens", written) }?,
            written: *written,
        };
        // Any of them may become a parent: all are refused before any work.
        (0..known).try_for_each(|number| texts.get(number).map(drop))?;
        Ok(texts)
    }

    /// The scores of the candidates that are known, if there are any.
    ///
    /// # Safety
    /// The pointers are NULL or point to as much as the numbers say.
    unsafe fn scores<'a>(&self, known: usize, written: &Written) -> Result<Option<Checked<'a>>, Refusal> {
        if known == 0 {
            return Ok(None);
        }
        // SAFETY: as promised by the caller.
        let ranking = unsafe { pointer::read(self.history, written) }?;
        if ranking.candidate_count < known {
            return Err(Refusal::invalid("candidate_count", "as many as the candidate knows"));
        }
        // SAFETY: as promised by the caller.
        unsafe { ranking.check(written) }.map(Some)
    }
}

/// Writes the numbers of those who may be parents to the front of `order`, which is as long as `aggregates`.
fn rank(scores: Checked<'_>, aggregates: &mut [u64], order: &mut [u64], parents: usize) -> Result<(), Refusal> {
    // SAFETY: these numbers are as large and aligned, and every pattern of bits is one.
    let aggregates = unsafe { &mut *(ptr::from_mut(aggregates) as *mut [f64]) };
    scores.rank_first(aggregates, order)?;
    leaders(aggregates, parents, order);
    Ok(())
}

/// Candidates of the caller.
struct Texts<'a> {
    starts: &'a [*const c_char],
    lens: &'a [usize],
    written: Written,
}

impl<'a> Texts<'a> {
    /// The text of a candidate that is known.
    fn get(&self, number: usize) -> Result<&'a [u8], Refusal> {
        // SAFETY: the pointers are those of the caller, who promises that they point to as many bytes.
        unsafe { pointer::slice(self.starts[number].cast::<u8>(), self.lens[number], "texts", &self.written) }
    }
}

/// Where the text of a candidate goes.
struct Room {
    start: *mut u8,
    capacity: usize,
    used: usize,
}

impl Room {
    /// Writes all of a text, or nothing if there is not room enough.
    ///
    /// # Safety
    /// `start` points to `capacity` writable bytes.
    unsafe fn write(mut self, text: &impl Display) -> Result<usize, Refusal> {
        let mut counted = Self { start: ptr::null_mut(), capacity: 0, used: 0 };
        let refused = Refusal::invalid("text_capacity", "at least the bytes of the candidate");
        if write!(counted, "{text}").is_err() || counted.used > self.capacity || write!(self, "{text}").is_err() {
            return Err(refused);
        }
        Ok(self.used)
    }
}

impl Write for Room {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if self.capacity - self.used.min(self.capacity) >= part.len() && !self.start.is_null() {
            // SAFETY: the part lies in the room, which nobody else uses.
            unsafe { self.start.add(self.used).copy_from_nonoverlapping(part.as_ptr(), part.len()) };
        }
        self.used += part.len();
        Ok(())
    }
}

/// Makes a candidate of a space.
struct Asking<'a> {
    settings: &'a Settings,
    number: usize,
    parents: &'a [u64],
    texts: Texts<'a>,
    room: Room,
}

impl Visitor for Asking<'_> {
    type Output = Result<usize, Refusal>;

    fn visit<S: Space>(self, space: S) -> Self::Output {
        let Self { settings, number, parents, texts, room } = self;
        // What a parent is refused for, which the core's errors cannot say.
        let refusal = core::cell::Cell::new(None);
        let parent = |choice: usize| {
            let text = texts.get(parents[choice] as usize).map_err(|refused| {
                refusal.set(Some(refused));
                Error::Invalid { field: "texts", expected: "" }
            })?;
            space.parse(text)
        };
        let initial = space.initial();
        let made = propose(&space, settings, initial.as_ref(), number, parents.len(), parent, |_| false);
        let candidate = made.map_err(|error| refusal.take().unwrap_or(error.into()))?;
        // SAFETY: the room is the caller's.
        unsafe { room.write(&candidate) }
    }
}

/// Fills `search` with what the authors search by, for `space`, one of `aznas_space` but AZNAS_SPACE_GRAPH.
///
/// `struct_size` is `sizeof(aznas_search)`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aznas_search_init(search: *mut Search, struct_size: usize, space: u32) -> Status {
    let initialise = |_: &mut Written| {
        let practice = Arch::space_of_texts(space)?.policy().practice;
        let Settings { seed, workers, parents, max_proposals, .. } = Settings::program();
        let value = Search {
            struct_size,
            seed,
            workers,
            parents,
            replacements: practice.replacements,
            warmup: Warmup::Mutants as u32,
            warmup_count: 11,
            max_complexity: 0.0,
            max_parameters: 0,
            min_parameters: 0,
            max_layers: practice.layers.unwrap_or(0),
            mutation: Mutation::Published as u32,
            max_proposals,
            texts: ptr::null(),
            text_lens: ptr::null(),
            history: ptr::null(),
        };
        // SAFETY: the contract of the header.
        unsafe { pointer::initialise(search, struct_size, value) }
    };
    // SAFETY: there is no error struct.
    unsafe { guard(ptr::null_mut(), initialise) }
}

/// Makes candidate `number` of a search, from 0, and writes its text to `text` and the bytes of it, without a terminator, to
/// `text_len`. `arch` says by its space and settings what candidates are and cost; its text is not used.
///
/// The table must have all that the candidate knows: `number + 1 - workers` lines. Later lines do not matter. `workspace` is
/// memory of any alignment and content, of `workspace_len` bytes; `aznas_search_workspace_size` says how many suffice. A text
/// of NAS-Bench-201 takes 90 bytes, one of MobileNetV2 or NDS up to some thousands.
///
/// Candidates may equal earlier ones. Whoever measures all by the same draws can tell the earlier scores again.
///
/// `error` may be NULL. AZNAS_STATUS_NO_CANDIDATE if nothing within the limits was found. A parent that cannot be read is
/// refused with AZNAS_STATUS_PARSE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aznas_search_ask(
    search: *const Search,
    arch: *const Arch,
    number: usize,
    workspace: *mut c_void,
    workspace_len: usize,
    text: *mut c_char,
    text_capacity: usize,
    text_len: *mut usize,
    error: *mut ErrorReport,
) -> Status {
    let body = |written: &mut Written| {
        pointer::check_output(workspace.cast::<u8>(), workspace_len, "workspace", written)?;
        pointer::check_output(text, text_capacity, "text", written)?;
        pointer::check_output(text_len, 1, "text_len", written)?;
        // SAFETY: the contract of the header.
        let (search, arch) = unsafe { (pointer::read(search, written)?, pointer::read(arch, written)?) };
        let settings = search.to_core()?;
        let (space, open) = arch.named_space()?;
        let open = aznas::spaces::Settings { mutation: Mutation::to_core(search.mutation)?, ..open };
        let known = search.known(&settings, number);
        let numbers = known.checked_mul(2).ok_or(Error::Overflow { quantity: "number" })?;
        // SAFETY: the contract of the header. Who has as many scores has as many texts.
        let scores = unsafe { search.scores(known, written) }?;
        // SAFETY: the contract of the header.
        let texts = unsafe { search.known_texts(known, written) }?;
        // SAFETY: the contract of the header; nothing that is read lies in the workspace.
        let scratch = unsafe { pointer::scratch(workspace.cast::<u8>(), workspace_len, numbers) }?;
        let (aggregates, order) = scratch.split_at_mut(known);
        scores.map_or(Ok(()), |scores| rank(scores, aggregates, order, search.parents))?;
        let parents = &order[..known.min(search.parents)];
        let room = Room { start: text.cast(), capacity: text_capacity, used: 0 };
        let used = space.visit(&open, Asking { settings: &settings, number, parents, texts, room })??;
        // SAFETY: the pointer has been checked.
        unsafe { text_len.write(used) };
        Ok(())
    };
    // SAFETY: the contract of the header.
    unsafe { guard(error, body) }
}

/// The bytes of workspace that suffice for `aznas_search_ask` with the same `search` and `number`, and with every smaller number,
/// wherever the workspace starts. The table is not looked at.
///
/// `error` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aznas_search_workspace_size(
    search: *const Search,
    number: usize,
    bytes: *mut usize,
    error: *mut ErrorReport,
) -> Status {
    let body = |written: &mut Written| {
        pointer::check_output(bytes, 1, "bytes", written)?;
        // SAFETY: the contract of the header.
        let search = unsafe { pointer::read(search, written) }?;
        let settings = search.to_core()?;
        let numbers = search.known(&settings, number).checked_mul(2).ok_or(Error::Overflow { quantity: "number" })?;
        let needed = pointer::scratch_len(numbers)?;
        // SAFETY: the pointer has been checked.
        unsafe { bytes.write(needed) };
        Ok(())
    };
    // SAFETY: the contract of the header.
    unsafe { guard(error, body) }
}
