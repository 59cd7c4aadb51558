"""Turns the C header into a Python module: enums, structs, functions, and the options with what they mean.

Names, numbers, layouts and documentation thus stand in one place, the header. Defaults are asked of the library.
"""

import re
from dataclasses import dataclass
from textwrap import indent

COMMENT = r"/\*\*(?P<doc>(?:(?!\*/).)*)\*/\s*"
ENUM = re.compile(COMMENT + r"enum aznas_(?P<name>\w+)\n#if[^\n]*\n\s*: \w+\n#endif[^\n]*\n\s*\{(?P<body>.*?)\n\};", re.S)
STRUCT = re.compile(COMMENT + r"typedef struct (?P<name>aznas_\w+) \{(?P<body>.*?)\n\} (?P=name);", re.S)
FUNCTION = re.compile(r"^(?P<result>aznas_status|const char \*)\s*(?P<name>aznas_\w+)\((?P<body>[^;]*?)\);", re.M)
MEMBER = re.compile(COMMENT + r"(?P<name>AZNAS_\w+) = (?P<value>-?\d+),", re.S)
FIELD = re.compile(COMMENT + r"(?P<type>[\w\s*]*?)(?P<name>\w+)(?:\[(?P<length>\d+)\])?;", re.S)
CHOICE = re.compile(r"(?P<many>one|some) of `aznas_(?P<enum>\w+)`", re.I)

SCALARS = {
    "char": "c_char", "double": "c_double", "float": "c_float", "size_t": "c_size_t",
    "int32_t": "c_int32", "uint32_t": "c_uint32", "uint64_t": "c_uint64", "aznas_status": "c_int32",
}
# Functions of the caller, which Python has none of: it hands tensors in a table, and asks for no gradients.
CALLBACKS = {"aznas_lookup", "aznas_watch"}
# What describes a network or is set for the caller, and so is no option.
NO_OPTIONS = {"struct_size", "space", "text", "text_len", "nodes", "node_count", "node_size", "source", "reserved"}
NO_SCORES = {"struct_size", "blocks", "block_capacity", "block_size", "proxies"}
NO_SEARCH_SETTINGS = {"struct_size", "reserved", "texts", "text_lens", "history"}
NO_NODE_FIELDS = {"op", "flags", "inputs", "input_count", "reserved"}


@dataclass
class Field:
    """A field of a struct."""

    name: str
    type: str
    length: int
    doc: str

    @property
    def choice(self) -> tuple[str, bool] | None:
        """The enum that it takes a member of, and whether it takes several."""
        found = CHOICE.search(self.doc)
        return (camel(found["enum"]), found["many"].lower() == "some") if found else None

    @property
    def hint(self) -> str:
        """The Python type of its values."""
        number = "float" if self.type in {"double", "float"} else "int"
        return f"int | tuple[{', '.join([number] * self.length)}]" if self.length else number

    @property
    def option_hint(self) -> str:
        """The Python type of what may be given for it."""
        if self.choice is None:
            return self.hint
        enum, several = self.choice
        return f"{enum} | str | Iterable[str] | int" if several else f"{enum} | {enum}Name | int"


def camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def prefix_of(enum: str) -> str:
    """What the names of an enum's members start with: what they are of, which a mask of flags says with a word more."""
    return "AZNAS_" + enum.removesuffix("_flag").upper() + "_"


def text_of(comment: str, enums: list[str]) -> str:
    """A comment of the header in Python's terms."""
    text = "\n".join(re.sub(r"^\s*\* ?", "", line) for line in comment.strip().splitlines()).strip()
    text = text.lstrip("* ").replace("\\", "\\\\").replace('"""', "'''").replace("NULL", "None")
    for enum in sorted(enums, key=len, reverse=True):
        text = re.sub(rf"\b{prefix_of(enum)}(\w+)", rf"{camel(enum)}.\1", text)
        text = re.sub(rf"\baznas_{enum}\b", camel(enum), text)
    return text


def ctype(declared: str) -> str:
    """The ctypes type of a C type."""
    stars = declared.count("*")
    base = re.sub(r"\b(const|struct)\b|\*", "", declared).strip()
    if base in CALLBACKS:
        return "c_void_p"
    name = SCALARS.get(base, base)
    if stars and base in {"char", "void"}:
        name, stars = ("c_char_p" if base == "char" else "c_void_p"), stars - 1
    for _ in range(stars):
        name = f"POINTER({name})"
    return name


def fields_of(body: str, enums: list[str]) -> list[Field]:
    return [Field(f["name"], f["type"].strip(), int(f["length"] or 0), f["doc"]) for f in FIELD.finditer(body)]


