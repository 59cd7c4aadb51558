//! Planning and running touch no heap.

mod common;

use aznas::graph::Network;
use aznas::prefix::{Entry, Store};
use aznas::proxy::ProxySet;
use aznas::spaces::autoformer::TransformerNetwork;
use aznas::sweep::{self, Parameter, State, Sweep};
use aznas::tensor::Random;
use aznas::{Options, Workspace};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, which counts the calls of each thread.
struct Counting;

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is passed on unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.with(|calls| calls.set(calls.get() + 1));
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        CALLS.with(|calls| calls.set(calls.get() + 1));
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn calls_of<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = CALLS.with(Cell::get);
    let result = work();
    (CALLS.with(Cell::get) - before, result)
}

#[test]
fn planning_and_scoring_call_no_allocator() {
    assert!(calls_of(|| std::hint::black_box(vec![1u8; 10])).0 > 0, "the counter counts");
    for text in common::CELLS {
        let network = common::cell_network(text, 8, 2, 10);
        check(&network, Options { batch: 4, height: 16, width: 16, ..Options::default() }, text);
    }
    let text = "autoformer(embed=16,heads=1-2,ratio=2-1)";
    let network = TransformerNetwork::new(text.parse().unwrap());
    check(&network, Options { batch: 2, height: 32, width: 32, ..Options::default() }, text);
}

fn check<N: Network>(network: &N, options: Options, text: &str) {
    let (calls, bytes) = calls_of(|| aznas::workspace_size(network, &options, &Random).unwrap());
    assert_eq!(calls, 0, "{text}: planning");
    let mut memory = vec![0u8; Workspace::buffer_len(bytes).unwrap()];
    let all = Options { proxies: ProxySet::ALL, ..options };
    let (calls, bytes) = calls_of(|| aznas::workspace_size(network, &all, &Random).unwrap());
    assert_eq!(calls, 0, "{text}: planning every proxy");
    let mut most = vec![0u8; Workspace::buffer_len(bytes).unwrap()];
    let (calls, _) = calls_of(|| {
        let mut workspace = Workspace::from_bytes(&mut most);
        aznas::score(network, &all, &Random, &mut workspace, |_| ()).unwrap()
    });
    assert_eq!(calls, 0, "{text}: every proxy");
    let (calls, _) = calls_of(|| {
        let mut workspace = Workspace::from_bytes(&mut memory);
        aznas::score(network, &options, &Random, &mut workspace, |_| ()).unwrap()
    });
    assert_eq!(calls, 0, "{text}: scoring");
    let sweep = Sweep { state: State::Fresh, ..Sweep::default() };
    let (calls, bytes) = calls_of(|| sweep::workspace_size(network, &options, &sweep, &Random).unwrap());
    assert_eq!(calls, 0, "{text}: planning gradients");
    let mut larger = vec![0u8; Workspace::buffer_len(bytes).unwrap()];
    let (calls, _) = calls_of(|| {
        let mut workspace = Workspace::from_bytes(&mut larger);
        let mut watch = |parameter: Parameter<'_>| parameter.state[0] += parameter.gradient[0];
        aznas::gradients(network, &options, &sweep, &Random, &mut workspace, &mut watch).unwrap()
    });
    assert_eq!(calls, 0, "{text}: gradients");
    // Room for a part of it, so that blocks are forgotten as well.
    let words = aznas::prefix::words(network, &options).unwrap() / 2;
    let (mut entries, mut words) = (vec![Entry::VACANT; 16], vec![0; words]);
    let (calls, counts) = calls_of(|| {
        let mut workspace = Workspace::from_bytes(&mut memory);
        let mut store = Store::new(&mut entries, &mut words);
        for seed in [1, 2, 1] {
            store.score(network, &Options { seed, ..options }, &mut workspace, |_| ()).unwrap();
        }
        store.counts()
    });
    assert_eq!(calls, 0, "{text}: remembering");
    assert!(counts.reused + counts.replayed > 0, "{text}: {counts:?}");
}
