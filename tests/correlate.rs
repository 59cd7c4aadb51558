//! The correlation program and its parts.
#![allow(dead_code)] // the program uses more of them than its tests

#[path = "../examples/correlate/campaign.rs"]
mod campaign;
#[path = "../examples/correlate/ceiling.rs"]
mod ceiling;
#[path = "../examples/correlate/choice.rs"]
mod choice;
#[path = "../examples/common/mod.rs"]
mod common;
#[path = "../examples/correlate/exhibit.rs"]
mod exhibit;
#[path = "../examples/correlate/field.rs"]
mod field;
#[path = "../examples/correlate/measurement.rs"]
mod measurement;
#[path = "../examples/correlate/named.rs"]
mod named;
#[path = "../examples/common/networks.rs"]
mod networks;
#[path = "../examples/correlate/paper/mod.rs"]
mod paper;
mod programs;
#[path = "../examples/correlate/records.rs"]
mod records;
#[path = "../examples/correlate/scored.rs"]
mod scored;
#[path = "../examples/correlate/sheet.rs"]
mod sheet;
#[path = "../examples/correlate/statistics.rs"]
mod statistics;
#[path = "../examples/correlate/study.rs"]
mod study;
#[path = "../examples/correlate/table.rs"]
mod table;

use aznas::Options;
use aznas::aggregate::Mode;
use aznas::base::rng::{Generator, below, generator};
use aznas::proxy::{Proxy, ProxySet};
use campaign::{Case, Representatives};
use clap::Parser;
use common::setting::Setting;
use exhibit::{EXHIBITS, Exhibit};
use measurement::Sample;
use scored::{Record, Scored};
use statistics::{discounted_gain, doubled_ranks, kendall, kendall_at_equal_size, spearman};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use study::Truth;
use table::{Request, Table};

fn numbers(rng: &mut Generator, count: usize, different: u64) -> Vec<f64> {
    (0..count).map(|_| below(rng, different) as f64).collect()
}

/// τ-b from its definition, over the pairs for which `is_pair` holds.
fn kendall_by_pairs(x: &[f64], y: &[f64], is_pair: impl Fn(usize, usize) -> bool) -> Option<f64> {
    let (mut difference, mut of_x, mut of_y) = (0.0, 0.0, 0.0);
    for i in 0..x.len() {
        for j in (0..i).filter(|&j| is_pair(i, j)) {
            let sign = |a: f64, b: f64| if a == b { 0.0 } else { (a - b).signum() };
            let (dx, dy) = (sign(x[i], x[j]), sign(y[i], y[j]));
            difference += dx * dy;
            of_x += dx * dx;
            of_y += dy * dy;
        }
    }
    (of_x > 0.0 && of_y > 0.0).then(|| difference / f64::sqrt(of_x * of_y))
}

/// ρ from its definition: a rank is what is smaller and half of what is equal, and ρ the correlation of the ranks, here over all
/// pairs.
fn spearman_by_pairs(x: &[f64], y: &[f64]) -> Option<f64> {
    let rank = |values: &[f64], i: usize| {
        let place = |&other: &f64| if other < values[i] { 1.0 } else { f64::from(other == values[i]) / 2.0 };
        values.iter().map(place).sum::<f64>()
    };
    let ranks = [x, y].map(|values| (0..values.len()).map(|i| rank(values, i)).collect::<Vec<_>>());
    let [mut product, mut of_x, mut of_y] = [0.0; 3];
    for i in 0..x.len() {
        for j in 0..i {
            let [dx, dy] = [&ranks[0], &ranks[1]].map(|ranks| ranks[i] - ranks[j]);
            product += dx * dy;
            of_x += dx * dx;
            of_y += dy * dy;
        }
    }
    (of_x > 0.0 && of_y > 0.0).then(|| product / f64::sqrt(of_x * of_y))
}

#[test]
fn correlations_are_what_all_pairs_say() {
    let mut rng = generator(5);
    for count in [0, 1, 2, 3, 5, 8, 33, 100, 257] {
        for different in [1, 2, 5, 1000] {
            let (x, mut y) = (numbers(&mut rng, count, different), numbers(&mut rng, count, 7));
            if count == 100 {
                // Nearly all pairs tie.
                y[1..].fill(3.0);
            }
            let sizes: Vec<f64> = numbers(&mut rng, count, 40).iter().map(|size| size + 20.0).collect();
            let is_close = |i: usize, j: usize| (sizes[i] - sizes[j]).abs() < 0.1 * sizes[i].max(sizes[j]);
            let (of_x, of_y) = (doubled_ranks(&x), doubled_ranks(&y));
            for (name, fast, slow) in [
                ("tau", kendall(&of_x, &of_y), kendall_by_pairs(&x, &y, |_, _| true)),
                ("rho", spearman(&of_x, &of_y), spearman_by_pairs(&x, &y)),
                ("tau at equal size", kendall_at_equal_size(&of_x, &of_y, &sizes), kendall_by_pairs(&x, &y, is_close)),
            ] {
                let is_same = match (fast, slow) {
                    (Some(fast), Some(slow)) => (fast - slow).abs() < 1e-12,
                    (fast, slow) => fast == slow,
                };
                assert!(is_same, "{name} of {count}, {different} different: {fast:?} {slow:?}");
            }
        }
    }
}

#[test]
fn size_alone_says_nothing_at_equal_size() {
    let mut rng = generator(6);
    let rows = statistics::MOST_IN_PAIRS + 5000;
    let sizes: Vec<f64> = (0..rows).map(|row| 1.2f64.powi((row % 50) as i32)).collect();
    let truth: Vec<f64> = sizes.iter().zip(numbers(&mut rng, rows, 1 << 40)).map(|(size, x)| size + x / 1e12).collect();
    let [of_sizes, of_truth] = [&sizes, &truth].map(|values| doubled_ranks(values));
    assert!(kendall(&of_sizes, &of_truth).unwrap() > 0.98);
    assert_eq!(kendall_at_equal_size(&of_sizes, &of_truth, &sizes), None, "sizes 20 % apart are no pairs");
    assert_eq!(kendall_at_equal_size(&of_truth, &of_truth, &sizes), Some(1.0));
}

