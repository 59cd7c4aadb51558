//! Writes the networks of two public benchmarks as graphs in text, and holds their costs to the published ones.

use aznas::base::constant::Constant;
use aznas::graph::{Cost, IdentityRule, Op};
use aznas::ops::activation::Activation;
use aznas::ops::batch_norm::BatchNorm;
use aznas::ops::conv2d::Convolution;
use aznas::ops::linear::Linear;
use aznas_models::{Graph, Node};
use clap::{Parser, ValueEnum};
use std::io::Write;
use std::process::ExitCode;

/// Print the networks of a benchmark, one JSON object a line, from its table of accuracies.
///
/// Of NAS-Bench-Macro the column `arch` is read (`00121022`: a digit a layer), of Accel-NASBench the columns `idx`, `expand`,
/// `kernel`, `layers` and `se` (seven numbers each, between blanks). Columns of published parameters (`params` or `params_M`)
/// are compared with those of the graph, and a row that differs is an error.
#[derive(Parser)]
#[command(after_help = "\
Examples:
  benchmark_graphs macro macro.csv > macro.jsonl
  benchmark_graphs accel accel.csv --resolution 128 > accel.jsonl")]
struct Arguments {
    benchmark: Benchmark,
    /// The table
    file: String,
    /// Rows and columns of an image [default: that of the benchmark]
    #[arg(long)]
    resolution: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Benchmark {
    /// NAS-Bench-Macro: CIFAR-10, 32 x 32
    Macro,
    /// Accel-NASBench: ImageNet, 224 x 224
    Accel,
}

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match convert(&arguments, &mut std::io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("benchmark_graphs: {}: {error}", arguments.file);
            ExitCode::FAILURE
        }
    }
}

fn convert(arguments: &Arguments, out: &mut impl Write) -> Result<(), Failure> {
    let text = std::fs::read_to_string(&arguments.file)?;
    let mut lines = text.lines().zip(1..);
    let headings: Vec<&str> = lines.next().ok_or("is empty")?.0.split(',').collect();
    for (line, number) in lines.filter(|(line, _)| !line.trim().is_empty()) {
        let cells: Vec<&str> = line.split(',').collect();
        let row = Row { headings: &headings, cells: &cells };
        let graph = row.graph(arguments).map_err(|error| format!("line {number}: {error}"))?;
        writeln!(out, "{}", graph.print()?)?;
    }
    Ok(())
}

/// A line of a table.
struct Row<'a> {
    headings: &'a [&'a str],
    cells: &'a [&'a str],
}

impl<'a> Row<'a> {
    fn optional(&self, heading: &str) -> Option<&'a str> {
        let column = self.headings.iter().position(|&other| other == heading)?;
        self.cells.get(column).copied()
    }

    fn cell(&self, heading: &str) -> Result<&'a str, Failure> {
        self.optional(heading).ok_or_else(|| format!("no column {heading}").into())
    }

    /// Seven numbers between blanks.
    fn stages(&self, heading: &str) -> Result<[usize; 7], Failure> {
        let numbers: Vec<usize> = self.cell(heading)?.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        numbers.try_into().map_err(|_| format!("{heading}: seven numbers are expected").into())
    }

    fn graph(&self, arguments: &Arguments) -> Result<Graph, Failure> {
        let (name, blocks, classes, native) = match arguments.benchmark {
            Benchmark::Macro => (self.cell("arch")?, macro_blocks(self.cell("arch")?)?, 10, 32),
            Benchmark::Accel => (self.cell("idx")?, self.accel_blocks()?, 1000, 224),
        };
        let mut head = Unit::default();
        head.global_pool();
        head.linear(classes);
        let side = arguments.resolution.unwrap_or(native);
        let graph = Graph {
            name: name.to_string(),
            input: [3, side, side],
            blocks,
            head: head.nodes,
            identity_rule: IdentityRule::Skip,
            progressivity: true,
            complexity: None,
        };
        let counted = Cost::of(&graph, side, side)?.parameters;
        let whole = self.optional("params").map(str::parse::<u64>).transpose()?;
        let millions = self.optional("params_M").map(str::parse::<f64>).transpose()?;
        let published = whole.or(millions.map(|millions| (millions * 1e6).round() as u64));
        match published {
            Some(published) if published != counted => {
                Err(format!("{name}: {counted} parameters are counted, {published} published").into())
            }
            _ => Ok(graph),
        }
    }

    fn accel_blocks(&self) -> Result<Vec<Vec<Node>>, Failure> {
        const CHANNELS: [usize; 7] = [16, 24, 40, 80, 112, 192, 320];
        const STRIDES: [usize; 7] = [1, 2, 2, 2, 1, 2, 1];
        let [expand, kernel, layers, excite] =
            [self.stages("expand")?, self.stages("kernel")?, self.stages("layers")?, self.stages("se")?];
        let mut blocks = vec![Unit::of_convolution(Convolution { stride: [2; 2], ..Convolution::same(32, 3, 1) })];
        let mut from = 32;
        for stage in 0..7 {
            for layer in 0..layers[stage] {
                blocks.push(Unit::of_inverted_residual(&InvertedResidual {
                    from,
                    to: CHANNELS[stage],
                    expand: expand[stage],
                    kernel: kernel[stage],
                    stride: if layer == 0 { STRIDES[stage] } else { 1 },
                    excite: excite[stage] == 1,
                }));
                from = CHANNELS[stage];
            }
        }
        blocks.push(Unit::of_convolution(Convolution::same(1280, 1, 1)));
        Ok(blocks)
    }
}

