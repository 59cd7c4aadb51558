//! What a newcomer reads stays short, fits a terminal, and leads somewhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Columns of every page.
const WIDTH: usize = 110;

/// Every page of the repository.
fn pages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            pages(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

fn every_page() -> Vec<PathBuf> {
    let mut found = Vec::new();
    pages(Path::new(ROOT), &mut found);
    assert!(found.len() > 5, "{found:?}");
    found
}

/// The targets of a page's links.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()).filter(|target| !target.is_empty())
}

#[test]
fn the_readme_is_read_in_two_minutes() {
    let lines = fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap().lines().count();
    assert!(lines <= 80, "{lines} lines");
}

#[test]
fn pages_fit_a_terminal() {
    for page in every_page() {
        for (index, line) in fs::read_to_string(&page).unwrap().lines().enumerate() {
            let columns = line.chars().count();
            assert!(columns <= WIDTH, "{}:{}: {columns} columns", page.display(), index + 1);
        }
    }
}

#[test]
fn links_lead_to_files() {
    for page in every_page() {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text).filter(|link| !link.contains("://")) {
            assert!(page.parent().unwrap().join(link).exists(), "{}: {link}", page.display());
        }
    }
}

#[test]
fn files_that_are_named_exist() {
    let mut named = 0;
    for page in every_page() {
        let text = fs::read_to_string(&page).unwrap();
        // Every other piece is code; `NAME` stands for one.
        for code in text.split('`').skip(1).step_by(2).filter(|code| code.ends_with(".rs") && !code.contains("NAME")) {
            let is_path = code.contains('/') && !code.contains(char::is_whitespace);
            let exists = || page.parent().unwrap().join(code).exists() || Path::new(ROOT).join(code).exists();
            // Some are named from within `src`.
            assert!(
                !is_path || exists() || Path::new(ROOT).join("src").join(code).exists(),
                "{}: {code}",
                page.display()
            );
            named += usize::from(is_path);
        }
    }
    assert!(named > 20, "only {named} were seen");
}

/// Runs cargo without a network and returns the lines it prints.
fn cargo(arguments: &[&str]) -> Vec<String> {
    let output = Command::new(env!("CARGO")).args(arguments).args(["--offline"]).current_dir(ROOT).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(String::from).collect()
}

#[test]
fn the_package_has_what_its_pages_link_to() {
    let files = cargo(&["package", "--list", "--allow-dirty", "--package", "aznas"]);
    for page in files.iter().filter(|file| file.ends_with(".md")) {
        let text = fs::read_to_string(Path::new(ROOT).join(page)).unwrap();
        for link in links(&text).filter(|link| !link.contains("://")) {
            let mut target = PathBuf::from(page).parent().unwrap().to_path_buf();
            for part in Path::new(link) {
                if part == ".." {
                    target.pop();
                } else {
                    target.push(part)
                }
            }
            assert!(files.iter().any(|file| Path::new(file) == target), "{page}: {link} is not in the package");
        }
    }
}

#[test]
fn the_core_stands_on_few_packages() {
    let mut packages = cargo(&["tree", "--package", "aznas", "--edges", "normal,build", "--prefix", "none"]);
    packages.iter_mut().for_each(|package| *package = package.trim_end_matches(" (*)").to_string());
    packages.sort();
    packages.dedup();
    assert!(packages.len() <= 8, "{packages:#?}");
}

#[test]
fn short_examples_are_short_and_run() {
    let own = std::env::current_exe().unwrap();
    let folder = own.parent().unwrap().parent().unwrap().join("examples");
    for name in ["score_cell", "own_network", "own_search"] {
        let source = fs::read_to_string(Path::new(ROOT).join(format!("examples/{name}.rs"))).unwrap();
        assert!(source.lines().count() <= 40, "{name}");
        let program = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        assert!(program.exists(), "first run `cargo build --examples`");
        let output = Command::new(program).output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stdout.iter().filter(|&&byte| byte == b'\n').count() >= 3, "{name}");
    }
}