/// Trainings of the same are told by their names, and what one says of another is no ranking's to pass.
#[test]
fn repeated_trainings_are_a_ceiling() {
    let names = ["cifar10", "cifar100", "acc1", "acc2", "acc13", "cifar10_s1", "cifar10_s2", "params", "s1 μ", "s2 μ"];
    let value =
        |column: usize, row: usize| if column == 4 && row == 0 { f64::NAN } else { (row * (column + 1)) as f64 };
    let truths = (0..names.len()).map(|column| (0..9).map(|row| value(column, row)).collect()).collect();
    let table = Table { columns: names.map(String::from).to_vec(), truths, ..Table::default() };
    let truths = Truth::of(&table);
    let repeats = |name: &str| {
        let truth = truths.iter().find(|truth| truth.name == name).unwrap();
        ceiling::repeats(truth, &truths).into_iter().map(|truth| truth.name.as_str()).collect::<Vec<_>>()
    };
    for (name, expected) in [
        ("cifar10", &[][..]),
        ("cifar100", &[]),
        ("acc1", &["acc2", "acc13"]),
        ("acc13", &["acc1", "acc2"]),
        ("cifar10_s1", &["cifar10_s2"]),
        ("params", &[]),
        ("s1 μ", &["s2 μ"]),
    ] {
        assert_eq!(repeats(name), expected, "{name}");
    }
    let columns = vec![vec![1.0; 9]; Proxy::COUNT];
    assert_eq!(ceiling::ceiling(&truths[0], &truths, &columns), None);
    // The row without a value in the one is left out of the other.
    let measures = ceiling::ceiling(&truths[2], &truths, &columns).unwrap();
    assert!(
        measures.iter().all(|measure| measure.is_some_and(|measure| (measure - 1.0).abs() < 1e-12)),
        "{measures:?}"
    );
}

#[test]
fn known_correlations() {
    let ranks = |values: &[f64]| doubled_ranks(values);
    let (rising, falling, flat) = (ranks(&[1.0, 2.0, 3.0, 4.0]), ranks(&[9.0, 7.0, 5.0, 0.0]), ranks(&[3.0; 4]));
    // Three of six pairs tie on one side: 3 / √(3 · 6), and Pearson's of the ranks.
    let tied = ranks(&[f64::NAN, f64::NEG_INFINITY, f64::NAN, 1.0]);
    for (x, y, tau, rho) in [
        (&rising, &rising, Some(1.0), Some(1.0)),
        (&rising, &falling, Some(-1.0), Some(-1.0)),
        (&rising, &flat, None, None),
        (&flat, &flat, None, None),
        (&rising, &tied, Some(3.0 / 18.0f64.sqrt()), Some(0.774_596_669)),
    ] {
        let close = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() < 1e-9,
            (a, b) => a == b,
        };
        assert!(close(kendall(x, y), tau) && close(kendall(y, x), tau), "{x:?} {y:?}: {:?}", kendall(x, y));
        assert!(close(spearman(x, y), rho), "{x:?} {y:?}: {:?}", spearman(x, y));
    }
}

#[test]
fn discounted_gains() {
    let ranks = |values: &[f64]| doubled_ranks(values);
    let truth = ranks(&[1.0, 2.0, 3.0, 4.0]);
    assert_eq!(discounted_gain(&truth, &truth, 2), Some(1.0));
    assert_eq!(discounted_gain(&truth, &ranks(&[5.0; 4]), 2), None);
    // Gains in the predicted order 0 4 (of 6 4 at best), discounted by 1 and log2(3).
    let discount = 1.0 / 3.0f64.log2();
    let value = discounted_gain(&ranks(&[9.0, 1.0, 5.0, 2.0]), &truth, 2).unwrap();
    assert!((value - 4.0 * discount / (6.0 + 4.0 * discount)).abs() < 1e-12, "{value}");
    // All tie: every place has the mean gain.
    let value = discounted_gain(&ranks(&[1.0; 4]), &truth, 2).unwrap();
    assert!((value - 3.0 * (1.0 + discount) / (6.0 + 4.0 * discount)).abs() < 1e-12, "{value}");
    // More places than items.
    assert_eq!(discounted_gain(&truth, &truth, 100), Some(1.0));
}

/// A quadratic step would take hours, which nobody would overlook.
#[test]
fn many_rows_are_no_trouble() {
    let mut rng = generator(1);
    let (x, y) = (numbers(&mut rng, 1_000_000, 1 << 40), numbers(&mut rng, 1_000_000, 1000));
    let (x, y) = (doubled_ranks(&x), doubled_ranks(&y));
    let tau = kendall(&x, &y).unwrap();
    assert!(tau.abs() < 0.01 && spearman(&x, &y).unwrap().abs() < 0.01 && discounted_gain(&x, &y, 100).is_some());
}

const CELL: &str = "|nor_conv_3x3~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|skip_connect~2|";
const TWIN: &str = "|none~0|+|none~0|none~1|+|nor_conv_1x1~0|skip_connect~1|none~2|";

fn request<'a>(columns: &'a [String]) -> Request<'a> {
    Request { arch_column: "arch", columns, sample: None, seed: 1, skip_unknown: false }
}

fn read(text: impl AsRef<[u8]>, request: &Request<'_>) -> Result<Table, String> {
    table::read(text.as_ref(), request, |arch| {
        aznas::spaces::nb201::Cell::parse(arch).map(drop).map_err(|error| error.to_string())
    })
}

