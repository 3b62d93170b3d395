"""Templates call the parts by names and arguments that exist: a wrong one would only show on the page that has it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from jinja2 import nodes

from frontend.build import ROOT

TEMPLATES = ROOT / "templates"


@dataclass(frozen=True)
class Macro:
    """What a macro takes: names in order, how many of them must be given, whether it takes further keywords."""

    names: tuple[str, ...]
    required: int
    open_ended: bool


def _macros(tree: nodes.Template) -> dict[str, Macro]:
    found = {}
    for macro in tree.find_all(nodes.Macro):
        reads = {name.name for name in macro.find_all(nodes.Name)}
        names = tuple(argument.name for argument in macro.args)
        found[macro.name] = Macro(names, len(names) - len(macro.defaults), "kwargs" in reads)
    return found


def _faults(tree: nodes.Template, known: dict[str, dict[str, Macro]]) -> Iterator[str]:
    imported: dict[str, Macro] = {}
    for statement in tree.find_all(nodes.FromImport):
        source = statement.template.value if isinstance(statement.template, nodes.Const) else ""
        for entry in statement.names:
            name, alias = entry if isinstance(entry, tuple) else (entry, entry)
            if name in known.get(source, {}):
                imported[alias] = known[source][name]
            else:
                yield f"line {statement.lineno}: {source} has no {name}"
    for call in tree.find_all(nodes.Call):
        macro = imported.get(call.node.name) if isinstance(call.node, nodes.Name) else None
        if macro is None or call.dyn_args or call.dyn_kwargs:
            continue
        where = f"line {call.lineno}: {call.node.name}"  # type: ignore[attr-defined]
        keywords = [keyword.key for keyword in call.kwargs]
        if len(call.args) > len(macro.names):
            yield f"{where} takes {len(macro.names)} arguments"
        if not macro.open_ended:
            yield from (f"{where} has no argument {key}" for key in keywords if key not in macro.names)
        missing = [n for n in macro.names[len(call.args) : macro.required] if n not in keywords]
        if missing:
            yield f"{where} needs {', '.join(missing)}"


def _trees(parts: Flask) -> dict[str, nodes.Template]:
    pages: list[Path] = sorted(TEMPLATES.rglob("*.html"))
    return {str(p.relative_to(TEMPLATES)): parts.jinja_env.parse(p.read_text(encoding="utf-8")) for p in pages}


def test_every_call_of_a_part_names_one_that_exists_with_arguments_it_takes(parts: Flask) -> None:
    trees = _trees(parts)
    known = {name: _macros(tree) for name, tree in trees.items()}
    assert {"field", "submit"} <= set(known["_parts/forms.html"])
    faults = [f"{name}: {fault}" for name, tree in trees.items() for fault in _faults(tree, known)]
    assert not faults


def test_wrong_calls_are_found(parts: Flask) -> None:
    known = {
        "_parts/forms.html": _macros(parts.jinja_env.parse("{% macro field(name, label, hint='') %}{% endmacro %}"))
    }
    page = parts.jinja_env.parse(
        '{% from "_parts/forms.html" import field, feild %}{{ field("a") }}{{ field("a", "b", hnit="c") }}'
    )
    assert len(list(_faults(page, known))) == 3


def test_every_layout_and_include_exists(parts: Flask) -> None:
    trees = _trees(parts)
    kinds: tuple[type[Any], ...] = (nodes.Extends, nodes.Include, nodes.FromImport, nodes.Import)
    templates = [(name, node.template) for name, tree in trees.items() for k in kinds for node in tree.find_all(k)]
    named = [(name, template.value) for name, template in templates if isinstance(template, nodes.Const)]
    assert named
    assert not [(name, wanted) for name, wanted in named if wanted not in trees]
