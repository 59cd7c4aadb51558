"""Builds the C library with cargo, writes the module of its header, and packs both into a wheel."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

sys.path.insert(0, str(Path(__file__).parent))
import header  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


def shared_library() -> Path:
    """Builds the C library, or finds that nothing is to be done."""
    command = [os.environ.get("CARGO", "cargo"), "build", "--release", "--package", "aznas-ffi", "--features", "onnx"]
    command.append("--message-format=json-render-diagnostics")
    try:
        built = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True)
    except FileNotFoundError:
        sys.exit("aznas is built with cargo, which is not there: install Rust, https://rustup.rs")
    except subprocess.CalledProcessError:
        sys.exit("cargo could not build the library; what it says stands above")
    messages = [json.loads(line) for line in built.stdout.splitlines()]
    files = [Path(file) for message in messages for file in message.get("filenames", [])
             if message.get("target", {}).get("name") == "aznas" and "cdylib" in message["target"]["kind"]]
    return next(file for file in files if file.suffix in {".so", ".dylib", ".dll"})


class BuildPackage(build_py):
    """The package's own modules, the module of the header, and the library."""

    def run(self) -> None:
        super().run()
        folder = Path(self.build_lib) / "aznas"
        if self.editable_mode:
            folder = Path(self.get_package_dir("aznas"))
        library = shared_library()
        shutil.copyfile(library, folder / f"libaznas{library.suffix}")
        (folder / "abi.py").write_text(header.module((ROOT / "include" / "aznas.h").read_text()))


class BuildWheel(bdist_wheel):
    """A wheel for every Python of this platform: the library knows nothing of Python."""

    def get_tag(self) -> tuple[str, str, str]:
        return ("py3", "none", super().get_tag()[2])


class Platform(Distribution):
    """A distribution with a library in it."""

    def has_ext_modules(self) -> bool:
        return True


setup(
    version=tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"],
    cmdclass={"build_py": BuildPackage, "bdist_wheel": BuildWheel},
    distclass=Platform,
)
