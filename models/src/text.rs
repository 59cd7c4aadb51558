//! Graphs as text: one JSON object a network. Names and numbering are those of the C interface, in lower case.

use crate::graph::{Graph, Node};
use aznas::graph::{Convolution, Distribution, Draw, IdentityRule, Op};
use aznas::ops::activation::Activation;
use aznas::ops::attention::Attention;
use aznas::ops::batch_norm::BatchNorm;
use aznas::ops::group_norm::GroupNorm;
use aznas::ops::layer_norm::LayerNorm;
use aznas::ops::linear::Linear;
use aznas::ops::max_pool::MaxPool;
use aznas::ops::pad::Pad;
use aznas::ops::pool::AveragePool;
use aznas::ops::shuffle::Shuffle;
use aznas::ops::slice::Slice;
use aznas::ops::window::{Side, Window};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a text is no graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextError {
    /// Where: a path of fields such as `blocks[2][0].kernel`, and the column of the text where that is known.
    pub place: String,
    /// What is wrong there.
    pub reason: String,
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

impl std::error::Error for TextError {}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct GraphText {
    name: String,
    input: [usize; 3],
    blocks: Vec<Vec<NodeText>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    head: Vec<NodeText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity_rule: Option<IdentityText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    progressivity: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    complexity: Option<f64>,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum IdentityText {
    Reject,
    Skip,
}

/// A node as written: every field that any op has. Those that its op does not have must be absent.
#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct NodeText {
    op: String,
    inputs: Vec<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    channels: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kernel: Option<[usize; 2]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stride: Option<[usize; 2]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    padding: Option<[usize; 2]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    behind: Option<[usize; 2]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dilation: Option<[usize; 2]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    groups: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bias: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    epsilon: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alpha: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    heads: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    grid: Option<[usize; 2]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reach: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    first: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    offset: Option<[usize; 2]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    draw: Option<DrawText>,
}

/// How the parameters of a node are drawn: exactly one of the two distributions.
#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct DrawText {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    normal: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uniform: Option<f32>,
    bias: bool,
    interleave: usize,
    salt: u64,
}

impl Graph {
    /// Reads a graph from one JSON object.
    ///
    /// # Errors
    /// [`TextError`] names the field. Whether the shapes of the graph fit is seen when it is scored.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let graph: GraphText = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let path = error.path().to_string();
            let inner = error.into_inner();
            let is_field = !path.is_empty() && path != "." && !path.contains('?');
            let place = if is_field { path } else { format!("column {}", inner.column()) };
            TextError { place, reason: without_position(&inner.to_string()) }
        })?;
        reader.end().map_err(|error| TextError {
            place: format!("column {}", error.column()),
            reason: "nothing may follow the object".to_string(),
        })?;
        let [channels, rows, columns] = graph.input;
        if channels == 0 || rows == 0 || columns == 0 {
            return Err(refuse("input", "expected channels, rows and columns, each at least 1"));
        }
        if graph.blocks.is_empty() {
            return Err(refuse("blocks", "expected at least one"));
        }
        let mut blocks = Vec::with_capacity(graph.blocks.len());
        for (index, block) in graph.blocks.iter().enumerate() {
            if block.is_empty() {
                return Err(refuse(&format!("blocks[{index}]"), "expected at least one node"));
            }
            blocks.push(nodes(block, &format!("blocks[{index}]"))?);
        }
        Ok(Self {
            name: graph.name,
            input: graph.input,
            blocks,
            head: nodes(&graph.head, "head")?,
            identity_rule: match graph.identity_rule {
                None | Some(IdentityText::Reject) => IdentityRule::Reject,
                Some(IdentityText::Skip) => IdentityRule::Skip,
            },
            progressivity: graph.progressivity.unwrap_or(true),
            complexity: graph.complexity,
        })
    }

    /// The graph as one JSON object on one line, which [`parse`](Self::parse) reads back.
    ///
    /// # Errors
    /// [`TextError`] for an op that has no text.
    pub fn print(&self) -> Result<String, TextError> {
        let block = |nodes: &[Node], place: &str| {
            let numbered = nodes.iter().enumerate();
            numbered
                .map(|(index, node)| NodeText::of(node, index + 1).ok_or_else(|| refuse(place, "an op without a text")))
                .collect::<Result<Vec<_>, _>>()
        };
        let blocks = self.blocks.iter().enumerate().map(|(index, nodes)| block(nodes, &format!("blocks[{index}]")));
        let text = GraphText {
            name: self.name.clone(),
            input: self.input,
            blocks: blocks.collect::<Result<_, _>>()?,
            head: block(&self.head, "head")?,
            identity_rule: (self.identity_rule == IdentityRule::Skip).then_some(IdentityText::Skip),
            progressivity: (!self.progressivity).then_some(false),
            complexity: self.complexity,
        };
        serde_json::to_string(&text).map_err(|error| refuse("graph", &error.to_string()))
    }
}

