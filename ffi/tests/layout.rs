//! The compiler of C lays the structs out as Rust does.

#![allow(dead_code, unreachable_pub, reason = "only the structs are used")]

mod common;

use common::{Flavour, Language, Linkage};

// The library cannot be linked as a Rust crate, so its structs are compiled into the test.
#[path = "../src/aggregate.rs"]
mod aggregate;
#[path = "../src/arch.rs"]
mod arch;
#[path = "../src/backend.rs"]
mod backend;
#[path = "../src/boundary.rs"]
mod boundary;
#[path = "../src/cost.rs"]
mod cost;
#[path = "../src/error.rs"]
mod error;
#[path = "../src/node.rs"]
mod node;
#[path = "../src/options.rs"]
mod options;
#[path = "../src/pointer.rs"]
mod pointer;
#[path = "../src/proxy.rs"]
mod proxy;
#[path = "../src/refusal.rs"]
mod refusal;
#[path = "../src/score.rs"]
mod score;
#[path = "../src/search.rs"]
mod search;
#[path = "../src/source.rs"]
mod source;
#[path = "../src/status.rs"]
mod status;
#[path = "../src/sweep.rs"]
mod sweep;
#[path = "../src/tensors.rs"]
mod tensors;
#[path = "../src/written.rs"]
mod written;

/// The size of the field that `_field` returns.
const fn size_of_field<S, F>(_field: fn(&S) -> &F) -> usize {
    size_of::<F>()
}

/// A struct of the header.
#[derive(Debug, PartialEq)]
struct Layout {
    name: String,
    /// The sizes that it has had, the last of today.
    sizes: Vec<usize>,
    fields: Vec<Field>,
}

#[derive(Debug, PartialEq)]
struct Field {
    name: String,
    place: usize,
    size: usize,
}

/// The sizes of a struct in all headers so far, the shortest first.
fn sizes<T: pointer::Struct>() -> Vec<usize> {
    let padded = |end: &usize| end.next_multiple_of(align_of::<T>());
    T::ENDS.iter().map(padded).chain([size_of::<T>()]).collect()
}

macro_rules! layouts {
    ($($name:literal: $type:path { $($field:ident),* $(,)? })*) => {
        vec![$(Layout {
            name: $name.to_owned(),
            sizes: sizes::<$type>(),
            fields: vec![$(Field {
                name: stringify!($field).to_owned(),
                place: std::mem::offset_of!($type, $field),
                size: size_of_field(|value: &$type| &value.$field),
            }),*],
        }),*]
    };
}

/// The structs in the order of `layout.c`.
fn layouts() -> Vec<Layout> {
    layouts! {
        "aznas_ranking": aggregate::Ranking { struct_size, columns, column_count, candidate_count, weights, mode, reserved }
        "aznas_error": error::ErrorReport { struct_size, status, column, block, node, needed, given, field, expected }
        "aznas_node": node::Node { op, flags, inputs, input_count, key, channels, kernel, stride, padding, dilation, groups, heads, grid, reach, epsilon, alpha, first, offset, reserved, behind }
        "aznas_arch": arch::Arch { struct_size, space, channels, cells, classes, target_resolution, input_channels, identity_rule, patch, reach, parameters, text, text_len, nodes, node_count, node_size, target_channels, stem, score_width, score_cells }
        "aznas_tensor": source::Tensor { role, block, key, reserved, data, len }
        "aznas_source": source::Source { struct_size, tensors, tensor_count, tensor_size, lookup, context, labels, label_count, second_labels, second_label_count }
        "aznas_options": options::Options { struct_size, batch, height, width, seed, init, repeats, backend, sigma, proxies, algorithm, source, entropy, reserved }
        "aznas_costs": cost::Costs { struct_size, blocks, complexity, macs, live_macs, parameters, live_parameters, live_layers, depth, peak_activation }
        "aznas_block": score::BlockRow { block, height, width, channels, flags, repeat, expressivity, sigma, trainability }
        "aznas_scores": score::Scores { struct_size, blocks, block_capacity, block_size, block_count, expressivity, progressivity, trainability, complexity, mean_progressivity, macs, live_macs, parameters, live_parameters, live_layers, depth, flags, measured, proxies }
        "aznas_search": search::Search { struct_size, seed, workers, parents, replacements, warmup, warmup_count, max_complexity, max_parameters, min_parameters, max_layers, mutation, max_proposals, texts, text_lens, history }
        "aznas_gradient": sweep::Gradient { struct_size, block, node, key, role, sample, reserved, len, gradient, values }
        "aznas_sweep": sweep::Sweep { struct_size, loss, input, watch, context }
    }
}

/// What `layout.c` of a folder prints: for each struct its name, its size, and the place and size of each field.
fn printed(folder: &str) -> Vec<Layout> {
    let source = format!("{folder}/layout.c");
    let program = common::compile(&source, Language::C11, &Flavour::Checked.build(), Linkage::Static, &[]);
    let mut structs: Vec<Layout> = Vec::new();
    for line in common::output(&program, "").lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        let number = |word: &str| word.parse().expect("a size is a number");
        match words[..] {
            [name, size] => {
                structs.push(Layout { name: name.to_owned(), sizes: vec![number(size)], fields: Vec::new() });
            }
            [path, place, size] => {
                let name = path.split('.').nth(1).expect("a path has a field").to_owned();
                let field = Field { name, place: number(place), size: number(size) };
                structs.last_mut().expect("a struct comes first").fields.push(field);
            }
            _ => panic!("{line}"),
        }
    }
    structs
}

/// Names may change from header to header, places may not, and what comes is added at the end.
#[test]
fn structs_only_grow() {
    let layouts = layouts();
    for folder in common::generations() {
        let before = printed(&folder);
        assert!(before.len() <= layouts.len(), "{folder} has a struct that is gone");
        for (before, now) in before.into_iter().zip(&layouts) {
            let size = before.sizes[0];
            assert!(now.sizes.contains(&size) && now.sizes.is_sorted(), "{folder}: {size} is no size of {now:?}");
            assert!(before.fields.len() <= now.fields.len(), "{folder}: {} lost a field", now.name);
            let (kept, added) = now.fields.split_at(before.fields.len());
            for (before, now) in before.fields.iter().zip(kept) {
                assert_eq!((before.place, before.size), (now.place, now.size), "{folder}: {before:?}");
            }
            // What was added lies behind the padding of the shorter struct, which holds anything.
            assert!(added.iter().all(|field| field.place >= size), "{folder}: {}", now.name);
        }
    }
}

#[test]
fn structs_have_one_layout() {
    let mut expected = layouts();
    for layout in &mut expected {
        layout.sizes = layout.sizes.split_off(layout.sizes.len() - 1);
    }
    assert_eq!(printed("tests/c"), expected);
}
