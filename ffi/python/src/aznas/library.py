"""The C library: found beside this file, declared as its header says, and asked for what it alone knows."""

import sys
from collections.abc import Iterator
from ctypes import CDLL, byref, c_uint32, sizeof
from pathlib import Path

from . import abi
from .error import Error

_SUFFIX = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")


def _load() -> CDLL:
    # A CDLL gives up the interpreter's lock while a function runs.
    library = CDLL(str(Path(__file__).with_name(f"libaznas{_SUFFIX}")))
    for name, (result, arguments) in abi.FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    version = library.aznas_version().decode()
    if version != abi.VERSION:
        raise ImportError(f"the library is version {version}, and the package is made for {abi.VERSION}")
    return library


LIBRARY = _load()


def error_struct() -> abi.aznas_error:
    """What a function reports a refusal through."""
    return abi.aznas_error(struct_size=sizeof(abi.aznas_error))


def require(status: int, error: abi.aznas_error | None = None) -> None:
    """Raises what the library refuses."""
    if status != abi.Status.OK:
        raise failure(status, error)


def failure(status: int, error: abi.aznas_error | None = None) -> Error:
    """The exception of a refusal."""
    what = LIBRARY.aznas_status_str(status).decode()
    if error is None:
        return Error(what, _status(status))
    return Error(what, _status(status), error.field.decode(), error.expected.decode(), error.column, error.block,
                 error.node, error.needed, error.given)


def _status(number: int) -> abi.Status:
    try:
        return abi.Status(number)
    except ValueError:
        return abi.Status.OTHER


def _proxy_names() -> Iterator[str]:
    number = 0
    while (name := LIBRARY.aznas_proxy_name(number)) is not None:
        yield name.decode().replace("-", "_")
        number += 1


#: The names of all proxies, each at its number, as identifiers: `grad_norm` is `grad-norm` elsewhere.
PROXY_NAMES = tuple(_proxy_names())


def proxy_bits(text: str) -> int:
    """A set of proxies: `paper`, `extended`, `general`, `all`, or names between commas."""
    bits, error, raw = c_uint32(), error_struct(), text.replace("_", "-").encode()
    require(LIBRARY.aznas_proxy_parse(raw, len(raw), byref(bits), byref(error)), error)
    return bits.value


def proxy_names(bits: int) -> list[str]:
    """The names in a set of proxies, in the order of their numbers."""
    return [name for number, name in enumerate(PROXY_NAMES) if bits >> number & 1]


def backend_name(backend: int = abi.Backend.BEST) -> str:
    """The name of an instruction set; of the best one, that of the one it stands for on this processor."""
    name: bytes = LIBRARY.aznas_backend_name(backend)
    return name.decode()
