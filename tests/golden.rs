//! Every block of the recorded networks against an independent implementation (`golden/README.md`).

mod common;

use aznas::ops::conv2d::Algorithm;
use aznas::proxy::{BlockScores, Proxy};
use aznas::simd::Backend;
use aznas::spaces::autoformer::{Architecture, Parameters, Ratio, TransformerNetwork};
use aznas::spaces::mbv2::UnitNetwork;
use aznas::spaces::nb101::{self, MAX_VERTICES};
use aznas::spaces::nb201::EDGES;
use aznas::tensor::{Role, Source};
use aznas::{Options, Scores};
use safetensors::{Dtype, SafeTensors};
use std::collections::HashMap;

/// A recorded network: tensors by name, convolution data channels-last.
struct Record {
    single: HashMap<String, Vec<f32>>,
    double: HashMap<String, Vec<f64>>,
    bytes: HashMap<String, Vec<u8>>,
    metadata: HashMap<String, String>,
}

impl Record {
    fn read(name: &str) -> Self {
        let file = std::fs::read(format!("tests/golden/{name}.safetensors")).unwrap();
        let (_, header) = SafeTensors::read_metadata(&file).unwrap();
        let mut record = Self {
            single: HashMap::new(),
            double: HashMap::new(),
            bytes: HashMap::new(),
            metadata: header.metadata().clone().unwrap(),
        };
        for (name, tensor) in SafeTensors::deserialize(&file).unwrap().tensors() {
            match tensor.dtype() {
                Dtype::F32 => {
                    let values: Vec<f32> =
                        tensor.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
                    // Tokens have their channels last already, and three axes.
                    let is_map = (name == "input" || name.starts_with("v/")) && tensor.shape().len() == 4;
                    let values = if is_map { channels_last(&values, tensor.shape()) } else { values };
                    record.single.insert(name, values);
                }
                Dtype::F64 => {
                    let values = tensor.data().chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap()));
                    record.double.insert(name, values.collect());
                }
                _ => {
                    record.bytes.insert(name, tensor.data().to_vec());
                }
            }
        }
        record
    }

    fn number(&self, name: &str) -> usize {
        self.metadata[name].parse().unwrap()
    }

    fn options(&self, backend: Backend, algorithm: Algorithm) -> Options {
        let resolution = self.number("resolution");
        Options {
            batch: self.number("batch"),
            height: resolution,
            width: resolution,
            backend,
            algorithm,
            ..Options::default()
        }
    }
}

fn channels_last(values: &[f32], shape: &[usize]) -> Vec<f32> {
    let &[batch, channels, height, width] = shape else { panic!("a map has four axes") };
    let area = height * width;
    let mut out = vec![0.0; values.len()];
    for b in 0..batch {
        for c in 0..channels {
            for p in 0..area {
                out[(b * area + p) * channels + c] = values[(b * channels + c) * area + p];
            }
        }
    }
    out
}

/// The tensors of a record, by the keys that the networks document.
impl Source for Record {
    fn input(&self) -> Option<&[f32]> {
        self.single.get("input").map(Vec::as_slice)
    }

    fn direction(&self, block: usize) -> Option<&[f32]> {
        self.single.get(&format!("v/{block}")).map(Vec::as_slice)
    }

    fn parameter(&self, block: usize, key: u32, role: Role) -> Option<&[f32]> {
        let layer = match self.metadata["family"].as_str() {
            "mbv2" => self.unit_layer(block, key as usize, role),
            "nb101" => self.vertex_layer(block, key as usize, role),
            _ => self.cell_layer(block, key as usize, role),
        };
        let parameter = match role {
            Role::Weight | Role::Gain => "weight",
            Role::Bias | Role::Shift => "bias",
            _ => return None,
        };
        self.single.get(&format!("param/{layer}.{parameter}")).map(Vec::as_slice)
    }
}

impl Record {
    /// The layer of a NAS-Bench-201 record.
    fn cell_layer(&self, block: usize, key: usize, role: Role) -> String {
        let place = if block == 0 {
            "stem".to_string()
        } else if self.single.contains_key(&format!("param/b{block}.a.conv.weight")) {
            format!("b{block}.{}", ["a", "b", "short"][key])
        } else {
            format!("b{block}.e{}{}", EDGES[key].0, EDGES[key].1)
        };
        format!("{place}.{}", if is_normalisation(role) { "bn" } else { "conv" })
    }

