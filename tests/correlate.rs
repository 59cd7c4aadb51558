//! The parts of the correlation program.
#![allow(dead_code)] // the program uses more of them than its tests

#[path = "../examples/correlate/campaign.rs"]
mod campaign;
#[path = "../examples/correlate/choice.rs"]
mod choice;
#[path = "../examples/common/mod.rs"]
mod common;
#[path = "../examples/correlate/sheet.rs"]
mod sheet;
#[path = "../examples/correlate/statistics.rs"]
mod statistics;
#[path = "../examples/correlate/store.rs"]
mod store;
#[path = "../examples/correlate/study.rs"]
mod study;
#[path = "../examples/correlate/table.rs"]
mod table;

use aznas::Options;
use aznas::aggregate::Mode;
use aznas::base::rng::{Generator, below, generator};
use aznas::proxy::{Proxy, ProxySet};
use campaign::{Representatives, Setting};
use clap::Parser;
use common::candidate::SpaceArguments;
use statistics::{discounted_gain, doubled_ranks, kendall, spearman};
use std::path::PathBuf;
use store::{Record, Store};
use study::Truth;
use table::{Request, Table};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn numbers(rng: &mut Generator, count: usize, different: u64) -> Vec<f64> {
    (0..count).map(|_| below(rng, different) as f64).collect()
}

/// τ-b from its definition.
fn kendall_by_pairs(x: &[f64], y: &[f64]) -> Option<f64> {
    let (mut difference, mut of_x, mut of_y) = (0.0, 0.0, 0.0);
    for i in 0..x.len() {
        for j in 0..i {
            let sign = |a: f64, b: f64| if a == b { 0.0 } else { (a - b).signum() };
            let (dx, dy) = (sign(x[i], x[j]), sign(y[i], y[j]));
            difference += dx * dy;
            of_x += dx * dx;
            of_y += dy * dy;
        }
    }
    (of_x > 0.0 && of_y > 0.0).then(|| difference / f64::sqrt(of_x * of_y))
}

#[test]
fn kendall_is_what_all_pairs_say() {
    let mut rng = generator(5);
    for count in [0, 1, 2, 3, 5, 8, 33, 100, 257] {
        for different in [1, 2, 5, 1000] {
            let (x, y) = (numbers(&mut rng, count, different), numbers(&mut rng, count, 7));
            let fast = kendall(&doubled_ranks(&x), &doubled_ranks(&y));
            match (fast, kendall_by_pairs(&x, &y)) {
                (Some(fast), Some(slow)) => assert!((fast - slow).abs() < 1e-12, "{count} {different}: {fast} {slow}"),
                (fast, slow) => assert_eq!(fast, slow, "{count} {different}"),
            }
        }
    }
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

#[test]
fn a_million_rows_take_seconds() {
    let mut rng = generator(1);
    let (x, y) = (numbers(&mut rng, 1_000_000, 1 << 40), numbers(&mut rng, 1_000_000, 1000));
    let start = std::time::Instant::now();
    let (x, y) = (doubled_ranks(&x), doubled_ranks(&y));
    let tau = kendall(&x, &y).unwrap();
    assert!(tau.abs() < 0.01 && spearman(&x, &y).unwrap().abs() < 0.01 && discounted_gain(&x, &y, 100).is_some());
    // A quadratic step would take an hour.
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}

const CELL: &str = "|nor_conv_3x3~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|skip_connect~2|";
const TWIN: &str = "|none~0|+|none~0|none~1|+|nor_conv_1x1~0|skip_connect~1|none~2|";

fn request<'a>(columns: &'a [String]) -> Request<'a> {
    Request { arch_column: "arch", columns, sample: None, seed: 1, skip_unknown: false }
}

fn read(text: &str, request: &Request<'_>) -> Result<Table> {
    table::read(text.as_bytes(), request, |arch| Ok(aznas::spaces::nb201::Cell::parse(arch).map(drop)?))
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
    assert_eq!(truth.measures(&[1.0; 4]), [None; 4]);
}

#[test]
fn bad_tables_say_what_is_wrong() {
    let header = "arch,test\n";
    let test = || vec!["test".to_string()];
    for (text, columns, expected) in [
        (String::new(), vec![], "no column \"arch\""),
        ("cell,test\n".to_string(), vec![], "no column \"arch\"; there are: cell, test"),
        (format!("{header}{CELL},1\n"), vec!["x".to_string()], "no column \"x\"; there are: arch, test"),
        (header.to_string(), vec![], "no column of numbers"),
        (header.to_string(), test(), "no usable row"),
        (format!("{header}{CELL},good\n"), vec![], "no column of numbers"),
        (format!("{header}{CELL},1\n{TWIN},good\n"), vec![], "line 3: test: not a number: \"good\""),
        (format!("{header}{CELL},1\n|none~0|,2\n"), vec![], "line 3: \"|none~0|\": column 9"),
        (format!("{header}{CELL},1\n{TWIN}\n"), vec![], "line: 3"),
    ] {
        let error = read(&text, &request(&columns)).unwrap_err().to_string();
        assert!(error.contains(expected), "{text:?}: {error}");
    }
    let tolerant = Request { skip_unknown: true, ..request(&[]) };
    let table = read(&format!("{header}{CELL},1\nwhat,2\n{TWIN},3\n"), &tolerant).unwrap();
    assert_eq!(table.truths[0], [1.0, 3.0]);
    assert_eq!(table.skipped[0].line, 3);
    assert!(table.skipped[0].reason.starts_with("\"what\""));
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
    Record { proxies: [value, f64::NEG_INFINITY, -0.1, 1e-300], flags: 6, milliseconds: 1.5, workspace_bytes: 4096 }
}

