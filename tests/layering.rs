//! Use goes one way: a module may use only those below it, and files do not use each other in a circle.
//!
//! Every path that starts with `crate`, `self` or `super` counts, in a `use` or elsewhere; what a file re-exports counts
//! as use of the file it comes from. Tests may look at anything.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The layers of the core, lowest first; modules on one line do not use each other.
const LAYERS: [&[&str]; 18] = [
    &["error", "base"],
    &["mem"],
    &["simd"],
    &["tensor"],
    &["linalg"],
    &["ops"],
    &["graph"],
    &["proxy"],
    &["options"],
    &["spaces"],
    &["aggregate"],
    &["plan"],
    &["run"],
    &["sweep"],
    &["measure"],
    &["score"],
    &["prefix"],
    &["search"],
];

/// A path of the source without its first `crate`, from the crate's root.
type Names = Vec<String>;

/// A source file.
struct File {
    path: PathBuf,
    /// The module it holds.
    module: Names,
    /// Line and path of everything it names, and whether only to hand it on.
    uses: Vec<(usize, Names, bool)>,
    /// Names that others find here and what they stand for.
    exports: BTreeMap<String, Names>,
}

/// A crate's files by their modules.
struct Sources(BTreeMap<Names, File>);

/// The text with comments, literals and everything that is compiled for tests only blanked out.
fn code(text: &str) -> String {
    let mut code: Vec<char> = text.chars().collect();
    let blank = |code: &mut Vec<char>, range: std::ops::Range<usize>| {
        code[range].iter_mut().filter(|c| **c != '\n').for_each(|c| *c = ' ');
    };
    let mut at = 0;
    while at < code.len() {
        let rest = &code[at..];
        let until = |end: &str| {
            let end: Vec<char> = end.chars().collect();
            rest.windows(end.len()).skip(1).position(|window| window == end).map_or(rest.len(), |i| i + 1 + end.len())
        };
        let len = match rest {
            ['/', '/', ..] => until("\n") - 1,
            ['/', '*', ..] => until("*/"),
            ['"', ..] => {
                let mut end = 1;
                while end < rest.len() && rest[end] != '"' {
                    end += 1 + usize::from(rest[end] == '\\');
                }
                end + 1
            }
            ['\'', '\\', _, ..] => 2 + until("'").max(3) - 2,
            ['\'', _, '\'', ..] => 3,
            _ => 0,
        };
        let end = (at + len).min(code.len());
        blank(&mut code, at..end);
        at = end.max(at + 1);
    }
    let text: String = code.iter().collect();
    let starts = ["#[cfg(test)]", "#[cfg(all(test,"].map(|start| text.match_indices(start).map(|(at, _)| at).collect());
    for start in starts.into_iter().flat_map(|starts: Vec<usize>| starts) {
        // Indices of characters, not of bytes.
        let start = text[..start].chars().count();
        let mut depth = 0;
        let end = code[start..].iter().position(|c| {
            depth += i32::from(*c == '{') - i32::from(*c == '}');
            depth == 0 && (*c == ';' || *c == '}')
        });
        let end = end.map_or(code.len(), |end| start + end + 1);
        blank(&mut code, start..end);
    }
    code.into_iter().collect()
}

/// Words and single signs with their lines.
fn tokens(code: &str) -> Vec<(usize, &str)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut tokens = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let len = match first {
                c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
                ':' if rest.starts_with("::") => 2,
                c => c.len_utf8(),
            };
            tokens.push((number + 1, &rest[..len]));
            rest = rest[len..].trim_start();
        }
    }
    tokens
}