#[test]
fn tables_are_read_by_their_headings() {
    let text = format!("\u{feff}id,arch,test,note\n1, {CELL} ,93.5,x\n2,{TWIN},nan,y\n3,{CELL},,z\n4,{TWIN},inf,z\n");
    let table = read(&text, &request(&[])).unwrap();
    assert_eq!(table.columns, ["id", "test"]);
    assert_eq!(table.architectures, [CELL, TWIN]);
    assert_eq!(table.rows, [0, 1, 0, 1]);
    assert_eq!(table.truths[0], [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(table.truths[1][0], 93.5);
    assert!(table.truths[1][1..].iter().all(|value| value.is_nan()));
    let chosen = read(&text, &request(&["test".to_string()])).unwrap();
    assert_eq!(chosen.columns, ["test"]);
    let truth = &Truth::of(&chosen)[0];
    assert_eq!((truth.rows.as_slice(), truth.values.as_slice()), (&[0][..], &[93.5][..]));
    assert_eq!(truth.measures(&[1.0; 4], &vec![vec![1.0; 4]; Proxy::COUNT]), [None; study::MEASURES.len()]);
}

#[test]
fn bad_tables_say_what_is_wrong() {
    let header = "arch,test\n";
    let test = || vec!["test".to_string()];
    for (text, columns, expected) in [
        (String::new(), vec![], "line 1: no column \"arch\""),
        ("cell,test\n".to_string(), vec![], "line 1: no column \"arch\"; there are: \"cell\", \"test\""),
        ("arch;test\n".to_string(), vec![], "fields are expected between commas"),
        ("arch,test,arch\n".to_string(), vec![], "line 1: two columns are named \"arch\""),
        (
            format!("{header}{CELL},1\n"),
            vec!["x".to_string()],
            "line 1: no column \"x\"; there are: \"arch\", \"test\"",
        ),
        (header.to_string(), vec![], "no column of numbers beside arch; column test holds no value"),
        (header.to_string(), test(), "column test holds no value"),
        (format!("{header}{CELL},good\n"), vec![], "column test holds text, such as \"good\" in line 2"),
        (format!("{header}{CELL},good\n"), test(), "column test holds text, such as \"good\" in line 2"),
        (format!("{header}{CELL},1\n|none~0|,2\n"), vec![], "line 3, column arch: \"|none~0|\": column 9"),
        (format!("{header}{CELL},1\n{TWIN}\n"), vec![], "line 3: 1 fields where the heading has 2"),
        (format!("{header}{TWIN}\n{CELL},1\n"), vec![], "line 2: 1 fields where the heading has 2"),
    ] {
        let error = read(&text, &request(&columns)).unwrap_err();
        assert!(error.contains(expected), "{text:?}: {error}");
    }
    let damaged = [format!("{header}{CELL},").as_bytes(), b"\xff\n"].concat();
    assert_eq!(read(damaged, &request(&[])).unwrap_err(), "line 2, column test: not UTF-8");
    let tolerant = Request { skip_unknown: true, ..request(&[]) };
    let table = read(format!("{header}{CELL},1\nwhat,2\n{TWIN},3\n"), &tolerant).unwrap();
    assert_eq!(table.truths[0], [1.0, 3.0]);
    assert_eq!(table.skipped[0].line, 3);
    assert!(table.skipped[0].reason.starts_with("\"what\""));
    let error = read(format!("{header}{},1\n", "x".repeat(20_000_000)), &request(&[])).unwrap_err();
    assert!(error.len() < 300 && error.contains("20000000 bytes"), "{error}");
}

/// A table of one column of numbers, one of them replaced.
fn with_field(place: usize, field: &str) -> String {
    let field = |row: usize| if row == place { format!("\"{field}\"") } else { format!("{}.5", 90 + row) };
    let row = |row: usize| format!("{},{}\n", if row.is_multiple_of(2) { CELL } else { TWIN }, field(row));
    "arch,test\n".to_string() + &(0..5).map(row).collect::<String>()
}

/// Every kind of field in every row: what a column is does not depend on which row says so.
#[test]
fn a_column_is_what_all_its_rows_say() {
    let missing = ["", "NA", "N/A", "n/a", "#N/A", "<NA>", "nan", "NaN", "None", "NULL", "null", "nil", "-", "--", "?"];
    let infinite = ["inf", "-inf", "Infinity", "1e999"];
    for place in 0..5 {
        for field in missing.into_iter().chain(infinite) {
            for columns in [vec![], vec!["test".to_string()]] {
                let table = read(with_field(place, field), &request(&columns)).unwrap();
                let expected = |row: usize| if row == place { f64::NAN } else { 90.5 + row as f64 };
                for (row, value) in table.truths[0].iter().enumerate() {
                    assert!(value.total_cmp(&expected(row)).is_eq(), "{field:?} in row {row}: {value}");
                }
            }
        }
        let line = place + 2;
        for (field, reason) in [
            ("good", "is not a number"),
            ("9o.1", "is not a number"),
            ("93 1", "is not a number"),
            ("91,3", "has a comma: write numbers with a point"),
            ("1,234.5", "has a comma: write numbers with a point"),
            ("93.1%", "has a percent sign, which line"),
        ] {
            let error = read(with_field(place, field), &request(&[])).unwrap_err();
            assert!(error.starts_with(&format!("line {line}, column test: \"{field}\" {reason}")), "{error}");
        }
    }
    let percent = read(format!("arch,test\n{CELL},93.1%\n{TWIN},N/A\n{TWIN},94 %\n"), &request(&[])).unwrap();
    assert_eq!((percent.truths[0][0], percent.truths[0][2]), (93.1, 94.0));
}

#[test]
fn columns_that_nobody_named_are_taken_or_left_out_aloud() {
    let text = format!(
        ",arch,id,test,note,empty,Unnamed: 6\n0,{CELL},1,N/A,x,,7\n1,{TWIN},2,93.5,3,NA,8\n2,{CELL},3,94,y,,9\n"
    );
    let table = read(&text, &request(&[])).unwrap();
    assert_eq!(table.columns, ["id", "test"]);
    let remarks = table.remarks.join("\n");
    for remark in [
        "left out: column note holds text, such as \"x\" in line 2",
        "left out: column empty holds no value",
        "left out: column 1 has no name",
        "left out: column 7 has no name",
        "taken for accuracies: id, test",
    ] {
        assert!(remarks.contains(remark), "{remark}: {remarks}");
    }
    let chosen = read(&text, &request(&["test".to_string()])).unwrap();
    assert_eq!((chosen.columns, chosen.remarks), (vec!["test".to_string()], vec![]));
}

/// Three records as NDS has them, of networks that it has not.
const RECORDS: &str = r#"{
  "top": [
    {"net": {"genotype": {"normal": [["sep_conv_3x3", 0], ["skip_connect", 1]], "normal_concat": [2],
                          "reduce": [["max_pool_3x3", 0], ["max_pool_3x3", 1]], "reduce_concat": [2]},
             "width": 4, "depth": 4, "aux": false},
     "optim": {"lr": 0.1}, "test_ep_top1": [60.5, 30.25], "min_test_top1": 30.25, "params": 1, "flops": 2}
  ],
  "mid": [
    {"test_ep_top1": [90.0], "net": {"width": 8, "depth": 3, "genotype": {
      "normal": [["none", 0], ["dil_conv_5x5", 1], ["conv_7x1_1x7", 2], ["skip_connect", 2]], "normal_concat": [2, 3],
      "reduce": [["sep_conv_5x5", 1], ["avg_pool_3x3", 0]], "reduce_concat": [2]}}},
    {"net": {"genotype": {"normal": [["sep_conv_3x3", 0], ["skip_connect", 1]], "normal_concat": [2],
                          "reduce": [["max_pool_3x3", 0], ["max_pool_3x3", 1]], "reduce_concat": [2]},
             "width": 4, "depth": 4},
     "test_ep_top1": [31.5]}
  ]
}"#;

#[test]
fn records_of_nds_are_rows() {
    let table = records::read(RECORDS, &request(&[])).unwrap();
    assert_eq!(table.columns, ["accuracy"]);
    assert_eq!(table.rows, [0, 1, 0]);
    assert_eq!(table.truths, [[69.75, 10.0, 68.5]]);
    assert_eq!(
        table.architectures,
        [
            "Genotype(normal=[('sep_conv_3x3', 0), ('skip_connect', 1)], normal_concat=[2], reduce=[('max_pool_3x3', 0), \
             ('max_pool_3x3', 1)], reduce_concat=[2], width=4, depth=4)",
            "Genotype(normal=[('none', 0), ('dil_conv_5x5', 1), ('conv_7x1_1x7', 2), ('skip_connect', 2)], \
             normal_concat=[2, 3], reduce=[('sep_conv_5x5', 1), ('avg_pool_3x3', 0)], reduce_concat=[2], width=8, depth=3)",
        ]
    );
    let list = RECORDS.replace("{\n  \"top\": ", "").replace("],\n  \"mid\": [", ",").trim_end_matches('}').to_string();
    assert_eq!(records::read(&list, &request(&[])).unwrap().truths, table.truths);
}

#[test]
fn bad_records_say_where() {
    for (from, to, line, reason) in [
        ("\"sep_conv_3x3\", 0", "\"sep_conv\", 0", 3, "column 54: \"sep_conv\" is no operation of NDS"),
        ("\"sep_conv_3x3\", 0", "\"sep_conv_3x3\"", 3, "invalid length 1"),
        ("[\"skip_connect\", 1]]", "[\"skip_connect\", 2]]", 3, "normal: "),
        ("[\"skip_connect\", 1]]", "[\"none\", 1]]", 3, "normal: "),
        (", [\"skip_connect\", 1]]", "]", 3, "normal: two pairs make a node, and there are 1"),
        ("\"normal_concat\": [2]", "\"normal_concat\": []", 3, "normal: "),
        ("\"reduce_concat\": [2]", "\"reduce_concat\": [1, 2]", 3, "parts"),
        (",\n             \"width\": 4, \"depth\"", ", \"depth\"", 4, "missing field `width`"),
        ("\"test_ep_top1\": [60.5, 30.25]", "\"test_ep_top1\": []", 6, "there is no epoch"),
        ("\"test_ep_top1\": [60.5, 30.25]", "\"test_ep_top1\": 30", 6, "invalid type: integer `30`"),
        ("\"width\": 4", "\"width\": -4", 5, "invalid value: integer `-4`"),
        ("\"depth\": 4", "\"depth\": 0", 3, "depth"),
    ] {
        let text = RECORDS.replacen(from, to, 1);
        assert_ne!(text, RECORDS, "{from}");
        let error = records::read(&text, &request(&[])).unwrap_err();
        assert!(error.starts_with(&format!("line {line}, column ")) && error.contains(reason), "{from}: {error}");
        let request = Request { skip_unknown: true, ..request(&[]) };
        let table = records::read(&text, &request).unwrap();
        assert_eq!((table.skipped[0].line, table.truths), (line, vec![vec![10.0, 68.5]]), "{from}");
    }
    for (text, reason) in [
        ("", "line 1 column 0"),
        ("{\"top\": []}", "missing field `mid` at line 1 column 11"),
        ("[1, 2", "line 1 column 5"),
        ("[]", "the table has no usable row"),
    ] {
        let error = records::read(text, &request(&[])).unwrap_err();
        assert!(error.contains(reason), "{text}: {error}");
    }
}

#[test]
fn samples_are_uniform_and_in_order() {
    let mut text = "arch,test\n".to_string();
    (0..1000).for_each(|i| text += &format!("{CELL},{i}\n"));
    let sample = |seed, sample| read(&text, &Request { seed, sample, ..request(&[]) }).unwrap().truths[0].clone();
    let drawn = sample(1, Some(100));
    assert_eq!(drawn.len(), 100);
    assert!(drawn.windows(2).all(|pair| pair[0] < pair[1]));
    assert_ne!(drawn, sample(2, Some(100)));
    assert_eq!(drawn, sample(1, Some(100)));
    assert_eq!(sample(1, Some(5000)).len(), 1000);
    // Mean 499.5, deviation of the mean of 2000 draws 6.5.
    let mean = (0..20).flat_map(|seed| sample(seed, Some(100))).sum::<f64>() / 2000.0;
    assert!((mean - 499.5).abs() < 26.0, "{mean}");
}

/// A file in a folder of its own, gone at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("aznas-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.join("scores.csv")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn record(value: f64) -> Record {
    let mut proxies = vec![-0.1; scored::measurable().len()];
    proxies[..4].copy_from_slice(&[value, f64::NEG_INFINITY, -0.2, 1e-300]);
    Record { proxies, flags: 6, milliseconds: 1.5, workspace_bytes: 4096 }
}