def enum_class(name: str, doc: str, members: list[tuple[str, int, str]]) -> str:
    """An enum; of flags, if its members are bits."""
    bits = all(value > 0 and value & (value - 1) == 0 for _, value, _ in members)
    lines = [f"class {camel(name)}({'IntFlag' if bits else 'IntEnum'}):", indent(f'"""{doc}"""', "    "), ""]
    for member, value, meaning in members:
        lines += [f"    {member} = {value}", indent(f'"""{meaning}"""', "    ")]
    names = ", ".join(f'"{member.lower()}"' for member, _, _ in members)
    return "\n".join([*lines, "", "", f"{camel(name)}Name = Literal[{names}]"])


def struct_class(name: str, fields: list[Field]) -> str:
    lines = [f"class {name}(Structure):", "    _fields_ = ["]
    for field in fields:
        length = f" * {field.length}" if field.length else ""
        lines.append(f'        ("{field.name}", {ctype(field.type)}{length}),')
    return "\n".join([*lines, "    ]"])


def annotated(heading: str, doc: str, fields: list[tuple[str, str, str]]) -> str:
    """A class of annotations."""
    lines = [heading, f'    """{doc}"""', ""]
    for name, hint, meaning in fields:
        lines += [f"    {name}: {hint}", indent(f'"""{meaning}"""', "    ")]
    return "\n".join(lines)


def module(text: str) -> str:
    """The module of a header, with what the library of the package has: ONNX files, but nothing of bare metal."""
    text = re.sub(r"^#if defined\(AZNAS_(?!ONNX)\w+\)\n.*?^#endif\n", "", text, flags=re.S | re.M)
    enums = [found["name"] for found in ENUM.finditer(text)]
    parts = [
        '"""The C header in Python. Generated by `header.py`: do not edit."""\n\n'
        "from collections.abc import Iterable\n"
        "from ctypes import (\n    POINTER, Structure, c_char, c_char_p, c_double, c_float, c_int32, c_size_t, c_uint32,\n"
        "    c_uint64, c_void_p,\n)\n"
        "from enum import IntEnum, IntFlag\n"
        "from typing import Any, Literal, TypedDict"
    ]
    for found in ENUM.finditer(text):
        prefix = prefix_of(found["name"])
        members = [(m["name"].removeprefix(prefix), int(m["value"]), text_of(m["doc"], enums))
                   for m in MEMBER.finditer(found["body"])]
        parts.append(enum_class(found["name"], text_of(found["doc"], enums), members))

    structs = {found["name"]: fields_of(found["body"], enums) for found in STRUCT.finditer(text)}
    parts += [struct_class(name, fields) for name, fields in structs.items()]

    options = [(struct, field) for struct in ("aznas_options", "aznas_arch") for field in structs[struct]
               if field.name not in NO_OPTIONS]
    parts.append(annotated(
        "class Options(TypedDict, total=False):",
        "How a network is scored: the fields of aznas_options and those of aznas_arch that say what a text stands for.",
        [(field.name, field.option_hint + " | None", text_of(field.doc, enums)) for _, field in options]))
    parts.append(annotated(
        "class NodeFields(TypedDict, total=False):",
        "What the operation of a node is made with.",
        [(field.name, field.hint, text_of(field.doc, enums)) for field in structs["aznas_node"]
         if field.name not in NO_NODE_FIELDS]))
    parts.append(annotated(
        "class SearchSettings(TypedDict, total=False):",
        "What a search looks for, and how.",
        [(field.name, field.option_hint, text_of(field.doc, enums)) for field in structs["aznas_search"]
         if field.name not in NO_SEARCH_SETTINGS]))
    parts.append(annotated(
        "class ScoreFields:",
        "What is measured of a network.",
        [(field.name, field.hint, text_of(field.doc, enums).removeprefix("[out] ")) for field in structs["aznas_scores"]
         if field.name not in NO_SCORES]))

    parts.append("#: Of every option: the struct it is a field of, the enum of its values if any, and what it means.\n"
                 "OPTIONS: dict[str, tuple[type[Structure], type[IntEnum] | type[IntFlag] | None, str]] = {\n" + "\n".join(
                     f'    "{field.name}": ({struct}, {field.choice[0] if field.choice else None}, '
                     f'"""{text_of(field.doc, enums)}"""),' for struct, field in options) + "\n}")
    parts.append("#: Result and arguments of every function.\nFUNCTIONS: dict[str, tuple[Any, list[Any]]] = {\n" + "\n".join(
        f'    "{f["name"]}": ({ctype(f["result"])}, [{", ".join(arguments(f["body"]))}]),'
        for f in FUNCTION.finditer(text)) + "\n}")
    version = ".".join(re.search(rf"AZNAS_VERSION_{part} (\d+)", text)[1] for part in ("MAJOR", "MINOR", "PATCH"))
    parts.append(f'#: The version of the header.\nVERSION = "{version}"')
    return "\n\n\n".join(parts) + "\n"


def arguments(body: str) -> list[str]:
    declared = [] if body.strip() == "void" else re.split(r",\s*", body.strip())
    return [ctype(re.sub(r"\w+$", "", argument)) for argument in declared]
