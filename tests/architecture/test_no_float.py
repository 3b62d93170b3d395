"""No binary fraction comes near money (PAY-20): the modules that count it hold no float and no true division."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2] / "marketplace"
_COUNTED = ("payments/**/*.py", "royalties/**/*.py", "invoices/**/*.py", "kernel/money.py", "orders/pricing.py")


def _floats(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            yield node.lineno, repr(node.value)
        elif isinstance(node, ast.Name) and node.id in {"float", "round"}:
            yield node.lineno, node.id
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            names = {found.id for found in ast.walk(node) if isinstance(found, ast.Name)}
            if "Decimal" not in names:
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            modules = {getattr(node, "module", None) or "", *(alias.name for alias in node.names)}
            if modules & {"math", "statistics", "numpy"}:
                yield node.lineno, ast.unparse(node)


def test_modules_that_count_money_know_no_float() -> None:
    paths = sorted(path for pattern in _COUNTED for path in ROOT.glob(pattern))
    assert len(paths) > 8
    found = [f"{p.relative_to(ROOT)}:{n}: {what}" for p in paths for n, what in _floats(ast.parse(p.read_text()))]
    assert found == []


def test_the_rule_itself_sees_each_kind() -> None:
    bad = (
        "import math\na = 1.5\nb = float(2)\nc = 3 / 2\nd = round(2)\nfrom decimal import Decimal\ne = Decimal(1) / 3\n"
    )
    assert [line for line, _what in sorted(_floats(ast.parse(bad)))] == [1, 2, 3, 4, 5]