#[test]
fn scores_survive_under_their_setting_and_seed() {
    let scratch = Scratch::new("store");
    let of = |name: &str| Setting::default().with("name", Some(name));
    let mut scored = Scored::open(&scratch.file()).unwrap();
    scored.add(&of("a"), 1, "SuperConv(3,8)\"x\"".into(), record(0.1 + 0.2)).unwrap();
    scored.add(&of("a"), 2, CELL.into(), record(2.0)).unwrap();
    scored.add(&of("b"), 1, CELL.into(), record(3.0)).unwrap();
    drop(scored);
    let scored = Scored::open(&scratch.file()).unwrap();
    let get = |name, seed, arch| scored.of(&of(name), seed).and_then(|of| of.get(arch));
    assert_eq!(get("a", 1, "SuperConv(3,8)\"x\""), Some(&record(0.1 + 0.2)));
    assert_eq!(get("a", 2, CELL), Some(&record(2.0)));
    assert_eq!(get("b", 1, CELL), Some(&record(3.0)));
    assert_eq!((get("b", 1, TWIN), get("b", 2, CELL), get("c", 1, CELL)), (None, None, None));
    assert_eq!(scored.others(&of("a")), None);
    assert_eq!(
        scored.others(&of("c").with("d", Some(1))),
        Some((3, "name was a and is c, d was none and is 1".into()))
    );
}

