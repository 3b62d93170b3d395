"""Rules of the source that a reader relies on."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("marketplace", "ai_pipeline", "workers", "sandbox", "demo", "frontend")


def modules(*packages: str) -> Iterator[Path]:
    for package in packages:
        yield from (p for p in (ROOT / package).rglob("*.py") if "node_modules" not in p.parts)


def test_nothing_but_the_unit_of_work_commits() -> None:
    found = [
        str(path.relative_to(ROOT))
        for path in modules("marketplace", "workers", "ai_pipeline", "demo")
        if re.search(r"\.commit\(", path.read_text())
    ]
    allowed = {"marketplace/db/unit_of_work.py", "marketplace/db/migrate.py", "marketplace/web/dispatch.py"}
    assert set(found) <= allowed
    assert "marketplace/db/unit_of_work.py" in found


def test_no_import_of_our_own_code_inside_a_function() -> None:
    hidden = []
    for path in modules(*OURS):
        tree = ast.parse(path.read_text())
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for node in ast.walk(function):
                if not isinstance(node, ast.Import | ast.ImportFrom):
                    continue
                aliases = [alias.name for alias in node.names]
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else aliases
                hidden += [f"{path.relative_to(ROOT)}:{node.lineno}" for n in names if n.split(".")[0] in OURS]
    assert hidden == []


def test_no_module_is_longer_than_four_hundred_lines() -> None:
    long = {str(p.relative_to(ROOT)): n for p in modules(*OURS) if (n := len(p.read_text().splitlines())) > 400}
    assert {k: v for k, v in long.items() if "/migrations/" not in k} == {}


def test_no_drawer_modules() -> None:
    drawers = {"util.py", "utils.py", "helpers.py", "common.py", "misc.py"}
    assert [p for p in modules(*OURS) if p.name in drawers] == []


def test_every_public_module_says_what_it_is_for() -> None:
    silent = [str(p.relative_to(ROOT)) for p in modules(*OURS) if ast.get_docstring(ast.parse(p.read_text())) is None]
    assert silent == []


def test_only_settings_know_the_brand() -> None:
    hard_coded = []
    for path in [*modules("marketplace", "workers", "ai_pipeline"), *(ROOT / "templates").rglob("*.*")]:
        text = path.read_text()
        if path.suffix == ".py":
            docs = {
                ast.get_docstring(node, clean=False) or ""
                for node in ast.walk(ast.parse(text))
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            }
            for doc in docs:
                text = text.replace(doc, "") if doc else text
        if re.search(r"\bTouchstone\b(?!-Organization)", text):
            hard_coded.append(str(path.relative_to(ROOT)))
    assert hard_coded == ["marketplace/config.py"]


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this checkout is not a git repository")
    return listed.stdout.split()


def test_lock_files_name_no_host() -> None:
    locks = [name for name in tracked() if name.endswith((".lock", "package-lock.json"))]
    assert locks
    for name in locks:
        lines = (ROOT / name).read_text().splitlines()
        hosts = [line for line in lines if re.search(r'"resolved"|https?://[^"]+\.(whl|tgz|tar\.gz|zip)', line)]
        assert hosts == [], name


def test_no_generated_or_third_party_file_is_tracked() -> None:
    bad = [
        name
        for name in tracked()
        if name.startswith(("marketplace/static/built/", "node_modules/", "build/"))
        or name.endswith((".mo", ".woff2", ".min.js", ".ttf"))
    ]
    assert bad == []


def test_templates_hold_no_inline_style_or_script() -> None:
    bad = []
    for path in (ROOT / "templates").rglob("*.html"):
        if "email" in path.parts:
            continue
        text = path.read_text()
        if re.search(r"\sstyle=|<style|\son\w+=\"|javascript:", text):
            bad.append(str(path.relative_to(ROOT)))
    assert bad == []
