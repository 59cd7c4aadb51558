//! What CMake installs is found wherever it is put, and cargo builds for the machine that CMake builds for.
//!
//! A script stands in for cargo: it notes how it was called and lays out a library that was built before.

mod common;

use common::{Flavour, has_tool, root, run, scratch};
use std::fmt::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// An empty folder of a test.
fn fresh(name: &str) -> PathBuf {
    let folder = scratch().join("installing").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    folder
}

fn write_script(path: &Path, lines: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{lines}\n")).expect("the folder can be written");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("the script can be made executable");
}

/// A script that lays out `library` as cargo does and writes its arguments and environment to `folder/called`.
fn stand_in(folder: &Path, library: &Path) -> PathBuf {
    let script = folder.join("cargo");
    let (cargo, folder, library) = (env!("CARGO"), folder.display(), library.display());
    write_script(
        &script,
        &format!(
            r#"[ "$1" = -vV ] && exec {cargo} -vV
printf '%s\n' "$@" >{folder}/called
env | grep ^CARGO_TARGET >>{folder}/called
while [ $# -gt 0 ]; do
    case $1 in --target) target=$2 ;; --target-dir) built=$2 ;; esac
    shift
done
mkdir -p "$built/$target/release"
cp {library}/libaznas.a {library}/libaznas.so "$built/$target/release""#
        ),
    );
    script
}

/// Configures and builds the library in `folder/build`.
fn build(folder: &Path, library: &Path, definitions: &[String], environment: &[(&str, &str)]) -> Output {
    let cargo = stand_in(folder, library);
    let mut cmake = Command::new("cmake");
    cmake.arg("-S").arg(root().join("ffi")).arg("-B").arg(folder.join("build")).args(definitions);
    cmake.arg(format!("-DCARGO={}", cargo.display())).envs(environment.iter().copied());
    let configured = cmake.output().expect("cmake runs");
    if !configured.status.success() {
        return configured;
    }
    Command::new("cmake").arg("--build").arg(folder.join("build")).output().expect("cmake runs")
}

/// The arguments and the environment that cargo was called with.
fn called(folder: &Path) -> Vec<String> {
    let called = std::fs::read_to_string(folder.join("called")).expect("cargo was called");
    called.lines().map(str::to_owned).collect()
}

fn target_in(called: &[String]) -> &str {
    let place = called.iter().position(|argument| argument == "--target").expect("the target is named");
    &called[place + 1]
}

/// Programs find the library in `libdir`, whose files say where the headers are.
fn check(folder: &Path, libdir: &Path) {
    let example = root().join("ffi/examples/score.c");
    let mut script = String::new();
    for (name, way) in [("static", "-static"), ("shared", "")] {
        let program = folder.join(name);
        let (example, program, libdir) = (example.display(), program.display(), libdir.display());
        let pkg = if way.is_empty() { "pkg-config" } else { "pkg-config --static" };
        writeln!(script, "cc -std=c11 {way} {example} $({pkg} --cflags --libs aznas) -Wl,-rpath,{libdir} -o {program}")
            .expect("a string takes any text");
        writeln!(script, "{program}").expect("a string takes any text");
    }
    // Neither the library of a system nor one that was installed before may stand in.
    let mut shell = Command::new("sh");
    shell.args(["-ec", &script]).env("PKG_CONFIG_LIBDIR", libdir.join("pkgconfig"));
    run(&mut shell, "");

    consume(folder, &["score"], &[format!("-Daznas_DIR={}", text(&libdir.join("cmake/aznas")))]);
}

/// Configures the project outside the tree, then builds and runs some of its programs.
fn consume(folder: &Path, programs: &[&str], definitions: &[String]) {
    let consumer = folder.join("consumer");
    for kind in ["-DBUILD_SHARED_LIBS=OFF", "-DBUILD_SHARED_LIBS=ON"] {
        let mut cmake = Command::new("cmake");
        cmake.arg("-S").arg(root().join("ffi/tests/consumer")).arg("-B").arg(&consumer).arg(kind).args(definitions);
        run(cmake.arg(format!("-DSOURCES={}", text(&root().join("ffi")))), "");
        for program in programs {
            run(Command::new("cmake").arg("--build").arg(&consumer).args(["--target", program]), "");
            run(&mut Command::new(consumer.join(program)), "");
        }
    }
    std::fs::remove_dir_all(consumer).expect("the folder is there");
}