/// The space as the command line gives it.
#[derive(Parser)]
struct Space {
    #[command(flatten)]
    space: networks::NetworkArguments,
}

#[test]
fn equal_cells_share_scores_but_not_costs() {
    let space = Space::parse_from(["test", "--channels", "4", "--cells", "1"]).space;
    let networks = named::Networks::of(&space, None).unwrap();
    let text = format!("arch,test\n{CELL},1\n{TWIN},2\n{CELL},3\n");
    let table = read(&text, &request(&[])).unwrap();
    let options = Options { batch: 2, height: 8, width: 8, ..Options::default() };
    let case = Case { options, label: "test".into() };
    let counts = campaign::counts(&table, &networks, &options).unwrap();
    let mut measured = Vec::new();
    for (name, representatives, scored) in
        [("all", Representatives::none(), 2), ("once", Representatives::of_cells(), 1)]
    {
        let scratch = Scratch::new(name);
        let mut scores = Scored::open(&scratch.file()).unwrap();
        let effort = campaign::score(&table, &networks, &case, &representatives, 2, &mut scores).unwrap();
        assert_eq!(effort.scored, scored);
        let length = std::fs::metadata(scratch.file()).unwrap().len();
        campaign::score(&table, &networks, &case, &representatives, 2, &mut scores).unwrap();
        assert_eq!(std::fs::metadata(scratch.file()).unwrap().len(), length, "nothing is scored twice");
        let columns =
            campaign::proxies(&table, &counts, &networks, std::slice::from_ref(&case), &representatives, &scores)
                .unwrap();
        // The dead convolution of the first cell counts as complexity, and only there.
        let of = |proxy: Proxy| &columns[proxy as usize];
        assert!(of(Proxy::Complexity)[0] > of(Proxy::Complexity)[1]);
        assert_eq!(of(Proxy::LiveComplexity)[0], of(Proxy::LiveComplexity)[1]);
        assert_eq!(of(Proxy::Depth)[0], of(Proxy::Depth)[1]);
        assert_eq!(of(Proxy::Expressivity)[0], of(Proxy::Expressivity)[2]);
        measured.push(of(Proxy::Expressivity).clone());
    }
    // Scored once, both have the scores of the representative, which here is the twin, first in the enumeration.
    assert_eq!(measured[1], [measured[0][1]; 3]);
}

/// Proxies of which two are noisy views of the truth, and the others noise.
fn synthetic(rows: usize) -> (Vec<Vec<f64>>, Truth) {
    let mut rng = generator(9);
    let truth = numbers(&mut rng, rows, 1000);
    let mut columns: Vec<Vec<f64>> = Proxy::ALL.iter().map(|_| numbers(&mut rng, rows, 1000)).collect();
    for column in &mut columns[..2] {
        column.iter_mut().zip(&truth).for_each(|(value, truth)| *value = truth + *value / 2.0);
    }
    let table = Table { columns: vec!["test".into()], truths: vec![truth], ..Table::default() };
    (columns, Truth::of(&table).remove(0))
}

#[test]
fn choosing_finds_what_predicts_and_is_judged_elsewhere() {
    let (columns, truth) = synthetic(600);
    let splits = choice::study(&columns, ProxySet::ALL, ProxySet::ALL, &truth, 1).unwrap();
    assert_eq!(splits.len(), choice::SPLITS as usize);
    for split in &splits {
        assert!([Proxy::Expressivity, Proxy::Progressivity].into_iter().all(|proxy| split.best.contains(proxy)));
        assert!(split.best.len() <= 3 && split.chosen_on > 0.6, "{:?}", split.best);
        assert!(split.evaluated[0] > split.evaluated[1] + 0.05, "{:?}", split.evaluated);
        assert_eq!(split.controls.len(), choice::controls(ProxySet::ALL).len());
    }
    let constant = Truth::of(&Table { columns: vec!["flat".into()], truths: vec![vec![1.0; 600]], ..Table::default() });
    assert!(choice::study(&columns, ProxySet::ALL, ProxySet::PAPER, &constant[0], 1).is_none());
    assert!(choice::study(&[vec![], vec![]], ProxySet::of(&[]), ProxySet::of(&[]), &synthetic(0).1, 1).is_none());
}

#[test]
fn selection_takes_the_best_ranked_of_those_drawn() {
    let (mut columns, truth) = synthetic(500);
    columns[0] = truth.values.clone();
    let of = |proxy| study::selection(&study::Predictor::Single(proxy), &columns, &truth, 1);
    let (picked, best) = of(Proxy::Expressivity);
    assert_eq!((picked.len(), &picked), (5, &best), "a perfect proxy picks the best");
    let (picked, same) = of(Proxy::Depth);
    assert_eq!(same, best, "every ranking is offered the same rows");
    assert!(picked.iter().zip(&best).any(|(picked, best)| picked < best));
}

