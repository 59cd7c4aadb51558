//! Builds the library as its users do, and programs against it with the compilers of the system.
#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]

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

/// The folder that cargo builds in: what this test was built from is there already.
pub fn target() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows where it is");
    // Below it are the profile's folder and `deps`.
    test.ancestors().nth(3).expect("cargo builds in a folder of its own").to_owned()
}

/// A way to build the library.
#[derive(Clone, Copy, Debug)]
pub enum Flavour {
    /// With overflow checks, so that a defect shows as AZNAS_STATUS_PANIC; of the core that the tests use.
    Checked,
    /// As hosted programs use it.
    Release,
    /// With what reads ONNX files.
    Onnx,
    /// Without the standard library.
    BareMetal,
}

impl Flavour {
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Checked => &["--profile", "dev", "--", "--print", "native-static-libs"],
            Self::Release => &["--profile", "release"],
            Self::Onnx => &["--profile", "dev", "--features", "onnx", "--crate-type", "staticlib"],
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
            Self::Checked | Self::Onnx => "debug",
            Self::Release => "release",
            Self::BareMetal => "bare-metal",
        }
    }

    /// Builds the library and returns the folder it is in.
    pub fn build(self) -> PathBuf {
        run(&mut self.cargo(), "");
        let built = target().join(self.folder());
        if matches!(self, Self::Onnx) {
            // Cargo puts it in the place of the other one, whose place is given back.
            let apart = built.join("onnx");
            std::fs::create_dir_all(&apart).expect("cargo's folder can be written");
            std::fs::copy(built.join("libaznas.a"), apart.join("libaznas.a")).expect("the library was built");
            Self::Checked.build();
            return apart;
        }
        // The loader looks for the name inside the library, which installing gives to the file.
        let _ = std::os::unix::fs::symlink("libaznas.so", built.join("libaznas.so.0.1"));
        built
    }

    /// The command that builds the library, or finds that nothing is to be done.
    pub fn cargo(self) -> Command {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["rustc", "-p", "aznas-ffi", "--lib", "--target-dir"]).arg(target()).args(self.arguments());
        cargo.current_dir(root());
        cargo
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

/// The folders in `ffi` with test programs: of today, and frozen ones with the header that they were written for.
pub fn generations() -> Vec<String> {
    let today = "tests/c".to_owned();
    let entries = std::fs::read_dir(root().join("ffi").join(&today)).expect("the programs are there");
    let names = entries.map(|entry| entry.expect("the folder can be read").file_name());
    let mut frozen: Vec<_> = names
        .map(|name| format!("{today}/{}", name.to_str().expect("the programs have plain names")))
        .filter(|folder| root().join("ffi").join(folder).join("aznas.h").exists())
        .collect();
    frozen.sort();
    assert!(frozen.contains(&format!("{today}/v0_1")), "the header of 0.1 is frozen");
    frozen.insert(0, today);
    frozen
}

/// Compiles `source`, a file in `ffi`, with all warnings as errors, and returns the program. The header is the one beside
/// the source, or else today's.
pub fn compile(source: &str, language: Language, library: &Path, linkage: Linkage, flags: &[&str]) -> PathBuf {
    let (compiler, standard) = match language {
        Language::C11 => ("cc", "-std=c11"),
        Language::Cpp17 => ("c++", "-std=c++17"),
    };
    let path = root().join("ffi").join(source);
    let folder = path.parent().expect("a source lies in a folder");
    let include = if folder.join("aznas.h").exists() { folder.to_owned() } else { root().join("include") };
    let name = Path::new(source).with_extension("").display().to_string();
    let variant = flags.concat();
    let name = format!("{name}-{language:?}-{linkage:?}{variant}").replace(['/', '='], "-");
    let program = scratch().join(name);
    // Another test may be running it, so it is replaced in one go.
    let fresh = program.with_extension(format!("{:?}", std::thread::current().id()).replace(['(', ')'], ""));
    let mut command = Command::new(compiler);
    command
        .args([standard, "-O1", "-g", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-ffp-contract=off"])
        .args(flags)
        .arg("-I")
        .arg(include)
        .arg(path)
        .arg("-o")
        .arg(&fresh);
    match linkage {
        Linkage::Static => command.arg(library.join("libaznas.a")).args(["-lpthread", "-ldl", "-lm"]),
        Linkage::Shared => {
            let found = format!("-Wl,-rpath,{}", library.display());
            command.arg("-L").arg(library).args(["-laznas", "-lpthread", &found])
        }
    };
    run(&mut command, "");
    std::fs::rename(fresh, &program).expect("the folder can be written");
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