    /// The layer of a NAS-Bench-101 record: projections by the vertex they lead to, then vertices.
    fn vertex_layer(&self, block: usize, key: usize, role: Role) -> String {
        let place = match (block, key.checked_sub(MAX_VERTICES)) {
            (0, _) => "stem".to_string(),
            (_, Some(vertex)) => format!("b{block}.v{vertex}"),
            (_, None) => format!("b{block}.p{key}"),
        };
        format!("{place}.{}", if is_normalisation(role) { "bn" } else { "conv" })
    }

    /// The layer of a MobileNetV2 record.
    fn unit_layer(&self, block: usize, key: usize, role: Role) -> String {
        let is_plain = self.single.contains_key(&format!("param/u{block}.conv.weight"));
        let convolution = if is_plain { "conv" } else { ["expand", "dw", "reduce", "proj"][key] };
        match (is_plain, is_normalisation(role)) {
            (true, true) => format!("u{block}.bn"),
            (false, true) => format!("u{block}.{convolution}_bn"),
            (_, false) => format!("u{block}.{convolution}"),
        }
    }
}

fn is_normalisation(role: Role) -> bool {
    matches!(role, Role::Gain | Role::Shift)
}

/// Differences of one block: of the expressivity, relative of σ, of the trainability.
fn gaps(record: &Record, l: usize, block: &BlockScores) -> [f64; 3] {
    // Infinities and NaN have to be the same ones.
    let gap = |ours: f64, theirs: f64, scale: f64| {
        if theirs.is_finite() {
            (ours - theirs).abs() / scale
        } else if ours.to_bits() == theirs.to_bits() || (ours.is_nan() && theirs.is_nan()) {
            0.0
        } else {
            f64::INFINITY
        }
    };
    let expressivity = gap(block.expressivity, record.double["block_expressivity"][l], 1.0);
    if l == 0 {
        return [expressivity, 0.0, 0.0];
    }
    let sigma = record.double["sigma"][l - 1];
    let trainability = gap(block.trainability, record.double["block_trainability"][l - 1], 1.0);
    [expressivity, gap(block.sigma, sigma, if sigma > 0.0 { sigma } else { 1.0 }), trainability]
}

/// What is allowed of the differences.
struct Tolerance {
    /// In every block.
    block: [f64; 3],
    /// In this many blocks of a network, where an input of a rectifier that is nearly 0 changed sides.
    flipped_blocks: usize,
    flipped: [f64; 3],
}

/// Compares every block and the totals, and returns the largest differences.
fn compare(name: &str, record: &Record, scores: &Scores, blocks: &[BlockScores], tolerance: &Tolerance) -> [f64; 3] {
    assert_eq!(blocks.len(), record.double["block_expressivity"].len(), "{name}");
    let exceeds = |gaps: &[f64; 3], allowed: &[f64; 3]| gaps.iter().zip(allowed).any(|(gap, allowed)| gap > allowed);
    let gaps: Vec<_> = blocks.iter().enumerate().map(|(l, block)| gaps(record, l, block)).collect();
    let flipped = gaps.iter().filter(|gaps| exceeds(gaps, &tolerance.block)).count();
    let largest = gaps.iter().fold([0.0f64; 3], |a, b| std::array::from_fn(|i| a[i].max(b[i])));
    let allowed = if flipped > tolerance.flipped_blocks { &tolerance.block } else { &tolerance.flipped };
    assert!(flipped == 0 || !exceeds(&largest, allowed), "{name}: {largest:?} where {allowed:?} is allowed");
    let proxies = [Proxy::Expressivity, Proxy::Progressivity, Proxy::Trainability];
    // Transformers have no progressivity, though it was recorded.
    let totals =
        proxies.into_iter().zip(&record.double["totals"]).filter(|(proxy, _)| scores.measured.contains(*proxy));
    for (proxy, theirs) in totals {
        let ours = scores.get(proxy);
        let allowed = if flipped > 0 { tolerance.flipped[2] } else { tolerance.block[2] };
        let same = if theirs.is_finite() { (ours - theirs).abs() <= allowed * 4.0 } else { ours == *theirs };
        assert!(same, "{name}: {} is {ours}, not {theirs}", proxy.name());
    }
    let identities = blocks[1..].iter().map(|b| u8::from(b.trainability == f64::NEG_INFINITY));
    assert!(identities.eq(record.bytes["identity"].iter().copied()), "{name}");
    largest
}