#[test]
fn subsets_and_their_aggregates() {
    let all = study::subsets(ProxySet::EXTENDED);
    assert_eq!(all.len(), 31);
    assert!(all.windows(2).all(|pair| pair[0].len() <= pair[1].len() && pair[0] != pair[1]));
    assert!(all.iter().all(|set| set.iter().all(|proxy| ProxySet::EXTENDED.contains(proxy))));
    // Of many proxies not all, but still each alone, all but each, and all.
    let many = study::subsets(ProxySet::ALL);
    assert_eq!(many.len(), 2 * Proxy::COUNT + 1);
    assert!(many.windows(2).all(|pair| pair[0].len() <= pair[1].len() && pair[0] != pair[1]));
    let eight = Proxy::ALL[..study::MOST_PROXIES].iter().fold(ProxySet::of(&[]), |set, &proxy| set.with(proxy));
    assert_eq!(study::subsets(eight).len(), 255);
    let (columns, _) = synthetic(50);
    let mut expected = vec![0.0; 50];
    let parts = [columns[0].as_slice(), &columns[3]];
    aznas::aggregate::aggregate(&parts, &[1.0; 2], Mode::Linear, &mut expected, &mut [0; 50]).unwrap();
    let set = ProxySet::of(&[Proxy::Complexity, Proxy::Expressivity]);
    assert_eq!(study::aggregated(&columns, set, Mode::Linear), expected);
    assert_eq!(study::symbols(set), "E+C");
}

/// Every proxy of a target adds to a made-up τ and every other takes away from it: the target is found whether all subsets
/// are looked at or proxies are added one by one, and in bounded work.
#[test]
fn the_best_subset_is_found_in_bounded_work() {
    let few = ProxySet::EXTENDED.union(ProxySet::PAPER);
    for candidates in [few, ProxySet::ALL] {
        for target in study::subsets(few) {
            let looks = std::cell::Cell::new(0);
            let tau = |set: ProxySet| {
                looks.set(looks.get() + 1);
                Some(2.0 * set.without(set.without(target)).len() as f64 - set.len() as f64)
            };
            let (found, most) = study::best_subset(candidates, tau).unwrap();
            assert_eq!((found, most), (target, target.len() as f64), "{target} among {candidates}");
            // All that there are, or each proxy once more for every one that is found.
            let bound = if candidates == few { 63 } else { candidates.len() * (target.len() + 1) };
            assert!(looks.get() <= bound, "{} sets are looked at for {target} among {candidates}", looks.get());
        }
        // A set that is better only as a whole is missed by adding one by one, and nothing is worse than the best alone.
        let tau = |set: ProxySet| Some(if set == ProxySet::EXTENDED { 1.0 } else { -(set.len() as f64) });
        let (found, _) = study::best_subset(candidates, tau).unwrap();
        assert_eq!(found == ProxySet::EXTENDED, candidates.len() <= study::MOST_PROXIES);
    }
    assert_eq!(study::best_subset(ProxySet::ALL, |_| None), None);
    assert_eq!(study::best_subset(ProxySet::of(&[]), |_| Some(1.0)), None);
}

#[test]
fn a_page_shows_the_figures_of_the_files() {
    let scratch = Scratch::new("sheet");
    let mut sheet = sheet::Sheet::new("name", "Title", "a < b", &["what", "tau"]);
    sheet.rows.push(vec!["E, \"P\" & T".into(), sheet::figure(Some(0.12345))]);
    sheet.rows.push(vec!["flat".into(), sheet::figure(None)]);
    sheet.write(&scratch.0).unwrap();
    let csv = std::fs::read_to_string(scratch.0.join("name.csv")).unwrap();
    assert_eq!(csv, "what,tau\n\"E, \"\"P\"\" & T\",0.1235\nflat,undefined\n");
    let html = sheet.html();
    for expected in ["a &lt; b", "E, &quot;P&quot; &amp; T", "<td class=\"n\">0.1235</td>", "undefined", "name.csv"] {
        assert!(html.contains(expected), "{expected}: {html}");
    }
    assert_eq!(sheet.text(), "Title\n  what        tau\n  E, \"P\" & T     0.1235\n  flat        undefined\n");
}

/// Networks that take no time.
const TINY: [&str; 8] = ["--channels", "2", "--cells", "1", "--batch", "2", "--resolution", "8"];

