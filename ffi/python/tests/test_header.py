"""The module of the header: all of it, and what the library has."""

import re
from ctypes import byref, sizeof
from pathlib import Path

import pytest
from aznas import abi
from aznas.library import LIBRARY

#: Without what the library of the package has not.
HEADER = re.sub(r"^#if defined\(AZNAS_(?!ONNX)\w+\)\n.*?^#endif\n", "",
                (Path(__file__).resolve().parents[3] / "include" / "aznas.h").read_text(), flags=re.S | re.M)


def test_every_declaration_is_there() -> None:
    declared = set(re.findall(r"^(?:aznas_status|const char \*)\s*(aznas_\w+)\(", HEADER, re.M))
    assert declared == abi.FUNCTIONS.keys()
    for struct in re.findall(r"^typedef struct (\w+) \{", HEADER, re.M):
        assert hasattr(abi, struct), struct
    for line in re.findall(r"^    (AZNAS_\w+) = (-?\d+),$", HEADER, re.M):
        values = [member.value for name in vars(abi).values() if isinstance(name, type) and hasattr(name, "__members__")
                  for key, member in name.__members__.items() if line[0].endswith("_" + key)]
        assert int(line[1]) in values, line[0]
    assert set(re.findall(r"^(aznas_\w+)", "\n".join(dir(LIBRARY)), re.M)) <= abi.FUNCTIONS.keys()


@pytest.mark.parametrize("struct, init", [
    (abi.aznas_options, lambda value, size: LIBRARY.aznas_options_init(byref(value), size)),
    (abi.aznas_arch, lambda value, size: LIBRARY.aznas_arch_init(byref(value), size, abi.Space.NB201)),
])
def test_structs_have_the_size_that_the_library_knows(struct: type, init: object) -> None:
    assert init(struct(), sizeof(struct)) == abi.Status.OK  # type: ignore[operator]
    assert init(struct(), sizeof(struct) - 1) == abi.Status.STRUCT_SIZE  # type: ignore[operator]
