//! A call takes time in proportion to what it is asked for.

mod common;

use common::{Flavour, Language, Linkage};

#[test]
fn a_table_of_tensors_is_planned_in_proportion() {
    let program = common::compile("tests/c/table.c", Language::C11, &Flavour::Checked.build(), Linkage::Static, &[]);
    let printed = common::output(&program, "");
    for line in printed.lines() {
        let seconds: Vec<f64> = line.split(' ').map(|word| word.parse().expect("a time is a number")).collect();
        // Four times as much; sixteen times as long would be quadratic.
        assert!(seconds[1] < 8.0 * seconds[0] + 0.1, "{printed}");
    }
}