/// The program on a table of cells, whose scores are kept in `folder/report`.
fn correlate(folder: &Path, arguments: &[&str]) -> Command {
    let mut text = "arch,test\n".to_string();
    for (i, cell) in aznas::spaces::nb201::Cell::all().step_by(400).enumerate() {
        text += &format!("{cell},{}\n", i % 17);
    }
    std::fs::create_dir_all(folder).unwrap();
    let table = folder.join("table.csv");
    std::fs::write(&table, text).unwrap();
    let mut command = Command::new(programs::program("correlate"));
    command.arg("--truth").arg(table).args(arguments);
    if !arguments.contains(&"--out") {
        command.arg("--out").arg(folder.join("report"));
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn finished(folder: &Path, arguments: &[&str]) -> Output {
    let output = correlate(folder, &[&TINY, arguments].concat()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

#[test]
fn records_of_nds_are_scored() {
    let folder = programs::folder("correlate", "nds");
    std::fs::create_dir_all(&folder).unwrap();
    let run = |text: &str, arguments: &[&str]| {
        std::fs::write(folder.join("records.json"), text).unwrap();
        let mut command = Command::new(programs::program("correlate"));
        command.current_dir(&folder).args(["--nds", "records.json", "--batch", "2", "--resolution", "8"]);
        command.args(["--out", "report"]).args(arguments).output().unwrap()
    };
    let output = run(RECORDS, &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let scores = std::fs::read_to_string(folder.join("report/scores.csv")).unwrap();
    // A heading, and each network once.
    assert_eq!(scores.lines().count(), 3, "{scores}");
    for size in ["width=4, depth=4", "width=8, depth=3"] {
        assert!(scores.contains(size), "{scores}");
    }
    // What costs nothing to know is told beside every ranking.
    let correlations = std::fs::read_to_string(folder.join("report/correlations.csv")).unwrap();
    assert!(correlations.contains("peak activation memory"), "{correlations}");
    let output = run(&RECORDS.replacen("sep_conv_3x3", "conv", 1), &[]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && message.contains("records.json: line 3, column "), "{message}");
    assert!(!run(RECORDS, &["--space", "nb201"]).status.success());
}

fn lines(folder: &Path) -> usize {
    std::fs::read_to_string(folder.join("report/scores.csv")).map_or(0, |text| text.lines().count())
}

/// Killed again and again, it gets on by every score that was done, and ends with the report it would have had.
#[cfg(unix)]
#[test]
fn every_score_counts_when_it_is_killed() {
    // Networks take milliseconds, so that there is something to kill on any machine.
    let slow = ["--channels", "16", "--cells", "3", "--batch", "8", "--threads", "2"];
    let [whole, parts] = ["kill-whole", "kill-parts"].map(|name| programs::folder("correlate", name));
    assert!(correlate(&whole, &slow).output().unwrap().status.success());
    let (mut kept, mut kills) = (0, 0);
    for _ in 0..6 {
        let mut child = correlate(&parts, &slow).spawn().unwrap();
        let start = std::time::Instant::now();
        // The heading and what is unfinished are lines too.
        while lines(&parts) < kept.max(1) + 2 && child.try_wait().unwrap().is_none() {
            assert!(start.elapsed().as_secs() < 60, "nothing is kept");
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        child.kill().unwrap();
        kills += usize::from(!child.wait().unwrap().success());
        assert!(lines(&parts) >= kept, "a score is lost");
        kept = lines(&parts);
    }
    assert!(kills > 0, "it was over before the first kill");
    assert!(correlate(&parts, &slow).output().unwrap().status.success());
    for name in ["ranks.csv", "correlations.csv", "scatter.svg"] {
        let read = |folder: &Path| std::fs::read(folder.join("report").join(name)).unwrap();
        assert!(read(&whole) == read(&parts), "{name}");
    }
}

#[test]
fn scores_of_another_setting_are_not_taken() {
    let folder = programs::folder("correlate", "settings");
    finished(&folder, &[]);
    let count = lines(&folder) - 1;
    finished(&folder, &["--proxies", "blockwise", "--sample", "20", "--threads", "1"]);
    assert_eq!(lines(&folder), 1 + count, "nothing is scored twice");
    for (times, arguments, difference) in [
        (2, ["--algorithm", "bfloat16"], "algorithm was winograd and is bfloat16"),
        (3, ["--classes", "7"], "classes was "),
    ] {
        let output = finished(&folder, &arguments);
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains(difference), "{message}");
        assert_eq!(lines(&folder), 1 + times * count);
    }
    // Another program is at it.
    let file = std::fs::OpenOptions::new().append(true).open(folder.join("report/scores.csv")).unwrap();
    file.lock().unwrap();
    let output = correlate(&folder, &TINY).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("scores.csv: another program is adding to it"), "{message}");
}

#[test]
fn proxies_that_a_space_has_not_are_refused() {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("correlate-none-of-them");
    let arguments = ["--space", "autoformer", "--truth", "nothing-is-read.csv", "--proxies", "isotropy,Pm", "--out"];
    let output = Command::new(programs::program("correlate")).args(arguments).arg(&out).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains("--proxies: the space has none of them"), "{said}");
    assert!(!out.exists());
}

/// Scored in parts, in any order and form, the report is that of one run; what does not belong together is refused.
#[test]
fn shards_are_joined_and_mixtures_refused() {
    let folder = programs::folder("correlate", "shards");
    finished(&folder, &[]);
    let table = std::fs::read_to_string(folder.join("table.csv")).unwrap();
    let cells: Vec<&str> = table.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    let shard = |name: &str, cells: &[&str], arguments: &[&str]| {
        let mut command = Command::new(programs::program("score"));
        let output = command.args(TINY).args(arguments).args(cells).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let path = folder.join(name);
        std::fs::write(&path, &output.stdout).unwrap();
        path.display().to_string()
    };
    let csv = shard("a.csv", &cells[20..], &["--format", "csv"]);
    let json = shard("b.json", &cells[..15], &["--format", "json"]);
    let more = shard("c.csv", &cells[10..20], &["--format", "csv"]);
    // Shards one after the other, of which the last was cut off.
    let both = [std::fs::read(&csv).unwrap(), std::fs::read(&more).unwrap(), b"|none~0|+|none".to_vec()].concat();
    let both_path = folder.join("both.csv").display().to_string();
    std::fs::write(&both_path, both).unwrap();
    let kept = folder.join("report/scores.csv").display().to_string();
    let expected = std::fs::read(folder.join("report/ranks.csv")).unwrap();
    for (i, shards) in [vec![&csv, &json, &more], vec![&json, &both_path], vec![&kept]].into_iter().enumerate() {
        let out = folder.join(format!("joined-{i}")).display().to_string();
        let mut arguments = vec!["--out", &out, "--scores"];
        arguments.extend(shards.into_iter().map(String::as_str));
        finished(&folder, &arguments);
        assert!(std::fs::read(Path::new(&out).join("ranks.csv")).unwrap() == expected, "{arguments:?}");
        assert!(!Path::new(&out).join("scores.csv").exists());
    }

    let refused = |shards: &[&str], arguments: &[&str], reason: &str| {
        let out = folder.join("refused").display().to_string();
        let words = [&TINY, arguments, &["--out", &out, "--scores"], shards].concat();
        let output = correlate(&folder, &words).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && message.contains(reason), "{message}");
    };
    refused(&[&csv], &[], "--scores: of 20 of 40 architectures there is no score of seed 1, such as ");
    refused(&[&csv, &json, &more], &["--seed", "2"], "of 40 of 40 architectures there is no score of seed 2");
    refused(&[&csv, &json, &more], &["--repeats", "2"], "a.csv: line 2: of another setting: repeats was 1 and is 2");
    let other = shard("other.csv", &cells[..20], &["--format", "csv", "--repeats", "2"]);
    refused(&[&csv, &other], &[], "other.csv: line 2: of another setting: repeats was 2 and is 1");
    let scalar = shard("scalar.csv", &cells[..20], &["--format", "csv", "--backend", "scalar"]);
    if aznas::simd::Backend::detect() != aznas::simd::Backend::Scalar {
        refused(
            &[&csv, &scalar],
            &[],
            "scalar.csv: line 2: not of one instruction set with the lines before: backend was ",
        );
    }
    let text = std::fs::read_to_string(&json).unwrap();
    let altered = folder.join("altered.json").display().to_string();
    let first = text.lines().next().unwrap();
    let value = first.split("\"trainability\":").nth(1).unwrap().split([',', '}']).next().unwrap();
    std::fs::write(&altered, first.replace(value, "-9.5")).unwrap();
    refused(&[&json, &altered], &[], "altered.json: line 1: other scores than before of ");
    std::fs::write(&altered, first.replace("\"setting\"", "\"sitting\"")).unwrap();
    refused(&[&altered], &[], "altered.json: line 1: no setting");
    std::fs::write(&altered, format!("{first}\n{{\n")).unwrap();
    refused(&[&altered], &[], "altered.json: line 2: EOF");
    std::fs::write(&altered, std::fs::read_to_string(&csv).unwrap().replacen("0.", "1.", 1)).unwrap();
    refused(&[&altered], &[], "altered.json: ");
    refused(&["/nowhere.csv"], &[], "/nowhere.csv: ");
}

#[test]
fn what_cannot_be_done_is_said_with_the_place() {
    let folder = programs::folder("correlate", "refused");
    let refused = |arguments: &[&str], reason: &str| {
        let output = correlate(&folder, arguments).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && message.contains(reason), "{message}");
        assert!(!folder.join("report").exists(), "nothing should be written");
    };
    refused(&["--threads=20000"], "1..=1024");
    refused(&["--columns", "none"], "table.csv: line 1: no column \"none\"");
    refused(&["--repeats", "0"], "repeats");
    #[cfg(target_os = "linux")]
    {
        let output = correlate(&folder, &["--out", "/proc/nowhere"]).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains("/proc/nowhere: "), "{message}");
    }
}