fn macro_blocks(arch: &str) -> Result<Vec<Vec<Node>>, Failure> {
    const CHANNELS: [usize; 8] = [64, 64, 128, 128, 128, 256, 256, 256];
    const STRIDES: [usize; 8] = [2, 1, 2, 1, 1, 2, 1, 1];
    if arch.len() != 8 {
        return Err("arch: eight digits are expected".into());
    }
    let mut blocks = vec![Unit::of_convolution(Convolution::same(32, 3, 1))];
    let mut from = 32;
    for (layer, digit) in arch.chars().enumerate() {
        let (to, stride) = (CHANNELS[layer], STRIDES[layer]);
        let residual = |expand, kernel| {
            Unit::of_inverted_residual(&InvertedResidual { from, to, expand, kernel, stride, excite: false })
        };
        match digit {
            '0' if (from, stride) == (to, 1) => {}
            '0' => {
                let mut unit = Unit::default();
                unit.convolution(Convolution { stride: [stride; 2], ..Convolution::same(to, 1, 1) });
                blocks.push(unit.nodes);
            }
            '1' => blocks.push(residual(3, 3)),
            '2' => blocks.push(residual(6, 5)),
            _ => return Err("arch: the digits are 0, 1 and 2".into()),
        }
        from = to;
    }
    blocks.push(Unit::of_convolution(Convolution::same(1280, 1, 1)));
    Ok(blocks)
}

/// What an inverted residual is made of.
struct InvertedResidual {
    from: usize,
    to: usize,
    expand: usize,
    kernel: usize,
    stride: usize,
    excite: bool,
}

/// The nodes of a block as they are added; each reads the one before it, but where it says otherwise.
#[derive(Default)]
struct Unit {
    nodes: Vec<Node>,
}

impl Unit {
    fn of_convolution(convolution: Convolution) -> Vec<Node> {
        let mut unit = Self::default();
        unit.convolution(convolution);
        unit.push(Op::Relu, &[]);
        unit.nodes
    }

    fn of_inverted_residual(residual: &InvertedResidual) -> Vec<Node> {
        let &InvertedResidual { from, to, expand, kernel, stride, excite } = residual;
        let (mut unit, wide) = (Self::default(), from * expand);
        if expand != 1 {
            unit.convolution(Convolution::same(wide, 1, 1));
            unit.push(Op::Relu, &[]);
        }
        let depthwise = Convolution::depthwise(wide, kernel, stride);
        unit.convolution(depthwise);
        let map = unit.push(Op::Relu, &[]);
        if excite {
            unit.global_pool();
            unit.linear((from / 4).max(1));
            unit.push(Op::Relu, &[]);
            unit.linear(wide);
            let factor = unit.push(Op::Activation(Activation::Sigmoid), &[]);
            unit.push(Op::Product, &[map, factor]);
        }
        let last = unit.convolution(Convolution::same(to, 1, 1));
        if (from, stride) == (to, 1) {
            unit.push(Op::Add, &[last, 0]);
        }
        unit.nodes
    }

    /// Adds a node, and returns its number.
    fn push(&mut self, op: Op, inputs: &[usize]) -> usize {
        let number = self.nodes.len() + 1;
        let inputs = if inputs.is_empty() { vec![number - 1] } else { inputs.to_vec() };
        self.nodes.push(Node { op, inputs, key: number as u32, draw: None });
        number
    }

    /// A convolution and its normalisation.
    fn convolution(&mut self, convolution: Convolution) -> usize {
        self.push(Op::Convolution(convolution), &[]);
        self.push(Op::BatchNorm(BatchNorm { epsilon: Constant::new(1e-5) }), &[])
    }

    fn global_pool(&mut self) -> usize {
        self.push(Op::GlobalPool, &[])
    }

    fn linear(&mut self, channels: usize) -> usize {
        self.push(Op::Linear(Linear { channels }), &[])
    }
}
