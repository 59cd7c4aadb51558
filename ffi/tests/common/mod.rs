//! Builds the library as its users do, and programs against it with the compilers of the system.
#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folder of the workspace.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the library lies in the workspace")
}

/// A folder for what tests build.
pub fn scratch() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}

/// A way to build the library.
#[derive(Clone, Copy, Debug)]
pub enum Flavour {
    /// With the standard library and overflow checks, so that a defect shows as AZNAS_STATUS_PANIC.
    Checked,
    /// As hosted programs use it.
    Release,
    /// Without the standard library.
    BareMetal,
}

impl Flavour {
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Checked => &["--profile", "dev"],
            Self::Release => &["--profile", "release"],
            Self::BareMetal => &[
                "--profile",
                "bare-metal",
                "--no-default-features",
                "--features",
                "panic-handler",
                "--crate-type",
                "staticlib",
            ],
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Checked => "debug",
            Self::Release => "release",
            Self::BareMetal => "bare-metal",
        }
    }

    /// Builds the library and returns the folder it is in.
    pub fn build(self) -> PathBuf {
        let target = scratch().join("library");
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(["rustc", "--quiet", "-p", "aznas-ffi", "--lib", "--target-dir"])
            .arg(&target)
            .args(self.arguments());
        run(cargo.current_dir(root()), "");
        target.join(self.folder())
    }
}

/// A compiler of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    C11,
    Cpp17,
}

/// What a program is linked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linkage {
    Static,
    Shared,
}

/// Compiles `source`, a file in `ffi`, with all warnings as errors, and returns the program.
pub fn compile(source: &str, language: Language, library: &Path, linkage: Linkage, flags: &[&str]) -> PathBuf {
    let (compiler, standard) = match language {
        Language::C11 => ("cc", "-std=c11"),
        Language::Cpp17 => ("c++", "-std=c++17"),
    };
    let name = Path::new(source).file_stem().and_then(OsStr::to_str).expect("a source has a name");
    let variant = flags.concat().replace(['/', '='], "");
    let program = scratch().join(format!("{name}-{language:?}-{linkage:?}{variant}"));
    let mut command = Command::new(compiler);
    command
        .args([standard, "-O1", "-g", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-ffp-contract=off"])
        .args(flags)
        .arg("-I")
        .arg(root().join("include"))
        .arg(root().join("ffi").join(source))
        .arg("-o")
        .arg(&program);
    match linkage {
        Linkage::Static => command.arg(library.join("libaznas.a")).args(["-lpthread", "-ldl", "-lm"]),
        Linkage::Shared => command.arg("-L").arg(library).args(["-laznas", "-lpthread"]),
    };
    run(&mut command, "");
    program
}

/// Runs a program of [`compile`], which must succeed, and returns what it prints.
pub fn output(program: &Path, input: &str) -> String {
    run(&mut Command::new(program), input)
}

/// Runs a command, which must succeed, and returns what it prints.
pub fn run(command: &mut Command, input: &str) -> String {
    let shown = format!("{command:?}");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{shown}: {error}"));
    // The inputs of tests are smaller than a pipe, so nothing waits here for the program to read.
    child.stdin.take().expect("the input is piped").write_all(input.as_bytes()).expect("the program reads its input");
    let output = child.wait_with_output().expect("the program ends");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{shown}: {}\n{}{}", output.status, text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// Whether a tool of the system can be run; says so aloud where it cannot.
pub fn has_tool(name: &str) -> bool {
    let found = Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("SKIPPED: {name} is not installed");
    }
    found
}