/// Rows by accuracy: as many as they should be, neither the best nor the worst more often, and of few rows some of many.
#[test]
fn samples_are_parts_of_one_another() {
    let places = |every: usize| (0..3000).filter(|&place| Sample { every, seeds: 1 }.has(place)).collect::<Vec<_>>();
    for (every, more) in [(3, 1), (15, 1), (15, 3)] {
        let (few, many) = (places(every), places(more));
        assert_eq!(few.len(), 3000 / every);
        assert_eq!(few.iter().sum::<usize>() * 2 / few.len(), 2999);
        assert!(few.iter().all(|place| many.contains(place)), "{every} {more}");
    }
}

/// Whatever is published can be measured, each proxy in one pass.
#[test]
fn exhibits_are_within_what_is_measured() {
    let mut names = HashSet::new();
    for exhibit in &EXHIBITS {
        assert!(names.insert(exhibit.name) && !exhibit.rows.is_empty());
        for row in exhibit.rows {
            let counted = ProxySet::of(&[]).measured();
            for proxy in row.proxies.iter() {
                let passes = measurement::passes(ProxySet::of(&[proxy])).count();
                assert_eq!(passes, usize::from(!counted.contains(proxy)), "{}: {}", exhibit.name, proxy.name());
            }
            // A table publishes each figure once.
            let same = |other: &&paper::Row| {
                (other.proxies, other.mode, other.variant) == (row.proxies, row.mode, row.variant)
            };
            assert_eq!(exhibit.rows.iter().filter(same).count(), 1, "{}: {}", exhibit.name, row.name);
        }
    }
}

/// Everything of the paper by one command: files beside the page for all that is on it, nothing from elsewhere, nothing scored
/// twice.
#[test]
fn the_paper_is_made_anew() {
    let folder = programs::folder("correlate", "paper");
    let output = finished(&folder, &["--preset", "paper"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("1 of 22: E+P+T+C, batch 2, ") && told.contains(" min left in all"), "{told}");
    let report = folder.join("report");
    let text = |name: &str| std::fs::read_to_string(report.join(name)).unwrap();
    let page = text("report.html");
    assert!(!page.replace("http://www.w3.org/2000/svg", "").contains("http") && !page.contains("src="));
    let mut fields = HashSet::new();
    for file in std::fs::read_dir(&report).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "csv") {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(path).unwrap();
            fields.extend(
                reader.records().flat_map(|record| record.unwrap().iter().map(sheet::escape).collect::<Vec<_>>()),
            );
        }
    }
    for cell in page.split("<td").skip(1) {
        let cell = cell.split_once('>').unwrap().1.split("</td>").next().unwrap();
        assert!(fields.contains(cell), "{cell:?} is in no file");
    }
    for Exhibit { name, title, .. } in &EXHIBITS {
        assert!(page.contains(&sheet::escape(title)), "{name}");
        assert!(
            text(&format!("{name}.csv")).lines().count() > 3 && page.contains(&text(&format!("{name}.svg"))),
            "{name}"
        );
    }
    let measured = text("measurements.csv");
    // Of 40 rows every one, or every third.
    for (name, numbers) in
        [("Sf", "40,40,1,40"), ("Zc", "13,40,1,13"), ("Kt+Lr", "13,40,1,13"), ("E+P+T+C", "40,40,3,120")]
    {
        let line = measured.lines().find(|line| line.contains(&format!("{name}, batch 2, "))).unwrap();
        assert!(line.contains(&format!(",{numbers},")), "{line}: {numbers}");
    }
    let count = lines(&folder);
    finished(&folder, &["--preset", "figure7"]);
    assert_eq!(lines(&folder), count, "nothing is scored twice");
    finished(&folder, &["--preset", "table5", "--every", "2", "--seeds", "2"]);
    // Of every second row: ZiCo under two seeds, one of which every third row had; the others' second seed.
    assert!(lines(&folder) > count);
    for (arguments, reason) in [
        (&["--preset", "table1", "--proxies", "all"][..], "--proxies: tables and figures of the paper have their own"),
        (&["--every", "2"], "--every is for the tables and figures of the paper"),
        (&["--preset", "table2"], "table1"),
    ] {
        let output = correlate(&folder, arguments).output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && message.contains(reason), "{message}");
    }
}