fn refuse(place: &str, reason: &str) -> TextError {
    TextError { place: place.to_string(), reason: reason.to_string() }
}

/// What a message of the JSON reader says before ` at line 1 column n`: the place is told apart.
fn without_position(message: &str) -> String {
    message.split(" at line ").next().unwrap_or(message).to_string()
}

fn nodes(texts: &[NodeText], place: &str) -> Result<Vec<Node>, TextError> {
    let mut nodes = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        let place = format!("{place}[{index}]");
        if let Some(position) = text.inputs.iter().position(|&input| input > index) {
            return Err(refuse(&format!("{place}.inputs[{position}]"), "expected an earlier node of the block"));
        }
        nodes.push(text.node(index + 1, &place)?);
    }
    Ok(nodes)
}

/// The fields of a node that its op has not asked for yet.
struct Fields<'t> {
    text: &'t NodeText,
    place: &'t str,
    asked: Vec<&'static str>,
}

impl Fields<'_> {
    /// A field that the op must have.
    fn need<T>(&mut self, name: &'static str, value: Option<T>) -> Result<T, TextError> {
        self.asked.push(name);
        value.ok_or_else(|| refuse(&format!("{}.{name}", self.place), &format!("missing; {} needs it", self.text.op)))
    }

    /// A field with a default.
    fn ask<T>(&mut self, name: &'static str, value: Option<T>, default: T) -> T {
        self.asked.push(name);
        value.unwrap_or(default)
    }

    /// Refuses a field that the op does not have.
    fn end(self) -> Result<(), TextError> {
        let t = self.text;
        let present = [
            ("channels", t.channels.is_some()),
            ("kernel", t.kernel.is_some()),
            ("stride", t.stride.is_some()),
            ("padding", t.padding.is_some()),
            ("behind", t.behind.is_some()),
            ("dilation", t.dilation.is_some()),
            ("groups", t.groups.is_some()),
            ("bias", t.bias.is_some()),
            ("epsilon", t.epsilon.is_some()),
            ("alpha", t.alpha.is_some()),
            ("heads", t.heads.is_some()),
            ("grid", t.grid.is_some()),
            ("reach", t.reach.is_some()),
            ("first", t.first.is_some()),
            ("offset", t.offset.is_some()),
        ];
        match present.into_iter().find(|(name, present)| *present && !self.asked.contains(name)) {
            Some((name, _)) => {
                Err(refuse(&format!("{}.{name}", self.place), &format!("no field of the op {}", self.text.op)))
            }
            None => Ok(()),
        }
    }
}

