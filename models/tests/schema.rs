//! The schema of graphs as text says what the parser does, op by op and field by field; what is printed keeps to it.

use aznas::base::rng::generator;
use aznas::spaces::{Settings, Space, SpaceName, Visitor};
use aznas_models::Graph;
use aznas_models::onnx::{Cut, Model};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn schema() -> Value {
    serde_json::from_str(&std::fs::read_to_string(root().join("docs/graph.schema.json")).unwrap()).unwrap()
}

/// What the schema says of a value; only the keywords that it uses are known, and others are an error.
fn check(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let schema = schema.as_object().ok_or("a schema that is no object")?;
    let fail = |keyword: &str| Err(format!("{keyword} of {}: {value}", Value::from(schema.clone())));
    let number = |limit: &Value| value.as_f64().is_some_and(|value| limit.as_f64().is_some_and(|limit| value >= limit));
    let len = value.as_array().map(Vec::len);
    let has = |name: &Value| name.as_str().is_some_and(|name| value.get(name).is_some());
    for (keyword, rule) in schema {
        let holds = match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" => true,
            "type" => match rule.as_str().unwrap_or_default() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "number" => value.is_number(),
                "integer" => value.is_u64() || value.is_i64(),
                _ => return fail(keyword),
            },
            "const" => value == rule,
            "enum" => rule.as_array().is_some_and(|all| all.contains(value)),
            "minimum" => number(rule),
            "maximum" => value.as_f64() <= rule.as_f64(),
            "exclusiveMinimum" => value.as_f64() > rule.as_f64(),
            "minItems" => len.is_some_and(|len| len as u64 >= rule.as_u64().unwrap()),
            "maxItems" => len.is_some_and(|len| len as u64 <= rule.as_u64().unwrap()),
            "items" => {
                value.as_array().into_iter().flatten().try_for_each(|item| check(root, rule, item))?;
                true
            }
            "required" => rule.as_array().unwrap().iter().all(has),
            "properties" => {
                for (name, property) in rule.as_object().unwrap() {
                    value.get(name).map_or(Ok(()), |value| check(root, property, value))?;
                }
                true
            }
            "additionalProperties" => {
                let known = schema["properties"].as_object().unwrap();
                *rule == json!(false)
                    && value.as_object().is_none_or(|fields| fields.keys().all(|name| known.contains_key(name)))
            }
            "$ref" => {
                let target = rule.as_str().and_then(|path| root.pointer(path.strip_prefix('#')?));
                check(root, target.ok_or("a reference to nowhere")?, value)?;
                true
            }
            "oneOf" => {
                let count = rule.as_array().unwrap().iter().filter(|rule| check(root, rule, value).is_ok()).count();
                if count == 0 && rule.as_array().unwrap().len() == 1 {
                    return fail(keyword);
                }
                count == 1
            }
            _ => return fail(keyword),
        };
        if !holds {
            return fail(keyword);
        }
    }
    Ok(())
}

fn conforms(text: &str) -> Result<(), String> {
    let schema = schema();
    check(&schema, &schema, &serde_json::from_str(text).map_err(|error| error.to_string())?)
}

/// A graph of one node.
fn of(node: &Value) -> String {
    json!({"name": "one", "input": [3, 8, 8], "blocks": [[node]]}).to_string()
}

/// Fields that the parser says it knows, where `text` has one that it does not.
fn known_fields(text: &str) -> BTreeSet<String> {
    let reason = Graph::parse(text).unwrap_err().reason;
    let (_, list) = reason.split_once("expected one of ").unwrap_or_else(|| panic!("{reason}"));
    list.split('`').skip(1).step_by(2).map(str::to_string).collect()
}

/// Names of the properties of all variants.
fn properties<'s>(definitions: impl IntoIterator<Item = &'s Value>) -> BTreeSet<String> {
    definitions.into_iter().flat_map(|of| of["properties"].as_object().unwrap().keys().cloned()).collect()
}

/// The definitions of the kinds of nodes.
fn kinds(schema: &Value) -> Vec<&Value> {
    let kinds = schema["$defs"]["node"]["oneOf"].as_array().unwrap();
    kinds.iter().map(|kind| schema.pointer(&kind["$ref"].as_str().unwrap()[1..]).unwrap()).collect()
}

fn ops_of(kind: &Value) -> Vec<String> {
    let op = &kind["properties"]["op"];
    let names = op["enum"].as_array().cloned().unwrap_or_else(|| vec![op["const"].clone()]);
    names.iter().map(|name| name.as_str().unwrap().to_string()).collect()
}

