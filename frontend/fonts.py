"""Lay out the TrueType fonts that PDFs and the headless browser use, taken from the locked npm packages."""

import shutil
import subprocess
import sys
from pathlib import Path

from frontend.failures import BuildError, explain

_SERIF = "@expo-google-fonts/cormorant-garamond"
_CHINESE = "@expo-google-fonts/noto-sans-sc"

WHOLE = {
    "CormorantGaramond-Regular.ttf": f"{_SERIF}/400Regular/CormorantGaramond_400Regular.ttf",
    "CormorantGaramond-SemiBold.ttf": f"{_SERIF}/600SemiBold/CormorantGaramond_600SemiBold.ttf",
    "CormorantGaramond-Italic.ttf": f"{_SERIF}/400Regular_Italic/CormorantGaramond_400Regular_Italic.ttf",
    "NotoSansSC-Regular.ttf": f"{_CHINESE}/400Regular/NotoSansSC_400Regular.ttf",
    "NotoSansSC-Bold.ttf": f"{_CHINESE}/700Bold/NotoSansSC_700Bold.ttf",
}
"""File under build/fonts -> file under node_modules. All are under the SIL Open Font License."""

SUBSETS = {
    "NotoSansSC-GB2312-Regular.ttf": "NotoSansSC-Regular.ttf",
    "NotoSansSC-GB2312-Bold.ttf": "NotoSansSC-Bold.ttf",
}
"""Small cut -> whole font. The cut holds GB 2312-80 (6,763 characters); rarer names need the whole font."""


def gb2312_characters() -> str:
    """Every character of GB 2312-80 and printable ASCII, as the codec of the standard library knows them."""
    found = {chr(code) for code in range(0x20, 0x7F)}
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            found.update(bytes((row, cell)).decode("gb2312", errors="ignore"))
    return "".join(sorted(found))


def lay_out_fonts(modules: Path, target: Path) -> None:
    """Copy the whole fonts from `modules` to `target` and cut the subsets there (about 1 s each)."""
    target.mkdir(parents=True, exist_ok=True)
    for name, source in WHOLE.items():
        shutil.copyfile(modules / source, target / name)
    text = target / "gb2312.txt"
    text.write_text(gb2312_characters(), encoding="utf-8")
    for name, whole in SUBSETS.items():
        command = [sys.executable, "-m", "fontTools.subset", str(target / whole), f"--text-file={text}"]
        command += [f"--output-file={target / name}", "--layout-features=*"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BuildError(f"The Chinese font could not be cut. {explain(done.stderr)}")
    text.unlink()
