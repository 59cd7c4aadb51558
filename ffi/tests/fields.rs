//! What an error names is in the header: a struct's field, a function's argument, or a word that it explains.

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Sources whose refusals no call from C leads to.
const RUST_ONLY: [&str; 6] = [
    "src/search/evolution.rs",
    "src/prefix.rs",
    "src/aggregate/incremental.rs",
    "src/aggregate/rank.rs",
    "src/spaces/autoformer/sampling.rs",
    "src/spaces/advice.rs",
];

/// Names that calls from C do not meet, and why.
const UNMET: [(&str, &str); 14] = [
    ("parts", "the grammar of texts has these bounds"),
    ("edges", "the grammar of texts has these bounds"),
    ("operations", "the grammar of texts has these bounds"),
    ("library", "a defect"),
    ("state", "of sweeps that C cannot ask for"),
    ("heap", "nothing that C can call uses it"),
    ("embed", "the grammar of texts has these bounds"),
    ("ratio", "the grammar of texts has these bounds"),
    ("ratios", "the grammar of texts counts them"),
    ("interleave", "set by the networks of spaces alone"),
    ("index", "of a cell by number"),
    ("iterations", "those of the authors in searches of C"),
    ("goals", "those of a search in C are in its table"),
    ("resolution", "of counts at the target resolution, which the spaces rename"),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

/// What stands in quotes at the start of `text`.
fn quoted(text: &str) -> Option<&str> {
    text.trim_start().strip_prefix('"')?.split('"').next()
}

/// Every name that is written where a refusal is made.
fn names() -> BTreeSet<String> {
    let root = common::root();
    let mut paths = Vec::new();
    sources(&root.join("src"), &mut paths);
    sources(&root.join("ffi/src"), &mut paths);
    let mut names = BTreeSet::new();
    for path in paths {
        let place = path.strip_prefix(root).expect("it lies below").display().to_string();
        if RUST_ONLY.iter().any(|prefix| place.starts_with(prefix)) {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a source can be read");
        let code = text.split("#[cfg(test)]\nmod tests").next().expect("a split has a first part");
        for maker in ["field: ", "refuse(", "invalid(", "within(", "side(", "NAME: &'static str = "] {
            names.extend(code.split(maker).skip(1).filter_map(quoted).map(str::to_owned));
        }
        if place == "ffi/src/error.rs" {
            names.extend(code.split('(').filter_map(quoted).map(str::to_owned));
        }
        if place.starts_with("ffi/") {
            // Arguments and fields that pointers are checked under.
            let words = code.split(", ").filter_map(quoted);
            names.extend(
                words.filter(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '_')).map(str::to_owned),
            );
        }
        // Lists of fields with what they hold.
        let lists = code.split("for (field, ").skip(1).filter_map(|list| list.split(']').next());
        names.extend(lists.flat_map(|list| list.split('(').skip(1).filter_map(quoted)).map(str::to_owned));
    }
    names
}

/// The names of fields and arguments: what is last before a semicolon, comma or bracket in the code of the header.
fn declared(header: &str) -> BTreeSet<String> {
    let code: String = header.split("/*").map(|part| part.rsplit("*/").next().expect("a split has a part")).collect();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let ends = code.match_indices([';', ',', ')', '[']).map(|(end, _)| &code[..end]);
    ends.filter_map(|before| before.rsplit(|c| !is_word(c)).next()).map(str::to_owned).collect()
}

#[test]
fn errors_name_what_the_header_has() {
    let header = std::fs::read_to_string(common::root().join("include/aznas.h")).expect("the header can be read");
    let declared = declared(&header);
    let names = names();
    for name in [
        "channels",
        "kernel",
        "heads",
        "batch",
        "proxies",
        "block_capacity",
        "scores",
        "workspace",
        "lookup",
        "node_size",
    ] {
        assert!(names.contains(name) && declared.contains(name), "{name} is not found any more");
    }
    for name in &names {
        let is_explained = name == "output" && header.contains("`output` for the feature");
        let is_unmet = UNMET.iter().any(|(unmet, _)| unmet == name);
        assert!(declared.contains(name) || is_explained || is_unmet, "{name} is no field or argument of aznas.h");
    }
    assert!(UNMET.iter().all(|(name, _)| names.contains(*name)), "a name of the list is gone: {names:?}");
}
