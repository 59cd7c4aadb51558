//! What can be wrong with a model or a text, one thing at a time: the error names the node or field, and the reason.

use aznas_models::Graph;
use aznas_models::onnx::{Cut, Model, OnnxError};
use rten_onnx::onnx::{AttributeProto, DataLocation, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto};
use serde_json::{Value, json};
use std::path::PathBuf;

/// A model of convolutions, pools and linear maps: nodes 0 to 9, `/0/Conv` to `/9/Gemm`.
fn plain() -> ModelProto {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/onnx/plain.onnx");
    ModelProto::parse_buf(&std::fs::read(path).unwrap()).unwrap()
}

fn read(model: &ModelProto) -> Result<Model, OnnxError> {
    Model::read(&model.write_buf().unwrap(), "plain", None, &Cut::Automatic)
}

fn graph(model: &mut ModelProto) -> &mut GraphProto {
    model.graph.as_mut().unwrap()
}

fn node<'m>(model: &'m mut ModelProto, name: &str) -> &'m mut NodeProto {
    graph(model).node.iter_mut().find(|node| node.name.as_deref() == Some(name)).unwrap()
}

fn tensor<'m>(model: &'m mut ModelProto, name: &str) -> &'m mut TensorProto {
    graph(model).initializer.iter_mut().find(|tensor| tensor.name.as_deref() == Some(name)).unwrap()
}

fn dim(model: &mut ModelProto, axis: usize, size: Option<i64>) {
    let kind = graph(model).input[0].r#type.as_mut().unwrap();
    let dim = &mut kind.tensor_type.as_mut().unwrap().shape.as_mut().unwrap().dim[axis];
    (dim.dim_value, dim.dim_param) = (size, None);
}

fn attribute<'m>(node: &'m mut NodeProto, name: &str) -> &'m mut AttributeProto {
    if !node.attribute.iter().any(|attribute| attribute.name.as_deref() == Some(name)) {
        node.attribute.push(AttributeProto { name: Some(name.to_string()), ..AttributeProto::default() });
    }
    node.attribute.iter_mut().find(|attribute| attribute.name.as_deref() == Some(name)).unwrap()
}

#[test]
fn what_is_not_broken_is_read() {
    let model = read(&plain()).unwrap();
    assert_eq!(model.graph.input, [3, 16, 16]);
}

/// What is done to the model, the place that the error names, and a part of its reason.
type Case = (fn(&mut ModelProto), &'static str, &'static str);

