"""The signed document: sealed, time-stamped, valid for independent readers; and the public page that checks it."""

import hashlib
import io
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from sqlalchemy import select, update

from marketplace.config import Misconfigured, Settings
from marketplace.db.jobs import JobName, JobRow
from marketplace.db.unit_of_work import unit_of_work
from marketplace.licensing.contract import papers, verifying
from marketplace.licensing.contract.certificate import plain_code, spaced
from marketplace.licensing.models import CLAUSES, AgreementText
from marketplace.services import Services
from tests.features.licensing.conftest import Pair
from tests.features.licensing.contracts import SYSTEM, Contract, Jobs
from tests.features.licensing.test_licenses import text_of
from tests.kit.instance import Instance
from tests.kit.people import ApiClient, Make

STROKES = "M50 150L80 60L120 140L160 50L200 150L260 100.5L320 120L380 90L440 130"


@pytest.fixture
def signed(pair: Pair, services: Services, run_jobs: Jobs) -> Contract:
    """An agreement that both have signed, one by drawing, not yet sealed."""
    made = Contract(pair, services, run_jobs, kind="exclusive", sell_off_months=3, max_units=50)
    run_jobs()
    made.sign("designer")
    made.sign("buyer", drawn=STROKES)
    return made


def judged_by_cli(file: Path, roots: str) -> tuple[int, str]:
    """What pyHanko's own command line says of a file."""
    command = [str(Path(sys.executable).with_name("pyhanko")), "sign", "validate", "--trust", roots, "--trust-replace"]
    done = subprocess.run([*command, "--pretty-print", str(file)], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_sealed_document_holds_for_others_and_one_byte_breaks_it(
    signed: Contract,
    run_jobs: Jobs,
    instance: Instance,
    tmp_path: Path,
    anonymous: ApiClient,
    make: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run_jobs()
    seen = signed.ask("buyer")
    pdf = signed.pair.buyer.api.get(f"{signed.path}/document").data
    assert hashlib.sha256(pdf).hexdigest() == seen["signed_document_sha256"]
    file, roots = tmp_path / "signed.pdf", instance.settings.seal_roots_file
    file.write_bytes(pdf)
    status, words = judged_by_cli(file, roots)
    assert status == 0, words
    for expected in ("The signature is judged VALID", "The token is guaranteed to be newer", "covers the entire file"):
        assert expected in words, words
    if shutil.which("pdfsig"):
        other = subprocess.run(["pdfsig", "-nocert", str(file)], capture_output=True, text=True, check=False).stdout
        assert "Signature is Valid" in other
    broken = bytearray(pdf)
    broken[len(pdf) // 3] ^= 1
    file.write_bytes(broken)
    assert judged_by_cli(file, roots)[0] != 0
    seals = signed.services.seals
    assert seals.read(pdf).holds
    assert not seals.read(bytes(broken)).holds
    assert not seals.read(pdf + b"\n% added").holds
    assert not seals.read(b"%PDF-1.7 nothing").holds

    certificate = text_of(pdf)
    code = spaced(seen["verify_code"])
    for expected in (
        "Certificate of signing",
        code,
        f"/verify/{seen['verify_code']}",
        "127.0.0.1",
        "In short",
        "简言之",
    ):
        assert expected in certificate, expected
    for event in signed.ask("buyer", "/log")["items"][:4]:
        assert event["hash"] in certificate

    visitor = make.visitor()
    by_code = visitor.get(f"/verify/{code}").get_data(as_text=True)
    by_file = visitor.post("/verify", {"file": (io.BytesIO(pdf), "signed.pdf")}).get_data(as_text=True)
    forged = visitor.post("/verify", {"file": (io.BytesIO(bytes(broken)), "signed.pdf")}).get_data(as_text=True)
    assert "This document is genuine" in by_file
    assert "This document is genuine" not in by_code, "a code says nothing of a file"
    assert seen["signed_document_sha256"][:32] in by_code
    for page in (by_code, by_file):
        assert signed.id in page
        for secret in (signed.pair.buyer.org.name, signed.pair.designer.org.name, "Onda", "Maya", "陈丽"):
            assert secret not in page
    assert "This is not a document of ours" in forged
    form = {"code": code, "file": (io.BytesIO(bytes(broken)), "signed.pdf")}
    assert "This file is not the document with this code" in visitor.post("/verify", form).get_data(as_text=True)
    both = {"code": code, "sha256": seen["signed_document_sha256"]}
    altered = anonymous.post("/verify", {**both, "sha256": hashlib.sha256(broken).hexdigest()}).get_json()
    assert (altered["found"], altered["other_file"], altered["number"]) == (False, True, None)
    genuine = anonymous.post("/verify", both).get_json()
    assert (genuine["found"], genuine["by_file"], genuine["sealed_copy"]) == (True, True, True)
    assert anonymous.post("/verify", {**both, "code": "0" * 20}).get_json()["other_file"] is False
    unread = anonymous.post("/verify", {"code": code}).get_json()
    assert (unread["by_file"], unread["sealed_sha256"]) == (False, seen["signed_document_sha256"])
    draft = anonymous.post("/verify", {"sha256": seen["document_sha256"]}).get_json()
    assert (draft["found"], draft["sealed_copy"]) == (True, False)
    whole = anonymous.post("/verify", {"sha256": seen["signed_document_sha256"]}).get_json()
    assert (whole["sealed_copy"], whole["signers"], whole["in_force"]) == (True, 2, True)
    assert anonymous.post("/verify", {"sha256": "0" * 64}).get_json()["found"] is False
    assert anonymous.post("/verify", {}).get_json()["found"] is False
    assert plain_code(f" {code.lower()} ") == seen["verify_code"]
    monkeypatch.setattr(verifying, "RATE", "3 per minute")
    assert {anonymous.post("/verify", {"code": "0" * 20}).status_code for _ in range(4)} == {200, 429}


def test_a_lost_worker_and_a_silent_authority_leave_one_sealed_copy(
    signed: Contract, services: Services, instance: Instance, run_jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests.post(f"{instance.settings.tsa_url}/_sandbox/fail", json={"next": 1, "status": 503}, timeout=60)
    assert "again" in run_jobs().values(), "without a time-stamp it is tried again"
    assert signed.ask("buyer")["signed_document_sha256"] is None
    assert signed.state() == "active", "the agreement stands, sealed or not"

    def due_now() -> None:
        with unit_of_work(services.engine, SYSTEM) as session:
            made = JobRow.name == JobName.MAKE_LICENSE_DOCUMENT
            session.execute(update(JobRow).where(made).values(state="queued", run_after=JobRow.created_at))

    real, tries = papers.attach_signed, []

    def die_once(*args: object, **more: object) -> None:
        tries.append(more["sha256"])
        if len(tries) == 1:
            raise RuntimeError("the worker was lost after it had stored the file")
        real(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(papers, "attach_signed", die_once)
    due_now()
    run_jobs()
    due_now()
    run_jobs()
    due_now()
    run_jobs()
    assert len(tries) == 2
    assert signed.ask("buyer")["signed_document_sha256"] == tries[1]
    assert signed.kinds().count("sealed") == 1


def test_the_signed_document_says_what_was_drawn_up_whatever_changes_meanwhile(
    signed: Contract, services: Services, run_jobs: Jobs
) -> None:
    with unit_of_work(services.engine, SYSTEM) as session:
        kept = session.scalars(select(AgreementText)).one()
        assert (kept.id, kept.clause_version) == (signed.id, CLAUSES)
        named = signed.pair.buyer.org.name
        session.execute(update(type(signed.pair.buyer.org)).values(name="Renamed Since"))
    run_jobs()
    words = text_of(signed.pair.designer.api.get(f"{signed.path}/document").data)
    assert named in words
    assert "Renamed Since" not in words


def test_production_takes_no_sandbox_key_and_no_stand_in_for_the_authority(instance: Instance) -> None:
    env = {**instance.env, "ENVIRONMENT": "production"}
    with pytest.raises(Misconfigured) as refused:
        Settings.from_env(env)
    assert "sandbox certificate" in str(refused.value)
    assert "TSA_URL points to a stand-in" in str(refused.value)
    with pytest.raises(Misconfigured, match="SEAL_KEY_FILE names no file"):
        Settings.from_env({**env, "SEAL_KEY_FILE": ""})
