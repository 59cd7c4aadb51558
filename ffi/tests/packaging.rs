//! What the README says of linking works.

mod common;

use common::{Flavour, root, run, scratch};
use std::path::{Path, PathBuf};
use std::process::Command;

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
    let built = tree.join("target/release");
    std::fs::create_dir_all(&built).expect("the folder can be made");
    std::os::unix::fs::symlink(root().join("include"), tree.join("include")).expect("links can be made");
    // The shared library has the name that the loader looks for from these lines alone.
    for file in ["libaznas.a", "libaznas.so"] {
        std::os::unix::fs::symlink(library.join(file), built.join(file)).expect("links can be made");
    }
    let by_hand = block(&readme, "**The shared library by hand.**", "sh");
    for lines in [rest, by_hand] {
        let mut shell = Command::new("sh");
        let printed = run(shell.args(["-ec", lines]).current_dir(&folder).env("AZNAS", text(&tree)), "");
        assert!(printed.starts_with("expressivity "), "{printed}");
    }
}

/// A static library of another toolchain goes with the shared one, as the README says.
#[test]
fn beside_a_library_of_another_toolchain() {
    let library = Flavour::Checked.build();
    let folder = fresh("other-toolchain");
    std::fs::write(folder.join("other.rs"), OTHER_LIBRARY).expect("the folder can be written");
    let listed = Command::new("rustup").args(["toolchain", "list"]).output();
    let listed = listed.map_or(String::new(), |listed| String::from_utf8_lossy(&listed.stdout).into_owned());
    let other = listed.lines().filter_map(|line| line.split(' ').next()).find(|name| {
        let mut rustc = Command::new("rustc");
        rustc.arg(format!("+{name}")).args(["--crate-type", "staticlib", "other.rs"]).current_dir(&folder);
        let version =
            |command: &mut Command| command.arg("-V").output().map(|output| output.stdout).unwrap_or_default();
        version(Command::new("rustc").arg(format!("+{name}"))) != version(&mut Command::new("rustc"))
            && rustc.output().is_ok_and(|built| built.status.success())
    });
    if other.is_none() {
        eprintln!("SKIPPED: there is no other toolchain");
        return;
    }
    std::fs::write(folder.join("main.c"), MAIN_OF_TWO).expect("the folder can be written");
    let include = root().join("include");
    let link = format!(
        "cc main.c libother.a -I {} -L {library} -laznas -Wl,-rpath,{library} -lpthread -ldl -lm -o main && ./main",
        text(&include),
        library = text(&library),
    );
    assert_eq!(run(Command::new("sh").args(["-ec", &link]).current_dir(&folder), ""), "3 ok\n");
}

/// A library that unwinds, as most of Rust's do.
const OTHER_LIBRARY: &str = r#"
#[unsafe(no_mangle)]
pub extern "C" fn other(text: *const u8) -> usize {
    let length = std::panic::catch_unwind(|| [1, 2, 3].iter().filter(|_| !text.is_null()).count());
    length.unwrap_or(0)
}
"#;

const MAIN_OF_TWO: &str = r#"
#include <aznas.h>
#include <stdio.h>
size_t other(const char *text);
int main(void) { return printf("%zu %s\n", other("text"), aznas_status_str(AZNAS_STATUS_OK)) < 0; }
"#;

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