impl NodeText {
    /// The node at place `number` of its block.
    fn node(&self, number: usize, place: &str) -> Result<Node, TextError> {
        let mut fields = Fields { text: self, place, asked: Vec::new() };
        let op = match self.op.as_str() {
            "zero" => Op::Zero,
            "identity" => Op::Identity,
            "relu" => Op::Relu,
            "convolution" => Op::Convolution(Convolution {
                channels: fields.need("channels", self.channels)?,
                kernel: fields.need("kernel", self.kernel)?,
                stride: fields.ask("stride", self.stride, [1; 2]),
                padding: fields.ask("padding", self.padding, [0; 2]),
                dilation: fields.ask("dilation", self.dilation, [1; 2]),
                groups: fields.ask("groups", self.groups, 1),
                bias: fields.ask("bias", self.bias, false),
            }),
            "batch_norm" => Op::BatchNorm(BatchNorm { epsilon: self.checked_epsilon(&mut fields)?.into() }),
            "average_pool" => Op::AveragePool(AveragePool { window: self.window(&mut fields)? }),
            "max_pool" => Op::MaxPool(MaxPool { window: self.window(&mut fields)? }),
            "global_pool" => Op::GlobalPool,
            "linear" => Op::Linear(Linear { channels: fields.need("channels", self.channels)? }),
            "add" => Op::Add,
            "concat" => Op::Concat,
            "product" => Op::Product,
            "scale" => Op::Scale,
            "shuffle" => Op::Shuffle(Shuffle { groups: fields.need("groups", self.groups)? }),
            "slice" => Op::Slice(Slice {
                first: fields.ask("first", self.first, 0),
                channels: fields.need("channels", self.channels)?,
                offset: fields.ask("offset", self.offset, [0; 2]),
                stride: fields.ask("stride", self.stride, [1; 2]),
            }),
            "pad" => {
                let before = fields.ask("padding", self.padding, [0; 2]);
                Op::Pad(Pad { before, behind: fields.ask("behind", self.behind, before) })
            }
            "positions" => Op::Positions,
            "group_norm" => Op::GroupNorm(GroupNorm {
                groups: fields.need("groups", self.groups)?,
                epsilon: self.checked_epsilon(&mut fields)?.into(),
            }),
            "layer_norm" => Op::LayerNorm(LayerNorm { epsilon: self.checked_epsilon(&mut fields)?.into() }),
            "earlier" => Op::Earlier,
            "token_pool" => Op::TokenPool,
            "gelu" => Op::Activation(Activation::Gelu),
            "sigmoid" => Op::Activation(Activation::Sigmoid),
            "hard_sigmoid" => Op::Activation(Activation::HardSigmoid),
            "silu" => Op::Activation(Activation::Silu),
            "hard_swish" => Op::Activation(Activation::HardSwish),
            "relu6" => Op::Activation(Activation::Relu6),
            "leaky_relu" => Op::Activation(Activation::LeakyRelu { slope: fields.need("alpha", self.alpha)?.into() }),
            "elu" => Op::Activation(Activation::Elu { alpha: fields.need("alpha", self.alpha)?.into() }),
            "tanh" => Op::Activation(Activation::Tanh),
            "mish" => Op::Activation(Activation::Mish),
            "times" => Op::Activation(Activation::Times { factor: fields.need("alpha", self.alpha)?.into() }),
            "tokens" => Op::Tokens,
            "attention" => Op::Attention(Attention {
                heads: fields.need("heads", self.heads)?,
                grid: fields.ask("grid", self.grid, [0; 2]),
                reach: fields.ask("reach", self.reach, 0),
            }),
            other => return Err(refuse(&format!("{place}.op"), &format!("unknown: {other}"))),
        };
        fields.end()?;
        let draw = self.draw.map(|draw| draw.checked(place)).transpose()?;
        Ok(Node { op, inputs: self.inputs.clone(), key: self.key.unwrap_or(number as u32), draw })
    }

