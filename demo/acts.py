"""What people do, each act one or a few API calls; used by the player, the seeding of the demo world, and tests."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from demo.transport import PATIENCE_S, Browser, Caller, DemoFailed, Transport, own_path

#: The stages a piece with a stone goes through, in their order.
STAGES = ("cad_review", "wax", "casting", "finishing", "setting", "polishing", "quality_control", "packing")

TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".heic": "image/heic",
    ".avif": "image/avif",
    ".tif": "image/tiff",
    ".stl": "model/stl",
    ".glb": "model/gltf-binary",
    ".obj": "model/obj",
    ".ply": "application/octet-stream",
    ".3mf": "model/3mf",
    ".step": "model/step",
    ".3dm": "application/octet-stream",
}


@dataclass(frozen=True)
class Sandbox:
    """Addresses of the stand-ins' control pages."""

    stripe: str
    mail: str

    def pay(self, page_url: str) -> None:
        """Pay on a checkout page with a good test card."""
        session_id = next((part for part in page_url.replace("?", "/").split("/") if part.startswith("cs_")), "")
        self._post(f"/_sandbox/checkout/{session_id}/pay")

    def onboard(self, page_url: str) -> None:
        """Fill in the payee's onboarding page and finish it."""
        answer = requests.post(page_url, data={"step": "finish", "terms": "on"}, allow_redirects=False, timeout=60)
        if answer.status_code != 303:
            raise DemoFailed(f"the onboarding page answered {answer.status_code}: {answer.text[:300]}")

    def mails(self, to: str) -> list[dict[str, Any]]:
        """Mails to one address, newest last."""
        answer = requests.get(self.mail + "/_sandbox/mails", params={"to": to}, timeout=60)
        return sorted(answer.json()["mails"], key=lambda m: str(m["received_at"]))

    def all_mails(self) -> list[dict[str, Any]]:
        """Every mail."""
        found: list[dict[str, Any]] = requests.get(self.mail + "/_sandbox/mails", timeout=60).json()["mails"]
        return found

    def _post(self, path: str) -> None:
        answer = requests.post(self.stripe + path, timeout=60)
        if not answer.ok:
            raise DemoFailed(f"the payments sandbox answered {answer.status_code} to {path}: {answer.text[:300]}")


def sign_in(transport: Transport, name: str, email: str, password: str) -> Caller:
    """A token for a person."""
    caller = Caller(transport, name)
    caller.token = caller.post("/tokens", {"email": email, "password": password}, expect=201)["token"]
    caller.password = password
    return caller


def join(
    transport: Transport,
    sandbox: Sandbox,
    *,
    role: str,
    name: str,
    email: str,
    password: str,
    business: str,
    country: str,
) -> None:
    """Sign up through the page and confirm the address by the link in the mail."""
    browser = Browser(transport.visitor())
    form = {
        "role": role,
        "name": name,
        "email": email,
        "password": password,
        "business_name": business,
        "address": "12 Hatton Garden, second floor",
        "country": country,
        "adult": "true",
        "terms": "true",
    }
    browser.submit("/join", "/join", form)
    end = time.monotonic() + PATIENCE_S
    while not (links := [url for mail in sandbox.mails(email) for url in mail["links"] if "/confirm/" in url]):
        if time.monotonic() > end:
            raise DemoFailed(f"no confirmation mail reached {email}")
        transport.settle()
    path = own_path(links[-1])
    browser.submit(path, path, {})


def approve(transport: Transport, email: str, password: str, names: Sequence[str]) -> None:
    """The operator lets businesses in, on the page."""
    browser = Browser(transport.visitor())
    browser.submit("/sign-in", "/sign-in", {"email": email, "password": password})
    for name in names:
        page = browser.get("/desk/vetting").text
        before = page.partition(f"<bdi>{name}</bdi>")[0]
        path = "/desk/vetting/" + before.rpartition("/desk/vetting/")[2].partition('"')[0]
        browser.submit(path, path, {"action": "approve", "reason": ""})


def upload(caller: Caller, path: str, file: Path, kind: str) -> str:
    """Send a file straight to the object store and say so; returns the asset's id."""
    data, content_type = file.read_bytes(), TYPES.get(file.suffix.lower(), "application/octet-stream")
    asked = {
        "filename": file.name,
        "content_type": content_type,
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "kind": kind,
    }
    made = caller.post(path, asked, expect=(200, 201))
    target = made["upload"]
    asset = made["asset"]["id"] if isinstance(made["asset"], dict) else made["asset"]
    if target is None:
        return str(asset)
    sent = requests.post(
        target["url"], data=target["fields"], files={"file": (file.name, data, content_type)}, timeout=120
    )
    if not sent.ok:
        raise DemoFailed(f"the object store answered {sent.status_code} to {file.name}: {sent.text[:300]}")
    caller.post(f"/assets/{asset}/complete", expect=202)
    return str(asset)