fn install(folder: &Path, arguments: &[&str], stage: Option<&Path>) {
    let mut cmake = Command::new("cmake");
    cmake.arg("--install").arg(folder.join("build")).args(arguments);
    if let Some(stage) = stage {
        cmake.env("DESTDIR", stage);
    }
    run(&mut cmake, "");
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the folders have plain names")
}

#[test]
fn what_is_installed_is_found() {
    if !has_tool("cmake") || !has_tool("pkg-config") {
        return;
    }
    let library = Flavour::Checked.build();
    for libdir in ["lib", "lib/of/this/machine"] {
        let folder = fresh("relative");
        let prefix = |name| format!("-DCMAKE_INSTALL_PREFIX={}", text(&folder.join(name)));
        let definitions = [prefix("elsewhere"), format!("-DCMAKE_INSTALL_LIBDIR={libdir}")];
        assert!(build(&folder, &library, &definitions, &[]).status.success());
        // Not where it was configured for.
        let here = folder.join("here");
        install(&folder, &["--prefix", text(&here)], None);
        if libdir == "lib" {
            consume(&folder, &["score", "threads"], &[format!("-DCMAKE_PREFIX_PATH={}", text(&here))]);
            continue;
        }
        // Moved.
        let moved = folder.join("moved");
        std::fs::rename(&here, &moved).expect("the folder can be moved");
        check(&folder, &moved.join(libdir));
        // In a stage, as packagers do, then where it belongs.
        let stage = folder.join("stage");
        install(&folder, &[], Some(&stage));
        let elsewhere = folder.join("elsewhere");
        assert!(!elsewhere.exists(), "something was installed beside the stage");
        let staged = stage.join(elsewhere.strip_prefix("/").expect("the folder is absolute"));
        std::fs::rename(staged, &elsewhere).expect("the folder can be moved");
        check(&folder, &elsewhere.join(libdir));
    }
}

#[test]
fn what_lies_in_the_tree_is_built() {
    if !has_tool("cmake") {
        return;
    }
    let folder = fresh("subdirectory");
    let cargo = stand_in(&folder, &Flavour::Checked.build());
    let source = format!("-DAZNAS_SOURCE={}", text(&root().join("ffi")));
    consume(&folder, &["score", "threads"], &[source, format!("-DCARGO={}", text(&cargo))]);
}

#[test]
fn folders_can_be_absolute() {
    if !has_tool("cmake") || !has_tool("pkg-config") {
        return;
    }
    let library = Flavour::Checked.build();
    for absolute in [&["LIBDIR"][..], &["INCLUDEDIR"], &["LIBDIR", "INCLUDEDIR"]] {
        let folder = fresh("absolute");
        let prefix = folder.join("prefix");
        let mut definitions = vec![format!("-DCMAKE_INSTALL_PREFIX={}", text(&prefix))];
        definitions.push("-DCMAKE_INSTALL_LIBDIR=lib".to_owned());
        for name in absolute {
            definitions.push(format!("-DCMAKE_INSTALL_{name}={}", text(&folder.join("own").join(name))));
        }
        assert!(build(&folder, &library, &definitions, &[]).status.success());
        install(&folder, &[], None);
        let libdir = if absolute.contains(&"LIBDIR") { folder.join("own/LIBDIR") } else { prefix.join("lib") };
        check(&folder, &libdir);
    }
}