const NB201: [&str; 8] = [
    "nb201_best",
    "nb201_all_conv3x3",
    "nb201_mixed",
    "nb201_avg_pool_all",
    "nb201_skip_all",
    "nb201_identity",
    "nb201_none",
    "nb201_full",
];

fn check_nb201(algorithm: Algorithm, tolerance: &Tolerance) {
    for name in NB201 {
        let record = Record::read(name);
        let [channels, cells, classes] = ["channels", "cells", "classes"].map(|field| record.number(field) as u32);
        let network = common::cell_network(&record.metadata["arch"], channels, cells, classes);
        for backend in Backend::available() {
            let options = record.options(backend, algorithm);
            let (scores, blocks) = common::score_with(&network, &options, &record);
            let place = format!("{name} {} {algorithm:?}", backend.name());
            let [e, sigma, t] = compare(&place, &record, &scores, &blocks, tolerance);
            println!("{place}: ΔE {e:.1e}, Δσ/σ {sigma:.1e}, ΔT {t:.1e}");
            let counts = &record.double["counts"];
            assert_eq!([scores.complexity(), scores.cost.parameters as f64], [counts[0], counts[1]], "{name}");
        }
    }
}

#[test]
fn nb201_with_direct_convolutions() {
    let block = [2e-6, 2e-6, 5e-6];
    check_nb201(Algorithm::Direct, &Tolerance { block, flipped_blocks: 0, flipped: block });
}

#[test]
fn nb201_with_transformed_convolutions() {
    // A transform rounds ten times as much. At batch 2 one flipped rectifier is one of 128 positions of a channel.
    let block = [2e-5, 2e-4, 4e-4];
    check_nb201(Algorithm::Winograd, &Tolerance { block, flipped_blocks: 2, flipped: [2e-5, 5e-3, 1e-2] });
}

fn check_nb101(algorithm: Algorithm, tolerance: &Tolerance) {
    for name in ["nb101_cut", "nb101_projected"] {
        let record = Record::read(name);
        let [channels, cells, classes] = ["channels", "cells", "classes"].map(|field| record.number(field) as u32);
        let network = nb101::CellNetwork {
            cell: record.metadata["cell"].parse().unwrap(),
            skeleton: nb101::Skeleton::new(channels, cells, classes).unwrap(),
            target_channels: channels,
            target_resolution: record.number("resolution") as u32,
        };
        for backend in Backend::available() {
            let (scores, blocks) = common::score_with(&network, &record.options(backend, algorithm), &record);
            let place = format!("{name} {} {algorithm:?}", backend.name());
            let [e, sigma, t] = compare(&place, &record, &scores, &blocks, tolerance);
            println!("{place}: ΔE {e:.1e}, Δσ/σ {sigma:.1e}, ΔT {t:.1e}");
            let cost = &scores.cost;
            let counts = [cost.macs as f64, cost.parameters as f64, scores.complexity()];
            assert_eq!(counts, record.double["counts"][..], "{name}");
        }
    }
}

#[test]
fn nb101_with_direct_convolutions() {
    let block = [2e-6, 2e-6, 5e-6];
    check_nb101(Algorithm::Direct, &Tolerance { block, flipped_blocks: 0, flipped: block });
}

#[test]
fn nb101_with_transformed_convolutions() {
    let block = [2e-5, 2e-4, 4e-4];
    check_nb101(Algorithm::Winograd, &Tolerance { block, flipped_blocks: 1, flipped: [2e-5, 5e-3, 1e-2] });
}

fn check_mbv2(algorithm: Algorithm, tolerance: &Tolerance) {
    for name in ["mbv2_a", "mbv2_b"] {
        let record = Record::read(name);
        let network = UnitNetwork {
            structure: record.metadata["structure"].parse().unwrap(),
            classes: record.number("classes") as u32,
            target_resolution: record.number("resolution") as u32,
        };
        for backend in Backend::available() {
            let (scores, blocks) = common::score_with(&network, &record.options(backend, algorithm), &record);
            let place = format!("{name} {} {algorithm:?}", backend.name());
            let [e, sigma, t] = compare(&place, &record, &scores, &blocks, tolerance);
            println!("{place}: ΔE {e:.1e}, Δσ/σ {sigma:.1e}, ΔT {t:.1e}");
            let cost = &scores.cost;
            let counts = [cost.macs as f64, cost.parameters as f64, scores.complexity()];
            assert_eq!(counts, record.double["counts"][..], "{name}");
        }
    }
}

