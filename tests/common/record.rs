//! Networks as recorded from an independent implementation, see `tests/golden/README.md`.

use aznas::Options;
use aznas::graph::Network;
use aznas::ops::conv2d::Algorithm;
use aznas::simd::Backend;
use aznas::spaces::autoformer::{Architecture, Parameters, Ratio, TransformerNetwork};
use aznas::spaces::mbv2::UnitNetwork;
use aznas::spaces::nb101::{self, MAX_VERTICES};
use aznas::spaces::nb201::EDGES;
use aznas::spaces::nds::{self, Stem};
use aznas::tensor::{Role, Source};
use safetensors::{Dtype, SafeTensors};
use std::collections::HashMap;

/// A recorded network: tensors by name, convolution data channels-last.
pub struct Record {
    pub single: HashMap<String, Vec<f32>>,
    pub double: HashMap<String, Vec<f64>>,
    pub bytes: HashMap<String, Vec<u8>>,
    pub metadata: HashMap<String, String>,
}

impl Record {
    pub fn read(name: &str) -> Self {
        let file = std::fs::read(format!("golden/{name}.safetensors")).unwrap();
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
                    let is_map = (name.ends_with("input") || name.starts_with("v/")) && tensor.shape().len() == 4;
                    let values = if is_map { channels_last(&values, tensor.shape()) } else { values };
                    record.single.insert(name, values);
                }
                Dtype::F64 => {
                    let values: Vec<f64> =
                        tensor.data().chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();
                    let is_map = name.starts_with("feature_gradient/") && tensor.shape().len() == 4;
                    let values = if is_map { channels_last(&values, tensor.shape()) } else { values };
                    record.double.insert(name, values);
                }
                _ => {
                    record.bytes.insert(name, tensor.data().to_vec());
                }
            }
        }
        record
    }

    pub fn number(&self, name: &str) -> usize {
        self.metadata[name].parse().unwrap()
    }

    /// The network, by the space it is of.
    pub fn network(&self) -> Box<dyn Network> {
        let classes = self.number("classes") as u32;
        match self.metadata["family"].as_str() {
            "nb201" => {
                let [channels, cells] = ["channels", "cells"].map(|field| self.number(field) as u32);
                Box::new(super::cell_network(&self.metadata["arch"], channels, cells, classes))
            }
            "nb101" => {
                let [channels, cells] = ["channels", "cells"].map(|field| self.number(field) as u32);
                Box::new(nb101::CellNetwork {
                    cell: self.metadata["cell"].parse().unwrap(),
                    skeleton: nb101::Skeleton::new(channels, cells, classes).unwrap(),
                    target_channels: channels,
                    target_resolution: self.number("resolution") as u32,
                })
            }
            "nds" => {
                let size = ["width", "depth"].map(|field| self.number(field) as u32);
                Box::new(nds::CellNetwork {
                    architecture: nds::Architecture::parse(&self.metadata["genotype"], size).unwrap(),
                    stem: self.stem(),
                    classes,
                    target_resolution: self.number("resolution") as u32,
                })
            }
            "mbv2" => Box::new(UnitNetwork {
                structure: self.metadata["structure"].parse().unwrap(),
                classes,
                target_resolution: self.number("resolution") as u32,
            }),
            _ => {
                let ratios: Vec<_> = numbers::<f64>(&self.metadata["mlp_ratio"])
                    .into_iter()
                    .map(|ratio| Ratio::from_hundredths((100.0 * ratio) as u16).unwrap())
                    .collect();
                let heads = numbers(&self.metadata["heads"]);
                Box::new(TransformerNetwork {
                    architecture: Architecture::new(self.number("embed") as u16, &heads, &ratios).unwrap(),
                    classes,
                    target_resolution: self.number("resolution") as u32,
                    patch: self.number("patch") as u32,
                    reach: self.number("max_rel") as u32,
                    parameters: Parameters::Shared,
                })
            }
        }
    }

    /// The number of the head: blocks before it.
    pub fn head(&self) -> usize {
        self.double["block_expressivity"].len()
    }

    /// The name of a parameter, by the keys that the networks document.
    pub fn name(&self, block: usize, key: u32, role: Role) -> Option<String> {
        let layer = match self.metadata["family"].as_str() {
            "nb201" => self.cell_layer(block, key as usize, role),
            "nb101" => self.vertex_layer(block, key as usize, role),
            "nds" => self.edge_layer(block, key as usize, role),
            "mbv2" => self.unit_layer(block, key as usize, role),
            _ => return Some(self.transformer_parameter(block, key as usize, role)),
        };
        let parameter = match role {
            Role::Weight | Role::Gain => "weight",
            Role::Bias | Role::Shift => "bias",
            _ => return None,
        };
        Some(format!("{layer}.{parameter}"))
    }

    /// The layer of a NAS-Bench-201 record.
    fn cell_layer(&self, block: usize, key: usize, role: Role) -> String {
        let place = if block == 0 {
            "stem".to_string()
        } else if block == self.head() {
            return if is_normalisation(role) { "head.bn" } else { "head.fc" }.to_string();
        } else if self.single.contains_key(&format!("param/b{block}.a.conv.weight")) {
            format!("b{block}.{}", ["a", "b", "short"][key])
        } else {
            format!("b{block}.e{}{}", EDGES[key].0, EDGES[key].1)
        };
        format!("{place}.{}", if is_normalisation(role) { "bn" } else { "conv" })
    }

    /// The layer of a NAS-Bench-101 record: projections by the vertex they lead to, then vertices.
    fn vertex_layer(&self, block: usize, key: usize, role: Role) -> String {
        if block == self.head() {
            return "fc".to_string();
        }
        let place = match (block, key.checked_sub(MAX_VERTICES)) {
            (0, _) => "stem".to_string(),
            (_, Some(vertex)) => format!("b{block}.v{vertex}"),
            (_, None) => format!("b{block}.p{key}"),
        };
        format!("{place}.{}", if is_normalisation(role) { "bn" } else { "conv" })
    }

    /// The stem of an NDS record.
    fn stem(&self) -> Stem {
        Stem::ALL.into_iter().find(|stem| stem.name() == self.metadata["stem"]).unwrap()
    }

    /// The layer of an NDS record.
    fn edge_layer(&self, block: usize, key: usize, role: Role) -> String {
        if block == self.head() {
            return "fc".to_string();
        }
        let norm = is_normalisation(role);
        let simple = |place: String| format!("{place}.{}", if norm { "bn" } else { "conv" });
        let cell = match (self.stem(), block) {
            (Stem::Cifar, 0) => return simple("stem".to_string()),
            (Stem::ImageNet, 0) => return simple(format!("stem0.{}", ["a", "b"][key])),
            (Stem::ImageNet, 1) => return simple("stem1".to_string()),
            (Stem::Cifar, block) => block - 1,
            (Stem::ImageNet, block) => block - 2,
        };
        let (place, turn) = match key {
            0..=1 => (format!("c{cell}.s0"), key),
            2 => (format!("c{cell}.s1"), 0),
            _ => (format!("c{cell}.e{}", key / 4 - 1), key % 4),
        };
        let has = |layer: &str| self.single.contains_key(&format!("param/{place}.{layer}.weight"));
        let layers = [["even", "odd"], ["row", "column"]].into_iter().find(|[first, _]| has(first));
        match layers {
            Some(_) if norm => format!("{place}.bn"),
            Some(layers) => format!("{place}.{}", layers[turn]),
            None if has("conv") => simple(place),
            None => format!("{place}.{}.{}", ["a", "b"][turn / 2], if norm { "bn" } else { ["dw", "pw"][turn % 2] }),
        }
    }

    /// The layer of a MobileNetV2 record.
    fn unit_layer(&self, block: usize, key: usize, role: Role) -> String {
        if block == self.head() {
            return "fc".to_string();
        }
        let is_plain = self.single.contains_key(&format!("param/u{block}.conv.weight"));
        let convolution = if is_plain { "conv" } else { ["expand", "dw", "reduce", "proj"][key] };
        match (is_plain, is_normalisation(role)) {
            (true, true) => format!("u{block}.bn"),
            (false, true) => format!("u{block}.{convolution}_bn"),
            (_, false) => format!("u{block}.{convolution}"),
        }
    }

    /// A parameter of a transformer's record. Attention has its four tables in one node, class token and positions are one
    /// too.
    fn transformer_parameter(&self, block: usize, key: usize, role: Role) -> String {
        let norm = if block.is_multiple_of(2) { "ln1" } else { "ln2" };
        let layer = ["patch", "", norm, "qkv", "", "proj", "fc1", "fc2", "head"][key];
        let place = match key {
            _ if block == self.head() => (if key == 2 { "norm" } else { layer }).to_string(),
            0 => layer.to_string(),
            _ => format!("t{}.{layer}", block / 2),
        };
        match role {
            Role::ClassToken => "cls".to_string(),
            Role::Position => "pos".to_string(),
            Role::KeyRow => format!("t{}.rel_k.row", block / 2),
            Role::KeyColumn => format!("t{}.rel_k.col", block / 2),
            Role::ValueRow => format!("t{}.rel_v.row", block / 2),
            Role::ValueColumn => format!("t{}.rel_v.col", block / 2),
            Role::Weight | Role::Gain => format!("{place}.weight"),
            Role::Bias | Role::Shift => format!("{place}.bias"),
        }
    }

    pub fn options(&self, backend: Backend, algorithm: Algorithm) -> Options {
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

fn channels_last<T: Copy + Default>(values: &[T], shape: &[usize]) -> Vec<T> {
    let &[batch, channels, height, width] = shape else { panic!("a map has four axes") };
    let area = height * width;
    let mut out = vec![T::default(); values.len()];
    for b in 0..batch {
        for c in 0..channels {
            for p in 0..area {
                out[(b * area + p) * channels + c] = values[(b * channels + c) * area + p];
            }
        }
    }
    out
}

/// The tensors of a record.
impl Source for Record {
    fn input(&self) -> Option<&[f32]> {
        self.single.get("input").map(Vec::as_slice)
    }

    fn direction(&self, block: usize) -> Option<&[f32]> {
        self.single.get(&format!("v/{block}")).map(Vec::as_slice)
    }

    fn parameter(&self, block: usize, key: u32, role: Role) -> Option<&[f32]> {
        let name = self.name(block, key, role)?;
        self.single.get(&format!("param/{name}")).map(Vec::as_slice)
    }
}

fn is_normalisation(role: Role) -> bool {
    matches!(role, Role::Gain | Role::Shift)
}

fn numbers<T: std::str::FromStr<Err: std::fmt::Debug>>(list: &str) -> Vec<T> {
    list.split(',').map(|number| number.parse().unwrap()).collect()
}
