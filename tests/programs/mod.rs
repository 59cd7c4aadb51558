//! What the tests of the programs share.
#![allow(dead_code)] // each test uses its part

use std::fs;
use std::path::{Path, PathBuf};

/// The built example of this name. `cargo test` builds the examples; `cargo test --test` does not.
pub fn program(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let examples = own.parent().unwrap().parent().unwrap().join("examples");
    let program = examples.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(program.exists(), "first run `cargo build --examples`");
    program
}

/// A folder of one test, which is not there yet.
pub fn folder(group: &str, name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(group).join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(folder.parent().unwrap()).unwrap();
    folder
}
