"""Limits of the house style that ruff cannot state: sizes, package docstrings, three hidden doors.

Run by `make check` as `python -m tools.check_sizes`. Prints every breach and exits 1 if there is
one. Reads the sources only; never imports them.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

MODULE_LINES = 600
FUNCTION_LINES = 60
INIT_LINES = 30
"""Limits of CONTRIBUTING.md, "Sizes"."""

TABLES = ("options.py", "table.py")
"""Modules that are one table of rows: the module limit does not hold for them."""

DOORS = ("src/paceline/pacer/__init__.py", "src/paceline/sdk/__init__.py")
"""Packages whose `__init__` re-exports names; all others hold a docstring only."""

FOLDERS = ("src", "tests", "tools")
ROOT = Path(__file__).resolve().parent.parent


def breaches(path: Path, text: str) -> Iterator[str]:
    """Every breach in one module, as `path:line: what is wrong`."""
    name = path.as_posix()
    length = text.count("\n")
    is_generated = "do not edit" in text.partition("\n")[0]
    if length > MODULE_LINES and path.name not in TABLES and not is_generated:
        yield f"{name}:1: {length} lines, the limit is {MODULE_LINES}: split it by idea"
    tree = ast.parse(text, filename=name)
    if path.name == "__init__.py" and name.startswith("src/") and name not in DOORS:
        yield from _init_breaches(name, length, tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield f"{name}:{node.lineno}: {node.name} has {lines} lines, limit {FUNCTION_LINES}"
        elif isinstance(node, ast.Call) and name.startswith("src/"):
            yield from _call_breaches(name, node)


def _init_breaches(name: str, length: int, tree: ast.Module) -> Iterator[str]:
    if length > INIT_LINES:
        yield f"{name}:1: {length} lines, the limit of a package's docstring is {INIT_LINES}"
    if len(tree.body) != 1 or ast.get_docstring(tree) is None:
        yield f"{name}:1: a package's __init__ holds its docstring and nothing else"


def _call_breaches(name: str, call: ast.Call) -> Iterator[str]:
    """Calls that only some rooms may make, in the forms that ruff's TID251 does not see."""
    match call.func:
        case ast.Name(id="__import__") if not name.startswith(
            ("src/paceline/assembly/", "src/paceline/cli/")
        ):
            yield f"{name}:{call.lineno}: only assembly and cli load a module by name"
        case ast.Attribute(attr="create_task") if not name.startswith("src/paceline/runtime/"):
            yield f"{name}:{call.lineno}: only paceline.runtime starts a task: use its TaskGroup"
    for keyword in call.keywords:
        if keyword.arg == "sync_to_thread" and not _is_false(keyword.value):
            yield f"{name}:{call.lineno}: threads are invisible to the virtual event loop"


def _is_false(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


def main() -> int:
    """Check every module of the repository; the exit status."""
    found: list[str] = []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            found.extend(breaches(path.relative_to(ROOT), path.read_text(encoding="utf-8")))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
