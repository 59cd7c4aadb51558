//! Compares every feature of models, and three of their σ, with what `tests/onnx/make.py --torchvision FOLDER` recorded in
//! PyTorch, in double precision. Prints the largest relative errors, products being summed one by one.
//!
//! ```sh
//! cargo run --release -p aznas-models --example compare_features -- FOLDER NAME…
//! ```

use aznas::ops::conv2d::Algorithm;
use aznas::tensor::{Role, Source};
use aznas::{Options, Workspace};
use aznas_models::onnx::{Cut, Model, Weights};
use safetensors::SafeTensors;
use std::error::Error;
use std::path::Path;

/// The input and the directions of a record, channels fastest, and the parameters of the model.
struct Recorded<'m> {
    input: Vec<f32>,
    directions: Vec<Option<Vec<f32>>>,
    weights: &'m Weights,
}

impl Source for Recorded<'_> {
    fn input(&self) -> Option<&[f32]> {
        Some(&self.input)
    }

    fn direction(&self, block: usize) -> Option<&[f32]> {
        self.directions[block].as_deref()
    }

    fn parameter(&self, block: usize, key: u32, role: Role) -> Option<&[f32]> {
        self.weights.parameter(block, key, role)
    }
}

/// A tensor of a record, channels fastest.
fn channels_last(file: &SafeTensors<'_>, name: &str) -> Option<Vec<f32>> {
    let tensor = file.tensor(name).ok()?;
    let numbers: Vec<f32> = tensor.data().as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    let &[_, channels, rows, columns] = tensor.shape() else { return Some(numbers) };
    let area = rows * columns;
    let image = |image: &[f32]| {
        (0..area).flat_map(|p| (0..channels).map(move |c| c * area + p)).map(|i| image[i]).collect::<Vec<_>>()
    };
    Some(numbers.chunks_exact(channels * area).flat_map(image).collect())
}

fn norm(numbers: impl Iterator<Item = f32>) -> f64 {
    numbers.map(|x| f64::from(x).powi(2)).sum::<f64>().sqrt()
}

fn compare(folder: &Path, name: &str) -> Result<(), Box<dyn Error>> {
    let bytes = std::fs::read(folder.join(format!("{name}.safetensors")))?;
    let file = SafeTensors::deserialize(&bytes)?;
    let (_, metadata) = SafeTensors::read_metadata(&bytes)?;
    let names = metadata.metadata().as_ref().and_then(|metadata| metadata.get("features")).ok_or("no features")?;
    let cut = Cut::At(names.split(',').map(str::to_string).collect());
    let model = Model::read(&std::fs::read(folder.join(format!("{name}.onnx")))?, name, None, &cut)?;
    let blocks = model.graph.blocks.len();
    let source = Recorded {
        input: channels_last(&file, "input").ok_or("no input")?,
        directions: (0..blocks).map(|block| channels_last(&file, &format!("v/{block}"))).collect(),
        weights: model.weights(),
    };
    let [channels, height, width] = model.graph.input;
    let batch = source.input.len() / (channels * height * width);
    let options = Options { batch, height, width, algorithm: Algorithm::Direct, ..Options::default() };
    let needed = aznas::workspace_size(&model.graph, &options, &source)?;
    let mut memory = vec![0; Workspace::buffer_len(needed).ok_or("too large")?];
    let mut workspace = Workspace::from_bytes(&mut memory);
    let mut worst = (0.0, 0);
    aznas::features(&model.graph, &options, &source, &mut workspace, |block, feature| {
        let theirs = channels_last(&file, &format!("f/{block}")).unwrap_or_default();
        let off = norm(feature.data.iter().zip(&theirs).map(|(a, b)| a - b)) / norm(theirs.iter().copied());
        let off = if feature.data.len() == theirs.len() { off } else { f64::INFINITY };
        // NaN is as far off as can be.
        let off = if off.is_nan() { f64::INFINITY } else { off };
        if off > worst.0 {
            worst = (off, block);
        }
    })?;
    let theirs: Vec<f64> =
        file.tensor("sigma")?.data().as_chunks::<8>().0.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect();
    let mut gains = Vec::new();
    aznas::score(&model.graph, &options, &source, &mut workspace, |block| {
        if let Some(theirs) = block.block.checked_sub(1).map(|index| theirs[index]).filter(|sigma| sigma.is_finite()) {
            gains.push(format!("{:.1e} (block {})", (block.sigma / theirs - 1.0).abs(), block.block));
        }
    })?;
    println!("{name}: {blocks} features within {:.1e} (block {}), sigma within {}", worst.0, worst.1, gains.join(", "));
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let folder = arguments.next().ok_or("usage: compare_features FOLDER NAME…")?;
    for name in arguments {
        let name = name.to_string_lossy();
        compare(Path::new(&folder), &name).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}
