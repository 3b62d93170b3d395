import re
from pathlib import Path

import pytest

from sandbox.local.environment import CHECKOUT, SETTINGS, find_instance, settings
from sandbox.local.terminal import Trouble


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=8100\nBRAND_NAME=Assay\n")
    instance = find_instance({"PORT": "8200"}, tmp_path)
    assert (instance.port, instance.given["BRAND_NAME"]) == (8200, "Assay")


def test_local_files_lie_in_the_checkout_unless_moved(tmp_path: Path) -> None:
    assert find_instance({}, tmp_path).directory == tmp_path / ".local"
    assert find_instance({"LOCAL_DIR": str(tmp_path / "else where")}, tmp_path).directory == tmp_path / "else where"


@pytest.mark.parametrize("port", ["web", "0", "65536", "-1", "８０００"])
def test_a_port_that_is_none_is_refused(port: str, tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="not a port"):
        find_instance({"PORT": port}, tmp_path)


def test_a_moved_port_moves_the_address(tmp_path: Path) -> None:
    values = settings(find_instance({"PORT": "8123"}, tmp_path), {}, "key")
    assert (values["PORT"], values["BASE_URL"]) == ("8123", "http://localhost:8123")


def test_what_a_person_sets_wins_over_defaults_but_not_over_services_started_here(tmp_path: Path) -> None:
    given = {"LOG_LEVEL": "DEBUG", "STRIPE_WEBHOOK_SECRET": "theirs", "SECRET_KEY": "their own", "HOME": "/x"}
    values = settings(find_instance(given, tmp_path), {"STRIPE_WEBHOOK_SECRET": "ours"}, "made up")
    assert values["LOG_LEVEL"] == "DEBUG"
    assert values["STRIPE_WEBHOOK_SECRET"] == "ours"
    assert values["SECRET_KEY"] == "their own"
    assert "HOME" not in values


def test_the_example_documents_every_setting_with_one_comment_each() -> None:
    lines = (CHECKOUT / ".env.example").read_text().splitlines()
    documented = {
        match[1]: lines[number - 1]
        for number, line in enumerate(lines)
        if (match := re.fullmatch(r"#?([A-Z0-9_]+)=.*", line))
    }
    assert set(documented) == set(SETTINGS)
    assert [name for name, above in documented.items() if not above.startswith("# ")] == []


def test_the_application_reads_no_setting_that_is_not_known_here() -> None:
    source = (CHECKOUT / "marketplace" / "config.py").read_text()
    read = set(re.findall(r"""(?:e\.get\(|_required\(e, )"([A-Z0-9_]+)\"""", source))
    assert read
    assert read <= set(SETTINGS)