    /// The text of the node at place `number` of its block; `None` for an op that has none.
    fn of(node: &Node, number: usize) -> Option<Self> {
        let with = |op: &str| Self {
            op: op.to_string(),
            inputs: node.inputs.clone(),
            key: (node.key != number as u32).then_some(node.key),
            draw: node.draw.map(DrawText::of),
            ..Self::default()
        };
        let padded = |op: &str, before: [usize; 2], behind: [usize; 2]| Self {
            padding: Some(before),
            behind: (behind != before).then_some(behind),
            ..with(op)
        };
        let pool = |op: &str, window: Window| {
            let sides = window.sides();
            Self {
                kernel: Some(sides.map(|side| side.kernel)),
                stride: Some(sides.map(|side| side.stride)),
                ..padded(op, sides.map(|side| side.before), sides.map(|side| side.behind))
            }
        };
        Some(match node.op {
            Op::Zero => with("zero"),
            Op::Identity => with("identity"),
            Op::Relu => with("relu"),
            Op::Convolution(c) => Self {
                channels: Some(c.channels),
                kernel: Some(c.kernel),
                stride: Some(c.stride),
                padding: Some(c.padding),
                dilation: (c.dilation != [1; 2]).then_some(c.dilation),
                groups: (c.groups != 1).then_some(c.groups),
                bias: c.bias.then_some(true),
                ..with("convolution")
            },
            Op::BatchNorm(BatchNorm { epsilon }) => Self { epsilon: Some(epsilon.get()), ..with("batch_norm") },
            Op::AveragePool(AveragePool { window }) => pool("average_pool", window),
            Op::MaxPool(MaxPool { window }) => pool("max_pool", window),
            Op::GlobalPool => with("global_pool"),
            Op::Linear(Linear { channels }) => Self { channels: Some(channels), ..with("linear") },
            Op::Add => with("add"),
            Op::Concat => with("concat"),
            Op::Product => with("product"),
            Op::Scale => with("scale"),
            Op::Shuffle(Shuffle { groups }) => Self { groups: Some(groups), ..with("shuffle") },
            Op::Slice(Slice { first, channels, offset, stride }) => Self {
                first: (first != 0).then_some(first),
                channels: Some(channels),
                offset: (offset != [0; 2]).then_some(offset),
                stride: (stride != [1; 2]).then_some(stride),
                ..with("slice")
            },
            Op::Pad(Pad { before, behind }) => padded("pad", before, behind),
            Op::Positions => with("positions"),
            Op::GroupNorm(GroupNorm { groups, epsilon }) => {
                Self { groups: Some(groups), epsilon: Some(epsilon.get()), ..with("group_norm") }
            }
            Op::LayerNorm(LayerNorm { epsilon }) => Self { epsilon: Some(epsilon.get()), ..with("layer_norm") },
            Op::Earlier => with("earlier"),
            Op::TokenPool => with("token_pool"),
            Op::Activation(activation) => match activation {
                Activation::Gelu => with("gelu"),
                Activation::Sigmoid => with("sigmoid"),
                Activation::HardSigmoid => with("hard_sigmoid"),
                Activation::Silu => with("silu"),
                Activation::HardSwish => with("hard_swish"),
                Activation::Relu6 => with("relu6"),
                Activation::LeakyRelu { slope } => Self { alpha: Some(slope.get()), ..with("leaky_relu") },
                Activation::Elu { alpha } => Self { alpha: Some(alpha.get()), ..with("elu") },
                Activation::Tanh => with("tanh"),
                Activation::Mish => with("mish"),
                Activation::Times { factor } => Self { alpha: Some(factor.get()), ..with("times") },
                _ => return None,
            },
            Op::Tokens => with("tokens"),
            Op::Attention(attention) => Self {
                heads: Some(attention.heads),
                grid: attention.is_relative().then_some(attention.grid),
                reach: attention.is_relative().then_some(attention.reach),
                ..with("attention")
            },
            _ => return None,
        })
    }

    fn checked_epsilon(&self, fields: &mut Fields<'_>) -> Result<f64, TextError> {
        let epsilon = fields.need("epsilon", self.epsilon)?;
        if epsilon.is_finite() && epsilon > 0.0 {
            Ok(epsilon)
        } else {
            Err(refuse(&format!("{}.epsilon", fields.place), "expected a positive, finite number"))
        }
    }

    fn window(&self, fields: &mut Fields<'_>) -> Result<Window, TextError> {
        let kernel = fields.need("kernel", self.kernel)?;
        let stride = fields.ask("stride", self.stride, [1; 2]);
        let before = fields.ask("padding", self.padding, [0; 2]);
        let behind = fields.ask("behind", self.behind, before);
        let side =
            |axis| Side { kernel: kernel[axis], stride: stride[axis], before: before[axis], behind: behind[axis] };
        Window::of_sides([side(0), side(1)]).map_err(|error| refuse(fields.place, &error.to_string()))
    }
}

impl DrawText {
    fn of(draw: Draw) -> Self {
        let (normal, uniform) = match draw.distribution {
            Distribution::Normal { deviation } => (Some(deviation), None),
            Distribution::Uniform { half_width } => (None, Some(half_width)),
        };
        Self { normal, uniform, bias: draw.bias, interleave: draw.interleave, salt: draw.salt }
    }

