//! From the bytes of a file to nodes in the order they run in, with everything that can be wrong about the file itself.

use super::tensor::Tensor;
use super::{OnnxError, framing};
use rten_onnx::onnx::{AttributeProto, AttributeType, ModelProto, NodeProto};
use std::collections::{HashMap, HashSet};

/// The versions of the operators that are understood.
const OPSETS: std::ops::RangeInclusive<i64> = 7..=25;

/// A model as it stands in its file.
pub(super) struct File {
    /// Bytes of the file.
    pub(super) len: usize,
    pub(super) opset: i64,
    pub(super) input: String,
    /// The dimensions of the input; `None` where the model leaves one open.
    pub(super) input_dims: Vec<Option<usize>>,
    pub(super) output: String,
    pub(super) constants: HashMap<String, Tensor>,
    pub(super) nodes: Vec<Node>,
}

/// An operator of a model.
pub(super) struct Node {
    /// Name and operator, for messages.
    pub(super) place: String,
    pub(super) operator: String,
    /// Empty where an optional input is left out.
    pub(super) inputs: Vec<String>,
    pub(super) outputs: Vec<String>,
    attributes: Vec<AttributeProto>,
}

impl Node {
    fn attribute(&self, name: &str) -> Option<&AttributeProto> {
        self.attributes.iter().find(|attribute| attribute.name.as_deref() == Some(name))
    }

    pub(super) fn integer(&self, name: &str, default: i64) -> i64 {
        self.attribute(name).and_then(|attribute| attribute.i).unwrap_or(default)
    }

    pub(super) fn float(&self, name: &str, default: f64) -> f64 {
        self.attribute(name).and_then(|attribute| attribute.f).map_or(default, f64::from)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.attribute(name)?.s.as_deref()
    }

    pub(super) fn integers(&self, name: &str) -> Option<&[i64]> {
        self.attribute(name).map(|attribute| attribute.ints.as_slice())
    }

    /// The value of a `Constant`, or of the attribute `value` of another operator.
    pub(super) fn value(&self) -> Result<Option<Tensor>, OnnxError> {
        for attribute in &self.attributes {
            let tensor = match (attribute.name.as_deref(), attribute.r#type) {
                (Some("value"), _) => match &attribute.t {
                    Some(tensor) => Tensor::read(tensor, &self.place)?,
                    None => continue,
                },
                (Some("value_float"), _) => match attribute.f {
                    Some(number) => Tensor::floats(Vec::new(), vec![number]),
                    None => continue,
                },
                (Some("value_int"), _) => match attribute.i {
                    Some(number) => Tensor::integers(Vec::new(), vec![number]),
                    None => continue,
                },
                (Some("value_floats"), _) => Tensor::floats(vec![attribute.floats.len()], attribute.floats.clone()),
                (Some("value_ints"), _) => Tensor::integers(vec![attribute.ints.len()], attribute.ints.clone()),
                _ => continue,
            };
            return Ok(Some(tensor));
        }
        Ok(None)
    }

    fn has_graph(&self) -> bool {
        self.attributes.iter().any(|a| a.g.is_some() || a.r#type == Some(AttributeType::GRAPH))
    }
}

impl File {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, OnnxError> {
        let refuse = |place: &str, reason: &str| OnnxError::new(place, reason);
        framing::check(bytes)?;
        let model = ModelProto::parse_buf(bytes).map_err(|error| refuse("file", &format!("no ONNX model: {error}")))?;
        let graph = model.graph.ok_or_else(|| refuse("file", "no ONNX model: it has no graph"))?;
        let versions =
            model.opset_import.iter().filter(|set| matches!(set.domain.as_deref(), None | Some("" | "ai.onnx")));
        let opset =
            versions.filter_map(|set| set.version).next().ok_or_else(|| refuse("opset_import", "no version"))?;
        if !OPSETS.contains(&opset) {
            let (first, last) = (OPSETS.start(), OPSETS.end());
            return Err(refuse("opset_import", &format!("version {opset}; versions {first} to {last} are understood")));
        }
        let mut constants = HashMap::new();
        for tensor in &graph.initializer {
            let name = tensor.name.clone().unwrap_or_default();
            let place = format!("initializer {name}");
            if constants.insert(name, Tensor::read(tensor, &place)?).is_some() {
                return Err(refuse(&place, "given twice"));
            }
        }
        // Old files list initialisers among the inputs.
        let mut inputs =
            graph.input.iter().filter(|input| !input.name.as_ref().is_some_and(|n| constants.contains_key(n)));
        let input = inputs.next().ok_or_else(|| refuse("inputs", "none"))?;
        if let Some(other) = inputs.next() {
            let name = other.name.as_deref().unwrap_or_default();
            return Err(refuse(&format!("input {name}"), "a second input; networks of one input are scored"));
        }
        let input_name = input.name.clone().unwrap_or_default();
        let shape = input.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref()?.shape.as_ref());
        let shape = shape.ok_or_else(|| refuse(&format!("input {input_name}"), "no shape"))?;
        let size = |value: i64| usize::try_from(value).ok().filter(|&size| size > 0);
        let input_dims = shape.dim.iter().map(|dim| dim.dim_value.and_then(size)).collect();
        let [output] = graph.output.as_slice() else {
            return Err(refuse("outputs", "none or several; networks of one output are scored"));
        };
        let nodes: Vec<Node> = graph.node.into_iter().enumerate().map(|(index, node)| named(index, node)).collect();
        check(&nodes, &constants, &input_name)?;
        Ok(Self {
            len: bytes.len(),
            opset,
            input: input_name,
            input_dims,
            output: output.name.clone().unwrap_or_default(),
            constants,
            nodes,
        })
    }
}

fn named(index: usize, node: NodeProto) -> Node {
    let operator = node.op_type.unwrap_or_default();
    let operator = match node.domain.as_deref() {
        None | Some("" | "ai.onnx") => operator,
        Some(domain) => format!("{domain}.{operator}"),
    };
    let name = node.name.filter(|name| !name.is_empty()).unwrap_or_else(|| format!("node {index}"));
    Node {
        place: format!("{name} ({operator})"),
        operator,
        inputs: node.input,
        outputs: node.output,
        attributes: node.attribute,
    }
}

/// Every tensor is computed once, before it is read.
fn check(nodes: &[Node], constants: &HashMap<String, Tensor>, input: &str) -> Result<(), OnnxError> {
    let mut known: HashSet<&str> = constants.keys().map(String::as_str).chain([input]).collect();
    let computed: HashSet<&str> = nodes.iter().flat_map(|node| node.outputs.iter().map(String::as_str)).collect();
    for node in nodes {
        if node.has_graph() {
            return Err(OnnxError::new(&node.place, "an operator with a graph of its own is not understood"));
        }
        for name in node.inputs.iter().filter(|name| !name.is_empty()) {
            if !known.contains(name.as_str()) {
                let why = if computed.contains(name.as_str()) {
                    "it is computed later, or by itself"
                } else {
                    "nothing computes it"
                };
                return Err(OnnxError::new(&node.place, format!("reads {name}: {why}")));
            }
        }
        for name in node.outputs.iter().filter(|name| !name.is_empty()) {
            if !known.insert(name) {
                return Err(OnnxError::new(&node.place, format!("computes {name} a second time")));
            }
        }
    }
    Ok(())
}