/// Reads a path or a tree of paths from the front of `tokens`: every full path with the name it is known by, and how many
/// tokens it takes.
fn tree(tokens: &[(usize, &str)], prefix: &Names, paths: &mut Vec<(Names, String)>) -> usize {
    let word = |at: usize| tokens.get(at).map_or("", |token| token.1);
    if word(0) == "{" {
        let mut at = 1;
        while word(at) != "}" && at < tokens.len() {
            at += tree(&tokens[at..], prefix, paths).max(1);
            at += usize::from(word(at) == ",");
        }
        return at + 1;
    }
    let mut path = prefix.clone();
    if word(0) != "self" || prefix.is_empty() {
        path.push(word(0).to_string());
    }
    if word(1) == "::" && (word(2) == "{" || word(2).starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '*')) {
        return 2 + tree(&tokens[2..], &path, paths);
    }
    let renamed = word(1) == "as";
    let name = if renamed { word(2).to_string() } else { path.last().unwrap().clone() };
    paths.push((path, name));
    if renamed { 3 } else { 1 }
}

/// The path from the crate's root, if it is of this crate.
fn absolute(path: &[String], module: &[String], children: &BTreeSet<Names>) -> Option<Names> {
    let (mut base, mut rest) = (module.to_vec(), path);
    match rest.first()?.as_str() {
        "crate" => (base, rest) = (Names::new(), &rest[1..]),
        "self" => rest = &rest[1..],
        "super" => {}
        // The name of a module declared in this file.
        first => {
            let child = [module, &[first.to_string()]].concat();
            return children.contains(&child).then(|| [module, path].concat());
        }
    }
    while rest.first().is_some_and(|name| name == "super") {
        base.pop();
        rest = &rest[1..];
    }
    Some([&base[..], rest].concat())
}

impl Sources {
    fn read(root: &str) -> Self {
        let mut paths = Vec::new();
        rust_files(Path::new(root), &mut paths);
        let module = |path: &Path| -> Names {
            let names = path.strip_prefix(root).unwrap().with_extension("");
            let names: Names = names.iter().map(|name| name.to_str().unwrap().to_string()).collect();
            if names == ["lib"] { Names::new() } else { names }
        };
        let of_tests = |path: &PathBuf| !path.ends_with("tests.rs") && !path.ends_with("reference.rs");
        paths.retain(of_tests);
        let modules: BTreeSet<Names> = paths.iter().map(|path| module(path)).collect();
        let file = |path: PathBuf| {
            let module = module(&path);
            let text = code(&std::fs::read_to_string(&path).unwrap());
            let tokens = tokens(&text);
            let (mut uses, mut exports, mut at) = (Vec::new(), BTreeMap::new(), 0);
            while at < tokens.len() {
                let (line, word) = tokens[at];
                let starts_path =
                    ["crate", "self", "super"].contains(&word) && tokens.get(at + 1).is_some_and(|t| t.1 == "::");
                if word != "use" && !starts_path {
                    at += 1;
                    continue;
                }
                let is_public = word == "use" && at > 0 && ["pub", ")"].contains(&tokens[at - 1].1);
                at += usize::from(word == "use");
                let mut found = Vec::new();
                at += tree(&tokens[at..], &Names::new(), &mut found);
                for (path, name) in found {
                    let Some(path) = absolute(&path, &module, &modules) else { continue };
                    if is_public {
                        exports.insert(name, path.clone());
                    }
                    uses.push((line, path, is_public));
                }
            }
            (module.clone(), File { path, module, uses, exports })
        };
        Self(paths.into_iter().map(file).collect())
    }

    /// The module of the file where what `path` names is written.
    fn home(&self, path: &[String]) -> Names {
        let len = (0..=path.len()).rev().find(|&len| self.0.contains_key(&path[..len])).unwrap();
        let file = &self.0[&path[..len]];
        match path.get(len).and_then(|name| file.exports.get(name)) {
            Some(target) if target != path => self.home(&[target, &path[len + 1..]].concat()),
            _ => file.module.clone(),
        }
    }

    /// Line and home of all that a file uses of others, and whether only to hand it on.
    fn used<'a>(&'a self, file: &'a File) -> impl Iterator<Item = (usize, Names, bool)> + 'a {
        let uses = file.uses.iter().map(|(line, path, hands_on)| (*line, self.home(path), *hands_on));
        uses.filter(|(_, home, _)| *home != file.module)
    }