    fn checked(self, place: &str) -> Result<Draw, TextError> {
        let distribution = match (self.normal, self.uniform) {
            (Some(deviation), None) => Distribution::Normal { deviation },
            (None, Some(half_width)) => Distribution::Uniform { half_width },
            _ => return Err(refuse(&format!("{place}.draw"), "expected either normal or uniform")),
        };
        Ok(Draw { distribution, bias: self.bias, interleave: self.interleave, salt: self.salt })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aznas::spaces::autoformer::{Architecture, TransformerNetwork};
    use aznas::spaces::nb201::{Cell, CellNetwork, Skeleton};
    use aznas::tensor::Random;
    use aznas::{Options, Workspace};

    const SMALL: &str = r#"{"name":"two","input":[3,8,8],"blocks":[[{"op":"convolution","inputs":[0],"channels":8,"kernel":[3,3],"padding":[1,1]},{"op":"batch_norm","inputs":[1],"epsilon":1e-5}],[{"op":"relu","inputs":[0]},{"op":"convolution","inputs":[1],"channels":8,"kernel":[1,1]},{"op":"add","inputs":[0,2]}]],"head":[{"op":"global_pool","inputs":[0]},{"op":"linear","inputs":[1],"channels":10}]}"#;

    fn score(network: &dyn aznas::graph::Network, side: usize) -> aznas::Scores {
        let options = Options { batch: 2, height: side, width: side, ..Options::default() };
        let bytes = aznas::workspace_size(network, &options, &Random).unwrap();
        let mut memory = vec![0; Workspace::buffer_len(bytes).unwrap()];
        aznas::score(network, &options, &Random, &mut Workspace::from_bytes(&mut memory), |_| ()).unwrap()
    }

    #[test]
    fn texts_are_read_and_printed() {
        let graph = Graph::parse(SMALL).unwrap();
        assert_eq!((graph.blocks.len(), graph.head.len(), graph.blocks[1].len()), (2, 2, 3));
        assert_eq!(Graph::parse(&graph.print().unwrap()).unwrap(), graph);
        assert!(score(&graph, 8).expressivity() > 0.0);
    }

    #[test]
    fn every_space_survives_a_round_trip_with_its_bits() {
        let cell = "|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|none~0|avg_pool_3x3~1|nor_conv_3x3~2|";
        let cells = CellNetwork { cell: Cell::parse(cell).unwrap(), skeleton: Skeleton::new(8, 1, 10).unwrap() };
        let architecture = Architecture::parse("autoformer(embed=192,heads=3-4,ratio=4-3.5)").unwrap();
        // A graph is counted at the resolution that it is scored at.
        let transformer = TransformerNetwork { target_resolution: 32, ..TransformerNetwork::new(architecture) };
        let networks: [(&dyn aznas::graph::Network, usize); 2] = [(&cells, 32), (&transformer, 32)];
        for (network, side) in networks {
            let graph = Graph::of(network, "n", side, side).unwrap();
            let read = Graph::parse(&graph.print().unwrap()).unwrap();
            assert_eq!(read, graph);
            let (ours, theirs) = (score(&read, side), score(network, side));
            assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
        }
    }

    #[test]
    fn errors_name_the_field() {
        for (from, to, place) in [
            (r#""channels":8,"#, "", "blocks[0][0].channels"),
            (r#""name":"two","#, r#""name":2,"#, "name"),
            (r#""kernel":[1,1]"#, r#""kernel":[1,"x"]"#, "blocks[1][1].kernel[1]"),
            (r#""inputs":[0,2]"#, r#""inputs":[0,3]"#, "blocks[1][2].inputs[1]"),
            (r#""op":"relu""#, r#""op":"rely""#, "blocks[1][0].op"),
            (r#""op":"relu""#, r#""op":"relu","channels":3"#, "blocks[1][0].channels"),
            (r#""op":"relu""#, r#""op":"relu","colour":3"#, "blocks[1][0].colour"),
            (r#""epsilon":1e-5"#, r#""epsilon":0"#, "blocks[0][1].epsilon"),
            (r#""input":[3,8,8]"#, r#""input":[3,0,8]"#, "input"),
            (r#""input":[3,8,8]"#, r#""input":[3,8]"#, "input"),
            ("}]}", "}]} x", "column"),
        ] {
            let text = SMALL.replacen(from, to, 1);
            assert_ne!(text, SMALL, "{from}");
            let error = Graph::parse(&text).unwrap_err();
            assert!(error.place.starts_with(place), "{to}: {error}");
        }
    }
}
