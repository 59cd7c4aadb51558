//! What is installed is found: by CMake, by pkg-config, and by a reader of the README.

mod common;

use common::{Flavour, has_tool, root, run, scratch};
use std::path::{Path, PathBuf};
use std::process::Command;

fn cmake(arguments: &[&str], definitions: &[(&str, &Path)]) {
    let mut command = Command::new("cmake");
    command.args(arguments);
    for (name, value) in definitions {
        command.arg(format!("-D{name}={}", value.display()));
    }
    run(&mut command, "");
}

/// An empty folder.
fn fresh(name: &str) -> PathBuf {
    let folder = scratch().join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the folders have plain names")
}

/// Configures, builds and runs the project outside the tree.
fn consume(name: &str, kind: &str, definitions: &[(&str, &Path)]) {
    let build = fresh(&format!("consumer-{name}"));
    let sources = root().join("ffi");
    let project = sources.join("tests/consumer");
    let mut all = vec![("SOURCES", sources.as_path())];
    all.extend_from_slice(definitions);
    cmake(&["-S", text(&project), "-B", text(&build), kind], &all);
    cmake(&["--build", text(&build)], &[]);
    for program in ["score", "threads"] {
        run(&mut Command::new(build.join(program)), "");
    }
}

#[test]
fn installed_and_found() {
    if !has_tool("cmake") {
        return;
    }
    let library = Flavour::Release.build();
    let (build, prefix, source) = (fresh("cmake-build"), fresh("prefix"), root().join("ffi"));
    let cargo_folder = library.parent().expect("cargo builds in a folder of its own");
    let folders = [("CMAKE_INSTALL_PREFIX", prefix.as_path()), ("AZNAS_CARGO_FOLDER", cargo_folder)];
    cmake(&["-S", text(&source), "-B", text(&build), "-DCMAKE_INSTALL_LIBDIR=lib"], &folders);
    cmake(&["--build", text(&build)], &[]);
    cmake(&["--install", text(&build)], &[]);
    for (name, kind) in [("static", "-DBUILD_SHARED_LIBS=OFF"), ("shared", "-DBUILD_SHARED_LIBS=ON")] {
        consume(name, kind, &[("CMAKE_PREFIX_PATH", &prefix)]);
        consume(
            &format!("subdirectory-{name}"),
            kind,
            &[("AZNAS_SOURCE", &source), ("AZNAS_CARGO_FOLDER", cargo_folder)],
        );
    }
    if !has_tool("pkg-config") {
        return;
    }
    let program = prefix.join("score");
    let line = format!(
        "cc -std=c11 -static {} $(pkg-config --static --cflags --libs aznas) -o {}",
        text(&source.join("examples/score.c")),
        text(&program)
    );
    run(Command::new("sh").args(["-ec", &line]).env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig")), "");
    run(&mut Command::new(program), "");
}

/// The block of the README in `language` that follows `heading`.
fn block<'t>(readme: &'t str, heading: &str, language: &str) -> &'t str {
    let section = readme.split(heading).nth(1).unwrap_or_else(|| panic!("no {heading} in the README"));
    let block = section.split(&format!("```{language}\n")).nth(1).and_then(|rest| rest.split("```").next());
    block.unwrap_or_else(|| panic!("no {language} below {heading}"))
}

#[test]
fn the_quick_start_of_the_readme_works() {
    let library = Flavour::Checked.build();
    let readme = std::fs::read_to_string(root().join("ffi/README.md")).expect("there is a README");
    let folder = fresh("quick-start");
    std::fs::write(folder.join("main.c"), block(&readme, "## Quick start", "c")).expect("the folder can be written");
    // The first line builds the library, which has been done; the others find it where cargo would have put it.
    let commands = block(&readme, "## Quick start", "sh");
    let (build, rest) = commands.split_once('\n').expect("there is more than one command");
    assert!(build.starts_with("cargo build --release -p aznas-ffi"), "{build}");
    let tree = folder.join("aznas");
    std::fs::create_dir_all(tree.join("target")).expect("the folder can be made");
    std::os::unix::fs::symlink(root().join("include"), tree.join("include")).expect("links can be made");
    std::os::unix::fs::symlink(library, tree.join("target/release")).expect("links can be made");
    let mut shell = Command::new("sh");
    let printed = run(shell.args(["-ec", rest]).current_dir(&folder).env("AZNAS", "aznas"), "");
    assert!(printed.starts_with("expressivity "), "{printed}");
}

#[test]
fn the_link_line_of_the_readme_is_that_of_the_compiler() {
    // The compiler prints it as a note, also when cargo finds nothing to do.
    let output = Flavour::Checked.cargo().output().expect("cargo runs");
    let notes = String::from_utf8_lossy(&output.stderr).into_owned();
    let listed = notes.split("native-static-libs: ").nth(1).unwrap_or_else(|| panic!("{notes}"));
    let readme = std::fs::read_to_string(root().join("ffi/README.md")).expect("there is a README");
    // cc links the others by itself, and util and rt are part of any C library of today.
    let implied = ["-lgcc_s", "-lc", "-lutil", "-lrt"];
    for library in listed.lines().next().unwrap_or_default().split_whitespace().filter(|name| !implied.contains(name)) {
        assert!(block(&readme, "## Quick start", "sh").contains(library), "the README does not link {library}");
    }
}
