//! Small models of every operator and pattern, against what PyTorch computes with the same parameters, input and signs.
//! `onnx/make.py` made them.

use aznas::ops::conv2d::Algorithm;
use aznas::tensor::{Role, Source};
use aznas::{Options, Workspace};
use aznas_models::onnx::{Cut, Model, Weights};
use safetensors::SafeTensors;
use std::path::PathBuf;

fn read(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/onnx").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Models that are scored.
const SCORED: [&str; 27] = [
    "activation_elu",
    "activation_gelu",
    "activation_hard_sigmoid",
    "activation_hard_swish",
    "activation_leaky_relu",
    "activation_relu6",
    "activation_sigmoid",
    "activation_silu",
    "activation_tanh",
    "by_hand",
    "dense",
    "joints",
    "maxima",
    "next",
    "norms",
    "pools",
    "residual",
    "same",
    "shortcuts",
    "shuffle",
    "squeeze",
    "uneven",
    "vit",
    "vit_mean",
    "vit_old",
    "vit_sums",
    "vit_torch",
];

/// Models with operators that no op stands for, and the operator that the error names.
const REFUSED: [(&str, &str); 1] = [("sine", "(Sin)")];

/// The tensors of a recorded run, channels fastest, and the parameters of the model.
struct Recorded<'m> {
    input: Vec<f32>,
    directions: Vec<Vec<f32>>,
    weights: &'m Weights,
}

impl Source for Recorded<'_> {
    fn input(&self) -> Option<&[f32]> {
        Some(&self.input)
    }

    fn direction(&self, block: usize) -> Option<&[f32]> {
        self.directions.get(block - 1).map(Vec::as_slice)
    }

    fn parameter(&self, block: usize, key: u32, role: Role) -> Option<&[f32]> {
        self.weights.parameter(block, key, role)
    }
}

fn floats(file: &SafeTensors<'_>, name: &str) -> (Vec<usize>, Vec<f32>) {
    let tensor = file.tensor(name).unwrap();
    let numbers = tensor.data().as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
    (tensor.shape().to_vec(), numbers.collect())
}

fn doubles(file: &SafeTensors<'_>, name: &str) -> Vec<f64> {
    file.tensor(name).unwrap().data().as_chunks::<8>().0.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect()
}

/// A map with its channels fastest.
fn channels_last((shape, map): (Vec<usize>, Vec<f32>)) -> Vec<f32> {
    let &[_, channels, rows, columns] = shape.as_slice() else { return map };
    let area = rows * columns;
    let image = |image: &[f32]| {
        (0..area).flat_map(|p| (0..channels).map(move |c| c * area + p)).map(|i| image[i]).collect::<Vec<_>>()
    };
    map.chunks_exact(channels * area).flat_map(image).collect()
}