#[test]
fn every_field_that_the_parser_knows_is_in_the_schema() {
    let schema = schema();
    let node = json!({"op": "relu", "inputs": [0], "unheard": 1});
    assert_eq!(known_fields(&of(&node)), properties(kinds(&schema)));
    let draw = json!({"op": "relu", "inputs": [0], "draw": {"unheard": 1}});
    assert_eq!(known_fields(&of(&draw)), properties([&schema["$defs"]["draw"]]));
    assert_eq!(known_fields(r#"{"unheard": 1}"#), properties([&schema]));
}

#[test]
fn every_op_of_the_c_interface_is_in_the_schema() {
    let header = std::fs::read_to_string(root().join("include/aznas.h")).unwrap();
    let names = header.lines().filter_map(|line| line.trim().strip_prefix("AZNAS_OP_")?.split(' ').next());
    let names: BTreeSet<String> = names.map(|name| name.trim_end_matches(',').to_lowercase()).collect();
    let schema = schema();
    let ours: BTreeSet<String> = kinds(&schema).into_iter().flat_map(ops_of).collect();
    assert_eq!(ours, names);
    assert!(names.len() > 20);
}

/// A value for each field.
fn example(field: &str) -> Value {
    match field {
        "op" => json!("relu"),
        "inputs" => json!([0]),
        "kernel" => json!([3, 3]),
        "stride" | "padding" | "behind" | "dilation" | "grid" | "offset" => json!([1, 1]),
        "bias" => json!(true),
        "epsilon" | "alpha" => json!(0.5),
        "draw" => json!({"normal": 0.1, "bias": false, "interleave": 1, "salt": 0}),
        _ => json!(2),
    }
}

/// Of every op with every field: what it needs, what it takes and what it does not have.
#[test]
fn parser_and_schema_take_the_same_fields_of_every_op() {
    let schema = schema();
    let fields = properties(kinds(&schema));
    let agree = |node: &Map<String, Value>| {
        let text = of(&Value::from(node.clone()));
        let (parsed, conforming) = (Graph::parse(&text), conforms(&text));
        assert_eq!(parsed.is_ok(), conforming.is_ok(), "{text}\n{parsed:?}\n{conforming:?}");
        parsed.is_ok()
    };
    for kind in kinds(&schema) {
        for op in ops_of(kind) {
            let required = kind["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_string());
            let mut least: Map<_, _> = required.map(|name| (name.clone(), example(&name))).collect();
            least["op"] = json!(op);
            assert!(agree(&least), "{op}");
            for field in &fields {
                let mut other = least.clone();
                match other.remove(field) {
                    Some(_) => assert!(!agree(&other), "{op} does not need {field}"),
                    None => {
                        other.insert(field.clone(), example(field));
                        let is_known = kind["properties"].get(field).is_some();
                        assert_eq!(agree(&other), is_known, "{op} with {field}");
                    }
                }
                // Of another type.
                let mut other = least.clone();
                other.insert(field.clone(), json!({"no": "such thing"}));
                assert!(!agree(&other), "{op} with a strange {field}");
            }
        }
    }
    let draws = [
        json!({"uniform": 0.5, "bias": true, "interleave": 3, "salt": 7}),
        json!({"bias": true, "interleave": 3, "salt": 7}),
        json!({"uniform": 0.5, "normal": 0.5, "bias": true, "interleave": 3, "salt": 7}),
        json!({"uniform": 0.5, "interleave": 3, "salt": 7}),
        json!({"uniform": 0.5, "bias": true, "salt": 7}),
        json!({"uniform": 0.5, "bias": true, "interleave": 3}),
    ];
    for (index, draw) in draws.into_iter().enumerate() {
        let node = json!({"op": "linear", "inputs": [0], "channels": 2, "draw": draw});
        assert_eq!(agree(node.as_object().unwrap()), index == 0, "{node}");
    }
}

#[test]
fn parser_and_schema_take_the_same_graphs() {
    let node = json!({"op": "relu", "inputs": [0]});
    let whole = json!({
        "name": "all", "input": [3, 8, 8], "blocks": [[node], [node]], "head": [node], "identity_rule": "skip",
        "progressivity": false, "complexity": 7.5,
    });
    let agree = |graph: &Value, is_taken: bool| {
        let text = graph.to_string();
        let (parsed, conforming) = (Graph::parse(&text), conforms(&text));
        assert_eq!([parsed.is_ok(), conforming.is_ok()], [is_taken; 2], "{text}\n{parsed:?}\n{conforming:?}");
    };
    agree(&whole, true);
    for field in whole.as_object().unwrap().keys() {
        let mut other = whole.clone();
        other.as_object_mut().unwrap().remove(field);
        agree(&other, !["name", "input", "blocks"].contains(&field.as_str()));
        other[field] = json!({});
        agree(&other, false);
    }
    for (field, value) in [
        ("input", json!([3, 8])),
        ("input", json!([3, 0, 8])),
        ("input", json!([3, 8, 8, 8])),
        ("blocks", json!([])),
        ("blocks", json!([[]])),
        ("identity_rule", json!("perhaps")),
        ("progressivity", json!(1)),
    ] {
        let mut other = whole.clone();
        other[field] = value;
        agree(&other, false);
    }
}

#[test]
fn what_is_printed_of_every_space_conforms() {
    struct Print;

    impl Visitor for Print {
        type Output = Vec<String>;

        fn visit<S: Space>(self, space: S) -> Vec<String> {
            let mut rng = generator(1);
            let printed = (0..5).map(|_| {
                let architecture = space.sample(&mut rng);
                let graph = Graph::of(&space.network(&architecture), &architecture.to_string(), 32, 32).unwrap();
                graph.print().unwrap()
            });
            printed.collect()
        }
    }

    for &space in SpaceName::ALL {
        let settings = Settings { channels: 16, cells: 2, target_resolution: 32, ..space.policy().settings };
        for text in space.visit(&settings, Print).unwrap() {
            conforms(&text).unwrap_or_else(|error| panic!("{}: {error}", space.name()));
        }
    }
}

#[test]
fn what_is_printed_of_models_conforms() {
    let mut count = 0;
    for entry in std::fs::read_dir(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/onnx")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "onnx")
            && let Ok(model) = Model::read(&std::fs::read(&path).unwrap(), "model", None, &Cut::Automatic)
        {
            conforms(&model.graph.print().unwrap()).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            count += 1;
        }
    }
    assert!(count > 10, "{count}");
}
