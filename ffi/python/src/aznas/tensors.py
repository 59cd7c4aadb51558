"""Arrays of the caller in place of random numbers."""

from collections.abc import Mapping
from ctypes import POINTER, c_float, cast, sizeof
from typing import Any

import numpy as np
import numpy.typing as npt

from . import abi
from .error import invalid
from .options import assign, member

#: Arrays by role, block and key, such as `("weight", 2, 1)`.
Tensors = Mapping[tuple[abi.Role | abi.RoleName, int, int], npt.NDArray[np.float32]]

_NAMES = {role.value: role.name.lower() for role in abi.Role}
#: How many axes an array of a role has; those that are missing are vectors.
_AXES: dict[int, tuple[int, ...]] = {
    abi.Role.WEIGHT: (2, 4),
    abi.Role.INPUT: (4,),
    abi.Role.DIRECTION: (4,),
    abi.Role.POSITION: (2,),
    abi.Role.KEY_ROW: (2,),
    abi.Role.KEY_COLUMN: (2,),
    abi.Role.VALUE_ROW: (2,),
    abi.Role.VALUE_COLUMN: (2,),
}


def source(tensors: Tensors) -> tuple[abi.aznas_source, list[npt.NDArray[np.float32]]]:
    """The table of the arrays, and they themselves, which must live as long. They are read where they are."""
    table = (abi.aznas_tensor * len(tensors))()
    # By block and, in a block, by role and key: what the library searches fast.
    entries = sorted(((block, member("role", role, abi.Role), key, array)
                      for (role, block, key), array in tensors.items()), key=lambda entry: entry[:3])
    for row, (block, role, key, array) in zip(table, entries):
        name = f"tensors[{_NAMES.get(role, role)}, {block}, {key}]"
        _check(name, role, array)
        for field, value in (("role", role), ("block", block), ("key", key)):
            assign(row, field, value)
        row.data = cast(array.ctypes.data, POINTER(c_float))
        row.len = array.size
    found = abi.aznas_source(struct_size=sizeof(abi.aznas_source), tensors=table, tensor_count=len(table),
                             tensor_size=sizeof(abi.aznas_tensor))
    return found, [array for *_, array in entries]


def _check(name: str, role: int, array: Any) -> None:
    """Refuses arrays that would be read as other numbers than they hold."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} must be a numpy array of float32, not {type(array).__name__}")
    if array.dtype != np.float32:
        raise TypeError(f"{name} must be an array of float32, not of {array.dtype}: use array.astype(numpy.float32)")
    axes = _AXES.get(role, (1,))
    if array.ndim not in axes:
        raise invalid(name, f"of {' or '.join(map(str, axes))} axes, not of shape {array.shape}")
    if not array.flags.c_contiguous:
        raise invalid(name, "in C order, the last axis fastest: use numpy.ascontiguousarray(array)")