#[test]
fn scores_agree_with_the_framework_that_models_come_from() {
    for name in SCORED {
        let bytes = read(&format!("{name}.safetensors"));
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
        let features = &metadata.metadata().as_ref().unwrap()["features"];
        let cut = Cut::At(features.split(',').map(str::to_string).collect());
        let model = Model::read(&read(&format!("{name}.onnx")), name, None, &cut).unwrap();
        assert_eq!(model.features.join(","), *features, "{name}");
        let [_, rows, columns] = model.graph.input;
        let blocks = model.graph.blocks.len();
        let source = Recorded {
            input: channels_last(floats(&file, "input")),
            directions: (1..blocks).map(|block| channels_last(floats(&file, &format!("v/{block}")))).collect(),
            weights: model.weights(),
        };
        let algorithm = Algorithm::Direct;
        let options = Options { batch: 4, height: rows, width: columns, algorithm, ..Options::default() };
        let bytes = aznas::workspace_size(&model.graph, &options, &source).unwrap();
        let mut memory = vec![0; Workspace::buffer_len(bytes).unwrap()];
        let (mut entropies, mut gains) = (Vec::new(), Vec::new());
        let mut workspace = Workspace::from_bytes(&mut memory);
        aznas::score(&model.graph, &options, &source, &mut workspace, |block| {
            entropies.push(block.expressivity);
            gains.push(block.sigma);
        })
        .unwrap();
        for (block, (ours, theirs)) in entropies.iter().zip(doubles(&file, "expressivity")).enumerate() {
            assert!((ours - theirs).abs() < 1e-5, "{name} block {block}: entropy {ours} instead of {theirs}");
        }
        let last = channels_last(floats(&file, &format!("f/{}", blocks - 1)));
        aznas::features(&model.graph, &options, &source, &mut workspace, |block, feature| {
            if block + 1 == blocks {
                let norm = |x: &mut dyn Iterator<Item = f32>| x.map(|x| f64::from(x).powi(2)).sum::<f64>().sqrt();
                let difference = norm(&mut feature.data.iter().zip(&last).map(|(a, b)| a - b));
                assert_eq!(feature.data.len(), last.len());
                assert!(difference <= 1e-5 * norm(&mut last.iter().copied()), "{name}: feature off by {difference}");
            }
        })
        .unwrap();
        for (block, (ours, theirs)) in gains[1..].iter().zip(doubles(&file, "sigma")).enumerate() {
            // A block that does not shrink by a whole factor has none.
            if theirs.is_nan() && ours.is_nan() && name == "uneven" {
                continue;
            }
            assert!((ours / theirs - 1.0).abs() < 1e-4, "{name} block {}: sigma {ours} instead of {theirs}", block + 1);
        }
    }
}

#[test]
fn what_no_op_stands_for_is_named() {
    for (name, operator) in REFUSED {
        let error = Model::read(&read(&format!("{name}.onnx")), name, None, &Cut::Automatic).unwrap_err();
        assert!(error.place.ends_with(operator), "{name}: {error}");
    }
}

#[test]
fn residual_networks_are_cut_where_paths_meet() {
    let model = Model::read(&read("residual.onnx"), "residual", None, &Cut::Automatic).unwrap();
    assert_eq!(model.features.len(), 3);
    assert!(model.features[1].contains("f1") && model.features[2].contains("f2"), "{:?}", model.features);
    assert!(!model.may_be_folded);
    // A mean and a linear map.
    assert_eq!(model.graph.head.len(), 2);
}

#[test]
fn both_exporters_write_one_network() {
    for name in ["norms", "residual", "squeeze"] {
        let [model, other] = [format!("{name}.onnx"), format!("{name}_dynamo.onnx")]
            .map(|file| Model::read(&read(&file), name, None, &Cut::Automatic).unwrap());
        assert_eq!(other.graph, model.graph, "{name}");
        assert!(!other.may_be_folded, "{name}");
    }
}

#[test]
fn damaged_files_are_refused() {
    let bytes = read("residual.onnx");
    for len in (0..bytes.len()).step_by(97) {
        let read = Model::read(&bytes[..len], "cut", None, &Cut::Automatic);
        assert!(read.is_err(), "the first {len} bytes were taken for a model");
    }
    for (place, bit) in (0..bytes.len()).step_by(13).zip((0..8).cycle()) {
        let mut flipped = bytes.clone();
        flipped[place] ^= 1 << bit;
        // Whatever comes of it, it comes without a panic.
        let _ = Model::read(&flipped, "flipped", None, &Cut::Automatic);
    }
}

#[test]
fn a_cut_that_a_path_goes_around_is_refused() {
    let bytes = read("residual.onnx");
    let model = Model::read(&bytes, "residual", None, &Cut::Automatic).unwrap();
    let inside = model.features[1].replace("act/Relu", "branch/branch.0/branch.0.2/Relu");
    let cut = Cut::At(vec![model.features[0].clone(), inside]);
    let error = Model::read(&bytes, "residual", None, &cut).unwrap_err();
    assert!(error.reason.contains("not every path passes through it"), "{error}");
    let error = Model::read(&bytes, "residual", None, &Cut::At(vec!["nowhere".to_string()])).unwrap_err();
    assert!(error.place.contains("nowhere"), "{error}");
}