#[test]
fn scores_survive_and_what_was_cut_off_is_dropped() {
    let scratch = Scratch::new("store");
    let file = scratch.file();
    let mut store = Store::open(&file).unwrap();
    store.add("setting a", vec![("SuperConv(3,8)".into(), record(0.1 + 0.2)), (CELL.into(), record(2.0))]).unwrap();
    store.add("setting b", vec![(CELL.into(), record(3.0))]).unwrap();
    drop(store);
    let complete = std::fs::read(&file).unwrap();
    // Killed in the middle of the next line.
    std::fs::write(&file, [&complete[..], b"setting b,\"|none~0"].concat()).unwrap();
    let mut store = Store::open(&file).unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), complete);
    assert_eq!(store.get("setting a", "SuperConv(3,8)"), Some(&record(0.1 + 0.2)));
    assert_eq!(store.get("setting b", CELL), Some(&record(3.0)));
    assert_eq!((store.get("setting b", TWIN), store.get("setting c", CELL)), (None, None));
    store.add("setting b", vec![(TWIN.into(), record(4.0))]).unwrap();
    drop(store);
    assert_eq!(Store::open(&file).unwrap().get("setting b", TWIN), Some(&record(4.0)));

    std::fs::write(&file, "something else\n").unwrap();
    assert!(Store::open(&file).is_err());
    assert_eq!(std::fs::read(&file).unwrap(), b"something else\n", "a foreign file is left alone");
    std::fs::write(&file, [&complete[..], b"nonsense\n"].concat()).unwrap();
    assert!(Store::open(&file).err().unwrap().to_string().contains("line 5"));
}

/// The space as the command line gives it.
#[derive(Parser)]
struct Space {
    #[command(flatten)]
    space: SpaceArguments,
}

#[test]
fn equal_cells_share_scores_but_not_costs() {
    let space = Space::parse_from(["test", "--channels", "4", "--cells", "1"]).space;
    let text = format!("arch,test\n{CELL},1\n{TWIN},2\n{CELL},3\n");
    let table = read(&text, &request(&[])).unwrap();
    let options = Options { batch: 2, height: 8, width: 8, ..Options::default() };
    let setting = Setting { options, label: "test".into() };
    let counts = campaign::counts(&table, &space, &options).unwrap();
    let mut measured = Vec::new();
    for (name, representatives, scored) in
        [("all", Representatives::none(), 2), ("once", Representatives::of_cells(), 1)]
    {
        let scratch = Scratch::new(name);
        let mut store = Store::open(&scratch.file()).unwrap();
        let effort = campaign::score(&table, &space, &setting, &representatives, &mut store).unwrap();
        assert_eq!(effort.scored, scored);
        let length = std::fs::metadata(scratch.file()).unwrap().len();
        campaign::score(&table, &space, &setting, &representatives, &mut store).unwrap();
        assert_eq!(std::fs::metadata(scratch.file()).unwrap().len(), length, "nothing is scored twice");
        let columns = campaign::proxies(&table, &counts, &space, &setting, &representatives, &store).unwrap();
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
    let splits = choice::study(&columns, &truth, 1).unwrap();
    assert_eq!(splits.len(), choice::SPLITS as usize);
    for split in &splits {
        assert!([Proxy::Expressivity, Proxy::Progressivity].into_iter().all(|proxy| split.best.contains(proxy)));
        assert!(split.best.len() <= 3 && split.chosen_on > 0.6, "{:?}", split.best);
        assert!(split.evaluated[0] > split.evaluated[1] + 0.05, "{:?}", split.evaluated);
        assert_eq!(split.controls.len(), choice::controls().len());
    }
    let constant = Truth::of(&Table { columns: vec!["flat".into()], truths: vec![vec![1.0; 600]], ..Table::default() });
    assert!(choice::study(&columns, &constant[0], 1).is_none());
    assert!(choice::study(&[vec![], vec![]], &synthetic(0).1, 1).is_none());
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
    let (columns, _) = synthetic(50);
    let mut expected = vec![0.0; 50];
    let parts = [columns[0].as_slice(), &columns[3]];
    aznas::aggregate::aggregate(&parts, &[1.0; 2], Mode::Linear, &mut expected, &mut [0; 50]).unwrap();
    let set = ProxySet::of(&[Proxy::Complexity, Proxy::Expressivity]);
    assert_eq!(study::aggregated(&columns, set, Mode::Linear), expected);
    assert_eq!(study::symbols(set), "E+C");
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
