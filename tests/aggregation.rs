//! The aggregate of thirteen recorded architectures, as written by the independent oracle (`golden/README.md`).

use aznas::aggregate::{Mode, aggregate, average_ranks};

/// Reads the file into its header and its columns.
fn read_columns() -> (Vec<String>, Vec<Vec<f64>>) {
    let mut reader = csv::Reader::from_path("golden/aggregation.csv").unwrap();
    let names: Vec<String> = reader.headers().unwrap().iter().map(String::from).collect();
    let mut columns = vec![Vec::new(); names.len()];
    for record in reader.records() {
        for (column, text) in columns.iter_mut().zip(record.unwrap().iter()) {
            column.push(text.parse().unwrap());
        }
    }
    (names, columns)
}

#[test]
fn matches_the_oracle() {
    let (names, columns) = read_columns();
    let column = |name: &str| columns[names.iter().position(|n| n == name).unwrap()].as_slice();
    let mut out = vec![0.0; column("E").len()];
    let mut scratch = vec![0; out.len()];
    assert_eq!(out.len(), 13);

    for proxy in ["E", "P", "T", "C"] {
        average_ranks(column(proxy), &mut out, &mut scratch).unwrap();
        assert_eq!(out, column(&format!("rank_{proxy}")), "ranks of {proxy}");
    }

    let cases: [(&str, &[&str], Mode); 3] = [
        ("s_az", &["E", "P", "T", "C"], Mode::Log),
        ("s_linear", &["E", "P", "T", "C"], Mode::Linear),
        ("s_az_without_P", &["E", "T", "C"], Mode::Log),
    ];
    for (name, proxies, mode) in cases {
        let proxies: Vec<&[f64]> = proxies.iter().map(|proxy| column(proxy)).collect();
        aggregate(&proxies, &vec![1.0; proxies.len()], mode, &mut out, &mut scratch).unwrap();
        for (ours, theirs) in out.iter().zip(column(name)) {
            assert!((ours - theirs).abs() < 1e-12, "{name}: {ours} instead of {theirs}");
        }
    }
}