#[test]
fn mbv2_with_direct_convolutions() {
    let block = [2e-6, 2e-6, 5e-6];
    check_mbv2(Algorithm::Direct, &Tolerance { block, flipped_blocks: 0, flipped: block });
}

#[test]
fn mbv2_with_bfloat16() {
    // Batch 2 and small maps: a flipped rectifier weighs much. What it changes at batch 64 is in docs/performance.md.
    let block = [8e-3, 8e-2, 0.2];
    check_mbv2(Algorithm::Bfloat16, &Tolerance { block, flipped_blocks: 0, flipped: block });
}

/// The tensors of a transformer's record, by the keys that `TransformerNetwork` documents. Attention has its four tables
/// in one node, class token and positions are one too.
struct TransformerRecord(Record);

impl Source for TransformerRecord {
    fn input(&self) -> Option<&[f32]> {
        self.0.input()
    }

    fn direction(&self, block: usize) -> Option<&[f32]> {
        self.0.direction(block)
    }

    fn parameter(&self, block: usize, key: u32, role: Role) -> Option<&[f32]> {
        let norm = if block.is_multiple_of(2) { "ln1" } else { "ln2" };
        let layer = ["patch", "", norm, "qkv", "", "proj", "fc1", "fc2"][key as usize];
        let name = match role {
            Role::ClassToken => "cls".to_string(),
            Role::Position => "pos".to_string(),
            Role::KeyRow => format!("t{}.rel_k.row", block / 2),
            Role::KeyColumn => format!("t{}.rel_k.col", block / 2),
            Role::ValueRow => format!("t{}.rel_v.row", block / 2),
            Role::ValueColumn => format!("t{}.rel_v.col", block / 2),
            Role::Weight | Role::Gain if key == 0 => format!("{layer}.weight"),
            Role::Bias | Role::Shift if key == 0 => format!("{layer}.bias"),
            Role::Weight | Role::Gain => format!("t{}.{layer}.weight", block / 2),
            Role::Bias | Role::Shift => format!("t{}.{layer}.bias", block / 2),
        };
        Some(self.0.single.get(&format!("param/{name}")).unwrap_or_else(|| panic!("no parameter {name}")))
    }
}

fn numbers<T: std::str::FromStr<Err: std::fmt::Debug>>(list: &str) -> Vec<T> {
    list.split(',').map(|number| number.parse().unwrap()).collect()
}

#[test]
fn vit() {
    let record = Record::read("vit_tiny");
    let ratios: Vec<_> = numbers::<f64>(&record.metadata["mlp_ratio"])
        .into_iter()
        .map(|ratio| Ratio::from_hundredths((100.0 * ratio) as u16).unwrap())
        .collect();
    let heads = numbers(&record.metadata["heads"]);
    let network = TransformerNetwork {
        architecture: Architecture::new(record.number("embed") as u16, &heads, &ratios).unwrap(),
        classes: record.number("classes") as u32,
        target_resolution: record.number("resolution") as u32,
        patch: record.number("patch") as u32,
        reach: record.number("max_rel") as u32,
        parameters: Parameters::Shared,
    };
    let parameters = record.double["counts"][1];
    let source = TransformerRecord(record);
    let block = [2e-6, 2e-6, 5e-6];
    let tolerance = Tolerance { block, flipped_blocks: 0, flipped: block };
    for backend in Backend::available() {
        let options = source.0.options(backend, Algorithm::default());
        let (scores, blocks) = common::score_with(&network, &options, &source);
        let place = format!("vit_tiny {}", backend.name());
        let [e, sigma, t] = compare(&place, &source.0, &scores, &blocks, &tolerance);
        println!("{place}: ΔE {e:.1e}, Δσ/σ {sigma:.1e}, ΔT {t:.1e}");
        assert_eq!(scores.cost.parameters as f64, parameters);
    }
}