#[test]
fn what_reads_files_is_built_in_on_request() {
    if !has_tool("cmake") || !has_tool("pkg-config") {
        return;
    }
    let library = Flavour::Checked.build();
    for asked in [false, true] {
        let folder = fresh("onnx");
        let prefix = folder.join("prefix");
        let mut definitions = vec![format!("-DCMAKE_INSTALL_PREFIX={}", text(&prefix))];
        definitions.push("-DCMAKE_INSTALL_LIBDIR=lib".to_owned());
        definitions.extend(asked.then(|| "-DAZNAS_ONNX=ON".to_owned()));
        assert!(build(&folder, &library, &definitions, &[]).status.success());
        install(&folder, &[], None);
        assert_eq!(called(&folder).windows(2).any(|pair| pair == ["--features", "onnx"]), asked);
        let mut flags = Command::new("pkg-config");
        flags.args(["--cflags", "aznas"]).env("PKG_CONFIG_LIBDIR", prefix.join("lib/pkgconfig"));
        assert_eq!(run(&mut flags, "").contains("-DAZNAS_ONNX"), asked);
        let config = std::fs::read_to_string(prefix.join("lib/cmake/aznas/aznasConfig.cmake"));
        let config = config.expect("the file is installed");
        assert_eq!(config.matches("INTERFACE_COMPILE_DEFINITIONS \"AZNAS_ONNX\"").count(), if asked { 2 } else { 0 });
    }
}

#[test]
fn cargo_builds_for_the_machine_that_cmake_builds_for() {
    if !has_tool("cmake") {
        return;
    }
    let library = Flavour::Checked.build();
    let version = run(Command::new(env!("CARGO")).arg("-vV"), "");
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("cargo says what it runs on");
    let folder = fresh("host");
    // The user's own default does not count.
    assert!(build(&folder, &library, &[], &[("CARGO_BUILD_TARGET", "wasm32-unknown-unknown")]).status.success());
    assert_eq!(target_in(&called(&folder)), host);

    let folder = fresh("named");
    let definitions = ["-DAZNAS_TARGET=x86_64-unknown-linux-musl".to_owned()];
    assert!(build(&folder, &library, &definitions, &[]).status.success());
    assert_eq!(target_in(&called(&folder)), "x86_64-unknown-linux-musl");

    for (processor, machine, target) in [
        ("aarch64", "aarch64-linux-gnu", Some("aarch64-unknown-linux-gnu")),
        ("aarch64", "aarch64-unknown-linux-musl", Some("aarch64-unknown-linux-musl")),
        ("arm", "arm-linux-gnueabihf", Some("armv7-unknown-linux-gnueabihf")),
        ("arm", "arm-linux-gnueabi", Some("arm-unknown-linux-gnueabi")),
        ("i686", "i586-linux-gnu", Some("i686-unknown-linux-gnu")),
        ("riscv64", "riscv64-linux-gnu", Some("riscv64gc-unknown-linux-gnu")),
        ("ppc64le", "powerpc64le-linux-gnu", Some("powerpc64le-unknown-linux-gnu")),
        ("arm", "arm-none-eabi", None),
    ] {
        let folder = fresh("cross");
        let compiler = folder.join("compiler");
        write_script(&compiler, &format!(r#"[ "$1" = -dumpmachine ] && exec echo {machine}{}exec cc "$@""#, '\n'));
        let toolchain = folder.join("toolchain.cmake");
        let lines = format!(
            "set(CMAKE_SYSTEM_NAME Linux)\nset(CMAKE_SYSTEM_PROCESSOR {processor})\nset(CMAKE_C_COMPILER {})\n",
            text(&compiler)
        );
        std::fs::write(&toolchain, lines).expect("the folder can be written");
        let built = build(&folder, &library, &[format!("-DCMAKE_TOOLCHAIN_FILE={}", text(&toolchain))], &[]);
        let Some(target) = target else {
            assert!(!built.status.success() && String::from_utf8_lossy(&built.stderr).contains("AZNAS_TARGET"));
            continue;
        };
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let called = called(&folder);
        assert_eq!(target_in(&called), target);
        let variable = target.to_uppercase().replace('-', "_");
        assert!(called.contains(&format!("CARGO_TARGET_{variable}_LINKER={}", text(&compiler))), "{called:?}");
    }
}
