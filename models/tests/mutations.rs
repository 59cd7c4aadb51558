//! Damaged files and texts: whatever is done to them, they are read or refused with a place and a reason, without a panic,
//! in memory of a multiple of their length.
//!
//! Mutation `n` is a function of `n` alone. `cargo test --release -p aznas-models --test mutations -- --ignored` makes a
//! million of them.

use aznas::base::rng::{Generator, below, generator};
use aznas::graph::{Cost, peak_activation};
use aznas::tensor::Random;
use aznas::{Options, workspace_size};
use aznas_models::Graph;
use aznas_models::onnx::{Cut, Model};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::PathBuf;

/// The system's allocator, which counts what each thread holds.
struct Counting;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

/// More than this at once is not even tried.
const ABSURD: usize = 1 << 32;

// SAFETY: every call is passed on unchanged, or answered as one that fails.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() > ABSURD {
            return std::ptr::null_mut();
        }
        let held = HELD.with(|held| held.replace(held.get() + layout.size())) + layout.size();
        PEAK.with(|peak| peak.set(peak.get().max(held)));
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.with(|held| held.set(held.get().saturating_sub(layout.size())));
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most bytes that are held at a time during `work`, beyond those held before.
fn peak_of<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = HELD.with(Cell::get);
    PEAK.with(|peak| peak.set(before));
    let result = work();
    (PEAK.with(Cell::get).saturating_sub(before), result)
}

/// The checked-in models.
fn models() -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/onnx");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "onnx"));
    paths.sort();
    assert!(paths.len() > 10, "{paths:?}");
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// The models that are understood, as text.
fn texts(models: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let understood = models.iter().filter_map(|bytes| Model::read(bytes, "model", None, &Cut::Automatic).ok());
    let texts: Vec<_> = understood.map(|model| model.graph.print().unwrap().into_bytes()).collect();
    assert!(texts.len() > 10);
    texts
}

/// Numbers that lengths, sizes and counts do not survive, as protobuf and JSON write them.
const NUMBERS: [&[u8]; 12] = [
    &[0],
    &[0x7f],
    &[0xff, 0x7f],
    &[0xff, 0xff, 0xff, 0xff, 0x07],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    b"0",
    b"-1",
    b"1e400",
    b"4294967295",
    b"18446744073709551615",
    b"1000000000000000000",
];

/// One change: of bits, bytes or ranges, within the file or from another one.
fn mutate(bytes: &mut Vec<u8>, other: &[u8], rng: &mut Generator) {
    let mut upto = |bound: usize| below(rng, bound.max(1) as u64) as usize;
    let at = upto(bytes.len());
    let end = (at + 1 + upto(64)).min(bytes.len());
    match upto(9) {
        0 if !bytes.is_empty() => bytes[at] ^= 1 << upto(8),
        1 if !bytes.is_empty() => bytes[at] = upto(256) as u8,
        2 => bytes.truncate(at),
        3 => drop(bytes.drain(at.min(end)..end)),
        4 => {
            let range = bytes[at.min(end)..end].to_vec();
            let to = upto(bytes.len());
            bytes.splice(to..to, range);
        }
        5 => {
            let from = upto(other.len());
            let range = &other[from..(from + 1 + upto(256)).min(other.len())];
            bytes.splice(at..at, range.iter().copied());
        }
        6 => {
            let number = NUMBERS[upto(NUMBERS.len())];
            bytes.splice(at..at, number.iter().copied());
        }
        7 => {
            // In place of a number, as far as texts have digits.
            let start = (at..bytes.len()).find(|&at| bytes[at].is_ascii_digit()).unwrap_or(at);
            let len = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count().max(1);
            let number = NUMBERS[upto(NUMBERS.len())];
            bytes.splice(start..(start + len).min(bytes.len()), number.iter().copied());
        }
        _ => {
            let (a, b) = (upto(bytes.len()), upto(bytes.len()));
            if !bytes.is_empty() {
                bytes.swap(a, b);
            }
        }
    }
}

/// File `n` of those that come of `seeds`.
fn mutated(seeds: &[Vec<u8>], n: u64) -> Vec<u8> {
    let mut rng = generator(n);
    let mut pick = || below(&mut rng, seeds.len() as u64) as usize;
    let (mut bytes, other) = (seeds[pick()].clone(), &seeds[pick()]);
    for _ in 0..=below(&mut rng, 4) {
        mutate(&mut bytes, other, &mut rng);
    }
    bytes
}

/// A network that was read is counted and planned, or refused by the core.
fn look_at(graph: &Graph) {
    let [_, height, width] = graph.input;
    let _ = Cost::of(graph, height, width);
    let _ = peak_activation(graph, height, width);
    let _ = workspace_size(graph, &Options { batch: 2, height, width, ..Options::default() }, &Random);
}

/// Bytes of memory that a model may take, by those of its file.
fn of_model(len: usize) -> usize {
    32 * len + (1 << 20)
}

/// And a text.
fn of_text(len: usize) -> usize {
    128 * len + (1 << 16)
}

fn read_models(numbers: std::ops::Range<u64>) {
    let seeds = models();
    let (mut read, mut worst) = (0, 0.0f64);
    for n in numbers.clone() {
        let bytes = mutated(&seeds, n);
        let (peak, outcome) = peak_of(|| Model::read(&bytes, "mutated", Some(32), &Cut::Automatic));
        assert!(peak <= of_model(bytes.len()), "mutation {n}: {peak} bytes for a file of {}", bytes.len());
        worst = worst.max(peak as f64 / bytes.len().max(1024) as f64);
        match outcome {
            Ok(model) => {
                read += 1;
                look_at(&model.graph);
                let text = model.graph.print().unwrap();
                let back = Graph::parse(&text).unwrap_or_else(|error| panic!("mutation {n}: {error}: {text}"));
                assert_eq!(back, model.graph, "mutation {n}");
            }
            Err(error) => assert!(!error.place.is_empty() && !error.reason.is_empty(), "mutation {n}: {error:?}"),
        }
    }
    println!("{read} of {} models read, at most {worst:.1} bytes of memory a byte", numbers.end - numbers.start);
}

fn read_texts(numbers: std::ops::Range<u64>) {
    let seeds = texts(&models());
    let (mut read, mut worst) = (0, 0.0f64);
    for n in numbers.clone() {
        let bytes = mutated(&seeds, n);
        let text = String::from_utf8_lossy(&bytes);
        let (peak, outcome) = peak_of(|| Graph::parse(&text));
        assert!(peak <= of_text(text.len()), "mutation {n}: {peak} bytes for a text of {}", text.len());
        worst = worst.max(peak as f64 / text.len().max(1024) as f64);
        match outcome {
            Ok(graph) => {
                read += 1;
                look_at(&graph);
                let again = graph.print().unwrap();
                assert_eq!(Graph::parse(&again).as_ref(), Ok(&graph), "mutation {n}");
            }
            Err(error) => assert!(!error.place.is_empty() && !error.reason.is_empty(), "mutation {n}: {error:?}"),
        }
    }
    println!("{read} of {} texts read, at most {worst:.1} bytes of memory a byte", numbers.end - numbers.start);
}

#[test]
fn damaged_models_are_read_or_refused() {
    read_models(0..3000);
}

#[test]
fn damaged_texts_are_read_or_refused() {
    read_texts(0..3000);
}

#[test]
#[ignore = "minutes"]
fn a_million_damaged_models_are_read_or_refused() {
    read_models(0..1_000_000);
}

#[test]
#[ignore = "minutes"]
fn a_million_damaged_texts_are_read_or_refused() {
    read_texts(0..1_000_000);
}