def wait_for_files(caller: Caller, assets: Sequence[str]) -> list[Any]:
    """The assets once each is ready; raises DemoFailed when one was refused."""
    found = []
    for asset in assets:
        seen = caller.until(
            f"/assets/{asset}", lambda a: a["status"] in {"ready", "rejected"}, f"{asset} being processed", 300
        )
        if seen["status"] == "rejected":
            raise DemoFailed(f"{seen['filename']} was refused: {seen['reason']}")
        found.append(seen)
    return found


def create_content(caller: Caller, design: str) -> None:
    """Draft story and lookbook, then approve both."""
    jobs = caller.post(f"/designs/{design}/content", {"kinds": ["story", "lookbook"]}, expect=202)["jobs"]
    for job in jobs:
        seen = caller.until(f"/jobs/{job['id']}", lambda j: j["state"] in {"done", "failed"}, "drafting")
        if seen["state"] == "failed":
            raise DemoFailed(f"drafting failed: {seen['error']}")
    caller.post(f"/designs/{design}/story/approve")
    for asset in {page["asset"] for page in caller.get(f"/designs/{design}")["lookbook"]}:
        caller.post(f"/designs/{design}/lookbook/{asset}/approve")


def sign_license(caller: Caller, license_id: str) -> Any:
    """Sign with the account's own name, once the document is there; the designer signs first."""
    caller.until(f"/licenses/{license_id}", lambda seen: seen["state"] != "drafting", "the license document")
    signed = {"typed_name": caller.get("/me")["name"], "agree": True}
    answer = caller.post(f"/licenses/{license_id}/sign", signed, expect=(200, 201, 403))
    if answer.get("code") != "step_up_required":
        return answer
    # The token is old by now: the password shows that it is still the same person.
    return caller.post(f"/licenses/{license_id}/sign", {**signed, "password": caller.password}, expect=(200, 201))


def pay_license(caller: Caller, sandbox: Sandbox, license_id: str) -> None:
    """Pay and wait until the webhook has made the license active."""
    sandbox.pay(caller.post(f"/licenses/{license_id}/checkout")["url"])
    caller.until(f"/licenses/{license_id}", lambda seen: seen["state"] == "active", "the license becoming active")


def sign_nda(caller: Caller, order: str, lang: str = "en") -> Any:
    """Read the NDA and sign exactly what was read."""
    text = caller.get(f"/orders/{order}/nda?lang={lang}")
    name = caller.get("/me")["name"]
    body = {"typed_name": name, "agree": True, "sha256": text["sha256"]}
    return caller.post(f"/orders/{order}/nda/sign", body, expect=(200, 201))


def make_stages(
    caller: Caller, order: str, photo: Path, *, upto: int = len(STAGES), note: str = "按计划完成。"
) -> None:
    """Record the first `upto` stages; quality control with a photo."""
    for stage in STAGES[:upto]:
        evidence = []
        if stage == "quality_control":
            evidence = [upload(caller, f"/orders/{order}/assets", photo, "evidence")]
            wait_for_files(caller, evidence)
        body = {"stage": stage, "note": note, "evidence": evidence}
        caller.post(f"/orders/{order}/stages", body, expect=(200, 201))


def set_up_payouts(payee: Caller, sandbox: Sandbox, holder: str, password: str) -> None:
    """Be paid the way the payee's country calls for: the payment service, or a bank account of no real bank."""
    bank = payee.get("/payouts/bank")
    if bank["rail"] == "stripe":
        sandbox.onboard(payee.post("/payouts/onboarding")["url"])
        return
    account = {"holder": holder, "number": "000123456789", "bic": f"DEMO{bank['country']}22"}
    payee.put("/payouts/bank", {**account, "password": password})


def cad_link(maker: Caller, order: str, asset: str) -> str:
    """The address of one download of the workshop's own copy, once that is made."""
    ask = {"asset": asset}
    first = maker.post(f"/orders/{order}/cad-links", ask, expect=(201, 202))
    made = first["cad_copy"]["id"]
    maker.until(
        f"/orders/{order}/cad-copies",
        lambda found: any(c["id"] == made and c["state"] == "ready" for c in found["items"]),
        "the copy being made",
    )
    return str(maker.post(f"/orders/{order}/cad-links", ask, expect=201)["url"])
