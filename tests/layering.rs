//! Use goes one way: a module may use only those before it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The layers, lowest first; modules on one line do not use each other.
const LAYERS: [&[&str]; 15] = [
    &["error", "base"],
    &["mem"],
    &["simd"],
    &["tensor"],
    &["linalg"],
    &["ops"],
    &["graph"],
    &["spaces"],
    &["aggregate"],
    &["proxy"],
    &["plan"],
    &["run"],
    &["score"],
    &["prefix"],
    &["search"],
];

/// Uses that the order forbids but that carry a plain description only, with the reason.
const ALLOWED: [(&str, &str); 2] = [
    // The options are the vocabulary of a request; `score` itself is above.
    ("plan", "score"),
    ("run", "score"),
];

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The modules of this crate that a line names behind `crate::`, also inside `crate::{…}`.
fn named_modules(line: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, _) in line.match_indices("crate::") {
        let rest = &line[at + "crate::".len()..];
        let items = match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap().split(',').collect(),
            None => vec![rest],
        };
        for item in items {
            names.push(item.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    names
}

#[test]
fn modules_use_only_lower_ones() {
    let level: BTreeMap<&str, usize> =
        LAYERS.iter().enumerate().flat_map(|(level, names)| names.iter().map(move |&name| (name, level))).collect();
    let mut files = Vec::new();
    rust_files(Path::new("src"), &mut files);
    let mut violations = Vec::new();
    for file in files {
        let relative = file.strip_prefix("src").unwrap();
        let module = relative.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_string();
        if module == "lib" {
            continue;
        }
        let own = *level.get(module.as_str()).unwrap_or_else(|| panic!("{} has no layer", file.display()));
        let text = std::fs::read_to_string(&file).unwrap();
        // Tests may look at anything.
        let code = text.split("#[cfg(test)]").next().unwrap();
        let is_test = relative.ends_with("tests.rs") || relative.ends_with("reference.rs");
        for (number, line) in code.lines().enumerate().filter(|_| !is_test) {
            let is_comment = line.trim_start().starts_with("//");
            for used in named_modules(line).into_iter().filter(|_| !is_comment) {
                let Some(&other) = level.get(used.as_str()) else { continue };
                let allowed = ALLOWED.contains(&(module.as_str(), used.as_str()));
                if used != module && other >= own && !allowed {
                    violations.push(format!("{}:{}: {module} uses {used}", file.display(), number + 1));
                }
            }
        }
    }
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn unsafe_code_is_confined() {
    let mut files = Vec::new();
    rust_files(Path::new("src"), &mut files);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let confined = file.starts_with("src/simd") || file.starts_with("src/mem") || file.ends_with("simd.rs");
        assert!(confined || !text.contains("allow(unsafe_code)"), "{} allows unsafe code", file.display());
    }
}