    /// Files that use each other. Parts of a module may use what the module itself says: they are one idea. What is handed
    /// on is a name, not a use.
    fn circles(&self) -> Vec<String> {
        let reach = |from: &Names| {
            let (mut seen, mut open) = (BTreeSet::new(), vec![from.clone()]);
            while let Some(module) = open.pop() {
                let file = &self.0[&module];
                let others = self.used(file).filter(|(.., hands_on)| !hands_on).map(|(_, used, _)| used);
                let others = others.filter(|used| !module.starts_with(used));
                open.extend(others.filter(|used| seen.insert(used.clone())));
            }
            seen
        };
        let reached: BTreeMap<&Names, BTreeSet<Names>> = self.0.keys().map(|module| (module, reach(module))).collect();
        let mutual = |a: &&Names, b: &&Names| reached[*a].contains(*b) && reached[*b].contains(*a);
        let pairs = self.0.keys().flat_map(|a| self.0.keys().filter(move |b| a <= *b).map(move |b| (a, b)));
        pairs.filter(|(a, b)| mutual(a, b)).map(|(a, b)| format!("{} ↔ {}", a.join("::"), b.join("::"))).collect()
    }
}

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

#[test]
fn modules_use_only_lower_ones() {
    let level: BTreeMap<&str, usize> =
        LAYERS.iter().enumerate().flat_map(|(level, names)| names.iter().map(move |&name| (name, level))).collect();
    let sources = Sources::read("../src");
    let (mut violations, mut seen) = (Vec::new(), 0);
    for file in sources.0.values().filter(|file| !file.module.is_empty()) {
        let module = file.module[0].as_str();
        let own = *level.get(module).unwrap_or_else(|| panic!("{} has no layer", file.path.display()));
        for (line, used, _) in sources.used(file) {
            let Some(used) = used.first().filter(|used| *used != module) else { continue };
            seen += 1;
            if level[used.as_str()] >= own {
                violations.push(format!("{}:{line}: {module} uses {used}", file.path.display()));
            }
        }
    }
    assert!(violations.is_empty(), "{}", violations.join("\n"));
    assert!(seen > 300, "only {seen} uses were seen");
}

#[test]
fn no_files_use_each_other() {
    for root in ["../src", "../ffi/src"] {
        let circles = Sources::read(root).circles();
        assert!(circles.is_empty(), "{root}:\n{}", circles.join("\n"));
    }
}

#[test]
fn every_way_to_use_is_seen() {
    let text = r#"
        #[cfg(test)]
        mod tests;
        use crate::{
            Error, low::{self, Thing as Other},
        };
        #[cfg(all(test, feature = "alloc"))]
        mod inner { use crate::hidden::A; fn f() { let x = [0; 4]; } }
        // crate::comment::A
        fn f(c: char) -> bool { let s = "crate::text::A\""; c == '"' || c == '\'' || crate::direct::call::<u8>() > 0 }
        pub(crate) use self::child::*;
        use super::super::above::B;
    "#;
    let text = code(text);
    let tokens = tokens(&text);
    let (mut found, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        let starts = ["crate", "self", "super"].contains(&tokens[at].1) && tokens[at + 1].1 == "::";
        at += if starts { tree(&tokens[at..], &Names::new(), &mut found) } else { 1 };
    }
    let found: Vec<String> = found.into_iter().map(|(path, name)| format!("{} {name}", path.join("::"))).collect();
    let expected = [
        "crate::Error Error",
        "crate::low low",
        "crate::low::Thing Other",
        "crate::direct::call call",
        "self::child::* *",
        "super::super::above::B B",
    ];
    assert_eq!(found, expected);
}

#[test]
fn unsafe_code_is_confined() {
    let mut files = Vec::new();
    let sources = Path::new("../src");
    rust_files(sources, &mut files);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let confined = file.starts_with(sources.join("simd"))
            || file.starts_with(sources.join("mem"))
            || file.ends_with("simd.rs");
        assert!(confined || !text.contains("allow(unsafe_code)"), "{} allows unsafe code", file.display());
    }
}