#[test]
fn models_are_refused_by_node_and_reason() {
    let cases: [Case; 40] = [
        (|m| m.graph = None, "file", "no graph"),
        (|m| m.opset_import.clear(), "opset_import", "no version"),
        (|m| m.opset_import[0].version = Some(6), "opset_import", "version 6; versions 7 to"),
        (|m| m.opset_import[0].version = Some(1000), "opset_import", "version 1000; versions 7 to"),
        (|m| m.opset_import[0].version = Some(-1), "opset_import", "version -1"),
        // Inputs and outputs.
        (|m| graph(m).input.clear(), "inputs", "none"),
        (
            |m| graph(m).input.push(ValueInfoProto { name: Some("mask".into()), ..ValueInfoProto::default() }),
            "input mask",
            "a second input",
        ),
        (|m| graph(m).input[0].r#type = None, "input input", "no shape"),
        (|m| graph(m).output.clear(), "outputs", "none or several"),
        (|m| graph(m).output.push(ValueInfoProto::default()), "outputs", "none or several"),
        (|m| graph(m).output[0].name = Some("nothing".into()), "outputs", "nothing computes"),
        (|m| graph(m).output[0].name = Some("input".into()), "outputs", "the output is the input"),
        (|m| dim(m, 1, None), "input input", "the number of channels is left open"),
        (|m| dim(m, 1, Some(0)), "input input", "the number of channels is left open"),
        (|m| dim(m, 2, None), "input input", "left open by the model: give a resolution"),
        (|m| dim(m, 2, Some(-4)), "input input", "left open by the model: give a resolution"),
        (|m| dim(m, 2, Some(i64::MAX)), "input input", "more numbers"),
        (|m| dim(m, 2, Some(3)), "/0/Conv (Conv)", "a kernel larger than the map"),
        // Cycles, what is missing and what is there twice.
        (
            |m| node(m, "/0/Conv").input[0] = "/1/Relu_output_0".into(),
            "/0/Conv (Conv)",
            "reads /1/Relu_output_0: it is computed later, or by itself",
        ),
        (|m| node(m, "/1/Relu").input[0] = "/1/Relu_output_0".into(), "/1/Relu (Relu)", "or by itself"),
        (|m| node(m, "/3/Conv").input[1] = "lost".into(), "/3/Conv (Conv)", "reads lost: nothing computes it"),
        (
            |m| graph(m).initializer.retain(|tensor| tensor.name.as_deref() != Some("3.weight")),
            "/3/Conv (Conv)",
            "reads 3.weight: nothing computes it",
        ),
        (|m| node(m, "/3/Conv").input.truncate(1), "/3/Conv (Conv)", "input 1 is missing"),
        (
            |m| node(m, "/4/Relu").output[0] = "/1/Relu_output_0".into(),
            "/4/Relu (Relu)",
            "computes /1/Relu_output_0 a second time",
        ),
        (|m| tensor(m, "3.weight").name = Some("0.weight".into()), "initializer 0.weight", "given twice"),
        // Shapes, elements and types.
        (|m| tensor(m, "3.weight").dims[0] = 9, "initializer 3.weight", "elements by its dimensions"),
        (|m| tensor(m, "3.weight").dims[0] = -8, "initializer 3.weight", "a negative dimension"),
        (|m| tensor(m, "3.weight").dims = vec![i64::MAX, 4], "initializer 3.weight", "more elements than memory"),
        (|m| tensor(m, "3.weight").dims = vec![1; 40], "initializer 3.weight", "40 axes"),
        (|m| tensor(m, "3.weight").dims = vec![6, 8, 3, 3], "/3/Conv (Conv)", "do not fit each other"),
        (|m| tensor(m, "3.weight").dims = vec![8, 54], "/3/Conv (Conv)", "a kernel of other than two dimensions"),
        (|m| tensor(m, "3.weight").data_type = None, "initializer 3.weight", "no data type"),
        (
            |m| {
                let weight = tensor(m, "0.weight");
                (weight.dims, weight.raw_data) = (vec![0, 3, 5, 5], None);
            },
            "/0/Conv (Conv)",
            "of no size",
        ),
        (
            |m| tensor(m, "3.weight").data_location = Some(DataLocation::EXTERNAL),
            "initializer 3.weight",
            "in another file",
        ),
        // Attributes.
        (|m| attribute(node(m, "/3/Conv"), "group").i = Some(0), "/3/Conv (Conv)", "do not fit each other"),
        (|m| attribute(node(m, "/3/Conv"), "strides").ints = vec![0, 0], "/3/Conv (Conv)", "strides"),
        (|m| attribute(node(m, "/3/Conv"), "pads").ints = vec![-1; 4], "/3/Conv (Conv)", "negative padding"),
        (
            |m| attribute(node(m, "/3/Conv"), "pads").ints = vec![i64::MAX / 4; 4],
            "/3/Conv (Conv)",
            "more numbers than fit any memory",
        ),
        (|m| node(m, "/4/Relu").op_type = Some("Fold".into()), "/4/Relu (Fold)", "not understood"),
        (
            |m| attribute(node(m, "/4/Relu"), "body").g = Some(GraphProto::default()),
            "/4/Relu (Relu)",
            "a graph of its own",
        ),
    ];
    for (number, (change, place, reason)) in cases.into_iter().enumerate() {
        let mut model = plain();
        change(&mut model);
        let error = read(&model).err().unwrap_or_else(|| panic!("case {number} ({place}: {reason}) is read"));
        assert_eq!(error.place, place, "case {number}: {error}");
        assert!(error.reason.contains(reason), "case {number}: {error} instead of {reason}");
    }
}

/// Lengths that are not those of what follows, wherever they stand: nothing is read behind the end, nor room made for it.
#[test]
fn lengths_that_lie_are_refused_by_their_place() {
    let bytes = plain().write_buf().unwrap();
    for len in 0..bytes.len() {
        let error = Model::read(&bytes[..len], "cut", None, &Cut::Automatic).unwrap_err();
        assert!(error.place.starts_with("byte ") || error.place == "file" || error.place == "opset_import", "{error}");
    }
    // A graph, a node and a tensor that say they are longer than the file.
    for huge in [&[0x3a, 0xff, 0xff, 0xff, 0xff, 0x7f][..], &[0x3a, 0x04, 0x0a, 0xff, 0xff, 0x7f]] {
        let error = Model::read(huge, "huge", None, &Cut::Automatic).unwrap_err();
        assert!(error.place.starts_with("byte ") && error.reason.contains("longer than what it lies in"), "{error}");
    }
    // Graphs in attributes of nodes of graphs, deeper than any stack.
    let field = |tag: u8, content: &[u8]| {
        let mut message = vec![tag];
        let mut len = content.len();
        while len >= 0x80 {
            message.push(len as u8 | 0x80);
            len >>= 7;
        }
        message.push(len as u8);
        message.extend_from_slice(content);
        message
    };
    let deeper = |graph: Vec<u8>, _| field(0x0a, &field(0x2a, &field(0x32, &graph)));
    let deep = |levels: u32| field(0x3a, &(0..levels).fold(Vec::new(), deeper));
    let error = Model::read(&deep(3000), "deep", None, &Cut::Automatic).unwrap_err();
    assert!(error.place.starts_with("byte "), "{error}");
    let error = Model::read(&deep(3), "less deep", None, &Cut::Automatic).unwrap_err();
    assert_eq!(error.place, "opset_import");
}

/// A shape out of a few bytes that asks for all memory there is.
#[test]
fn constants_do_not_outgrow_the_file() {
    let mut model = plain();
    let sizes = TensorProto {
        name: Some("sizes".into()),
        dims: vec![2],
        data_type: Some(rten_onnx::onnx::DataType::INT64),
        int64_data: vec![1 << 20, 1 << 7],
        ..TensorProto::default()
    };
    graph(&mut model).initializer.push(sizes);
    let blown_up = NodeProto {
        name: Some("blow".into()),
        op_type: Some("ConstantOfShape".into()),
        input: vec!["sizes".into()],
        output: vec!["large".into()],
        ..NodeProto::default()
    };
    let used = NodeProto {
        name: Some("use".into()),
        op_type: Some("Add".into()),
        input: vec!["input".into(), "large".into()],
        output: vec!["moved".into()],
        ..NodeProto::default()
    };
    graph(&mut model).node.splice(0..0, [blown_up, used]);
    let error = read(&model).unwrap_err();
    assert_eq!((error.place.as_str(), error.reason.as_str()), ("blow (ConstantOfShape)", "too large"));
}

#[test]
fn texts_are_refused_by_field_and_reason() {
    let good = json!({
        "name": "two",
        "input": [3, 8, 8],
        "blocks": [
            [
                {"op": "convolution", "inputs": [0], "channels": 8, "kernel": [3, 3], "padding": [1, 1]},
                {"op": "batch_norm", "inputs": [1], "epsilon": 1e-5},
            ],
            [{"op": "relu", "inputs": [0]}, {"op": "max_pool", "inputs": [1], "kernel": [2, 2]}],
        ],
        "head": [{"op": "global_pool", "inputs": [0]}],
    });
    Graph::parse(&good.to_string()).unwrap();
    // Where the value goes, the value, the place that the error names, and a part of its reason.
    let cases = [
        ("/name", json!(2), "name", "invalid type: integer"),
        ("/input", json!("large"), "input", "invalid type: string"),
        ("/input/1", json!(-8), "input[1]", "invalid value: integer"),
        ("/input/1", json!(8.5), "input[1]", "invalid type: floating point"),
        ("/input/1", json!(0), "input", "each at least 1"),
        ("/blocks", json!({}), "blocks", "invalid type: map"),
        ("/blocks", json!([]), "blocks", "at least one"),
        ("/blocks/1", json!([]), "blocks[1]", "at least one node"),
        ("/blocks/0/0/op", json!("fold"), "blocks[0][0].op", "unknown: fold"),
        ("/blocks/0/0/op", json!(null), "blocks[0][0].op", "invalid type: null"),
        ("/blocks/0/0/inputs", json!([1]), "blocks[0][0].inputs[0]", "an earlier node"),
        ("/blocks/0/1/inputs", json!([0, 2]), "blocks[0][1].inputs[1]", "an earlier node"),
        ("/blocks/0/0/kernel", json!([3]), "blocks[0][0].kernel", "invalid length 1"),
        ("/blocks/0/0/kernel/1", json!("x"), "blocks[0][0].kernel[1]", "invalid type: string"),
        ("/blocks/0/0/channels", json!(true), "blocks[0][0].channels", "invalid type: boolean"),
        ("/blocks/0/0/channels", json!(null), "blocks[0][0].channels", "missing; convolution needs it"),
        ("/blocks/0/1/epsilon", json!(0), "blocks[0][1].epsilon", "positive"),
        ("/blocks/0/1/epsilon", json!(-1.0), "blocks[0][1].epsilon", "positive"),
        ("/blocks/1/1/kernel", json!([2, 0]), "blocks[1][1]", "kernel"),
        ("/blocks/1/1/kernel", json!([0, 0]), "blocks[1][1]", "kernel"),
        ("/head/0/op", json!("earliest"), "head[0].op", "unknown: earliest"),
        ("/head/0", json!([]), "head[0]", "invalid length 0"),
    ];
    for (pointer, value, place, reason) in cases {
        let mut graph = good.clone();
        *graph.pointer_mut(pointer).unwrap() = value;
        let error = Graph::parse(&graph.to_string()).unwrap_err();
        assert!(error.place.starts_with(place) && error.reason.contains(reason), "{pointer}: {error}: {reason}");
    }
    // Fields that are unknown, missing or there twice.
    for (object, place) in [("", ""), ("/blocks/0/0", "blocks[0][0]."), ("/head/0", "head[0].")] {
        let mut graph = good.clone();
        graph.pointer_mut(object).unwrap()["colour"] = json!(1);
        let error = Graph::parse(&graph.to_string()).unwrap_err();
        assert_eq!(error.place, format!("{place}colour"), "{error}");
        assert!(error.reason.contains("unknown field `colour`"), "{error}");
        let fields: Vec<String> = good.pointer(object).unwrap().as_object().unwrap().keys().cloned().collect();
        for field in fields {
            let whole = good.pointer(object).unwrap();
            let value = &whole[&field];
            let text = whole.to_string().replacen('{', &format!("{{\"{field}\":{value},"), 1);
            let graph = good.to_string().replace(&whole.to_string(), &text);
            let error = Graph::parse(&graph).unwrap_err();
            assert!(error.reason.contains(&format!("duplicate field `{field}`")), "{graph}: {error}");
        }
    }
    for field in ["name", "input", "blocks"] {
        let mut graph: Value = good.clone();
        graph.as_object_mut().unwrap().remove(field);
        let error = Graph::parse(&graph.to_string()).unwrap_err();
        assert!(error.reason.contains(&format!("missing field `{field}`")), "{error}");
    }
    for text in ["", "{", "[]", "nothing", "{\"name\": \"x\"", "\u{0}"] {
        let error = Graph::parse(text).unwrap_err();
        assert!(error.place.starts_with("column ") && !error.reason.is_empty(), "{text}: {error}");
    }
}
