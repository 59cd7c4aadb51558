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
#[path = "../src/source.rs"]
mod source;
#[path = "../src/status.rs"]
mod status;

/// The size of the field that `_field` returns.
const fn size_of_field<S, F>(_field: fn(&S) -> &F) -> usize {
    size_of::<F>()
}

/// Lines for structs and their fields, as `layout.c` prints them.
macro_rules! layout {
    ($($name:literal: $type:path { $($field:ident),* $(,)? })*) => {{
        let mut lines = Vec::new();
        $(
            lines.push(format!("{} {}", $name, size_of::<$type>()));
            $(
                let size = size_of_field(|value: &$type| &value.$field);
                let offset = std::mem::offset_of!($type, $field);
                lines.push(format!("{}.{} {offset} {size}", $name, stringify!($field)));
            )*
        )*
        lines
    }};
}

#[test]
fn structs_have_one_layout() {
    let expected = layout! {
        "aznas_ranking": aggregate::Ranking { struct_size, columns, column_count, candidate_count, weights, mode, reserved }
        "aznas_error": error::ErrorReport { struct_size, status, column, block, node, needed, given, field, expected }
        "aznas_node": node::Node { op, flags, inputs, input_count, key, channels, kernel, stride, padding, dilation, groups, heads, grid, reach, epsilon }
        "aznas_arch": arch::Arch { struct_size, space, channels, cells, classes, target_resolution, input_channels, identity_rule, patch, reach, parameters, text, text_len, nodes, node_count, node_size }
        "aznas_tensor": source::Tensor { role, block, key, reserved, data, len }
        "aznas_source": source::Source { struct_size, tensors, tensor_count, tensor_size, lookup, context }
        "aznas_options": options::Options { struct_size, batch, height, width, seed, init, repeats, backend, sigma, proxies, algorithm, source }
        "aznas_costs": cost::Costs { struct_size, blocks, complexity, macs, live_macs, parameters, live_parameters, live_layers, depth }
        "aznas_block": score::BlockRow { block, height, width, channels, flags, repeat, expressivity, sigma, trainability }
        "aznas_scores": score::Scores { struct_size, blocks, block_capacity, block_size, block_count, expressivity, progressivity, trainability, complexity, mean_progressivity, macs, live_macs, parameters, live_parameters, live_layers, depth, flags, reserved }
    };
    let program = common::compile("tests/c/layout.c", Language::C11, &Flavour::Checked.build(), Linkage::Static, &[]);
    let printed = common::output(&program, "");
    assert_eq!(printed.lines().collect::<Vec<_>>(), expected);
}
