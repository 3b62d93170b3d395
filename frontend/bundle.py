"""Bundle the style sheets and scripts with esbuild and write every asset under a name that holds its hash."""

import hashlib
import json
from pathlib import Path

from frontend.icons import build_sprite
from frontend.node import Node

_UPLOAD = ("js/upload.js", "js/upload-hash.js", "js/upload-keeper.js")
ENTRIES = (
    *("css/app.css", "css/cjk.css", "css/studio.css"),
    *("js/app.js", *_UPLOAD, "js/photo-edit.js", "js/thread.js", "js/inbox.js", "js/studio.js", "js/piece.js"),
    *("js/brief.js", "js/sign.js", "js/verify.js"),
    # Three dimensions weigh more than all the rest together: fetched when somebody asks to see them.
    *("js/studio/viewer.js", "js/piece/turntable.js"),
)
"""Each becomes an asset of its own: app.css and app.js are on every page, the rest only where a page names them."""


def _write_hashed(folder: Path, name: str, content: bytes) -> str:
    stem, _, suffix = name.rpartition(".")
    hashed = f"{stem}-{hashlib.sha256(content).hexdigest()[:8]}.{suffix}"
    (folder / hashed).write_bytes(content)
    return hashed


def _esbuild(node: Node, sources: Path, target: Path) -> dict[str, str]:
    meta = target / "esbuild.json"
    entries = [entry for entry in ENTRIES if (sources / entry).exists()]
    command = [node.node, str(sources / "node_modules" / "esbuild" / "bin" / "esbuild"), *entries]
    command += [
        "--bundle",
        "--minify",
        "--format=esm",
        "--target=es2022",
        "--loader:.woff2=file",
        "--charset=utf8",
    ]
    # A library's style element is against our policy; see the module.
    command += ["--alias:lit=./js/piece/lit"]
    # A decoder that starts WebAssembly wherever it is imported, which our policy refuses and no file of ours needs.
    command += ["--alias:three/examples/jsm/libs/meshopt_decoder.module.js=./js/piece/meshopt.js"]
    command += ["--entry-names=[name]-[hash]", "--asset-names=fonts/[name]-[hash]", "--legal-comments=linked"]
    command += [f"--outdir={target}", f"--metafile={meta}", "--log-level=warning"]
    node.run(command, sources, "esbuild")
    outputs = json.loads(meta.read_text(encoding="utf-8"))["outputs"]
    meta.unlink()
    names = {}
    for path, output in outputs.items():
        if entry := output.get("entryPoint"):
            names[Path(entry).name] = Path(path).name
    return names


def bundle(node: Node, sources: Path, pictures: Path, target: Path) -> None:
    """Write bundles, icon sprite, favicon and our own `pictures` into `target`, then `manifest.json` {name: hashed}.

    The files of the build before stay, so that a page already delivered finds its assets; older ones are removed.
    """
    target.mkdir(parents=True, exist_ok=True)
    manifest_path = target / "manifest.json"
    before = {path for path in target.rglob("*") if path.is_file()}
    started = min((path.stat().st_mtime for path in [manifest_path] if path.exists()), default=0.0)
    stale = {path for path in before if path.stat().st_mtime < started - 1 and path.parent == target}
    manifest = _esbuild(node, sources, target)
    sprite = build_sprite(sources / "icons.txt", sources / "node_modules/lucide-static/icons", sources / "art/icons")
    manifest["icons.svg"] = _write_hashed(target, "icons.svg", sprite.encode())
    for drawing in sorted((sources / "art").glob("*.svg")):
        manifest[drawing.name] = _write_hashed(target, drawing.name, drawing.read_bytes())
    for picture in sorted(pictures.glob("*.webp")):
        (target / "pictures").mkdir(exist_ok=True)
        hashed = _write_hashed(target / "pictures", picture.name, picture.read_bytes())
        manifest[f"pictures/{picture.name}"] = f"pictures/{hashed}"
    scratch = target / "manifest.json.new"
    scratch.write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    scratch.replace(manifest_path)
    kept = set(manifest.values())
    for path in stale:
        if path.name not in kept:
            path.unlink(missing_ok=True)
