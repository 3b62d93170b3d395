from pathlib import Path

import pytest

from sandbox.local import dotenv
from sandbox.local.terminal import Trouble


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("NAME=plain", "plain"),
        ("export NAME = spaced ", "spaced"),
        ("NAME=", ""),
        ("NAME=# only a comment", ""),
        ("NAME=value # a comment", "value"),
        ("NAME=pass#word", "pass#word"),
        ("NAME='single $HOME # kept'", "single $HOME # kept"),
        (r'NAME="two\nlines \"quoted\" \$5"', 'two\nlines "quoted" $5'),
        ('NAME="quoted" # a comment', "quoted"),
        ("NAME=postgresql://u:p=@h/db?a=b", "postgresql://u:p=@h/db?a=b"),
    ],
)
def test_a_line_gives_its_value(line: str, value: str) -> None:
    assert dotenv.parse(line) == {"NAME": value}


def test_blank_lines_and_comments_say_nothing_and_the_last_value_wins() -> None:
    assert dotenv.parse("\ufeff# first\n\nA=1\r\n  # more\nA=2\n") == {"A": "2"}


@pytest.mark.parametrize("text", ["A=1\nnonsense", "A=1\nB='open", 'A=1\nB="x" y'])
def test_a_bad_line_is_named_by_its_number(text: str) -> None:
    with pytest.raises(ValueError, match="line 2"):
        dotenv.parse(text)


def test_a_bad_file_is_a_trouble_that_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("what is this")
    with pytest.raises(Trouble, match=r"\.env cannot be read: line 1"):
        dotenv.load(file)


def test_a_missing_file_gives_nothing(tmp_path: Path) -> None:
    assert dotenv.load(tmp_path / ".env") == {}
