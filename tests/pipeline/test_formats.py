"""3MF, STEP and Rhino files: what is read, what is left out and said so, and what is exact."""

import json
import math
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import rhino3dm as r3

from ai_pipeline.cad import mesh
from ai_pipeline.cad.formats.rhino_scene import Scene
from ai_pipeline.cad.inspect import _say_estimates
from ai_pipeline.cad.load import Loaded, prepare
from ai_pipeline.cad.report import CadReport, Fact
from ai_pipeline.cad.shape import Body
from ai_pipeline.errors import Unreadable
from ai_pipeline.intake import inspect_cad
from tests.pipeline.rhino_files import RhinoFile, rhino_mesh, torus
from tests.pipeline.shapes import band, box, write_obj

# Writes an assembly of a torus and a red cube, in inches, through the library that reads it.
SETTER = """
import ai_pipeline.cad.brep
from OCP.BRepPrimAPI import BRepPrimAPI_MakeBox, BRepPrimAPI_MakeTorus
from OCP.Interface import Interface_Static
from OCP.Quantity import Quantity_Color, Quantity_TOC_RGB
from OCP.STEPCAFControl import STEPCAFControl_Writer
from OCP.TCollection import TCollection_AsciiString, TCollection_ExtendedString
from OCP.TDataStd import TDataStd_Name
from OCP.TDocStd import TDocStd_Document
from OCP.TopLoc import TopLoc_Location
from OCP.XCAFDoc import XCAFDoc_ColorSurf, XCAFDoc_DocumentTool
from OCP.gp import gp_Trsf, gp_Vec

document = TDocStd_Document(TCollection_ExtendedString("set"))
shapes = XCAFDoc_DocumentTool.ShapeTool_s(document.Main())
colors = XCAFDoc_DocumentTool.ColorTool_s(document.Main())
whole = shapes.NewShape()
for name, solid, along in (("shank", BRepPrimAPI_MakeTorus(9.0, 1.0).Shape(), 0.0),
                           ("ruby", BRepPrimAPI_MakeBox(2.0, 2.0, 2.0).Shape(), 20.0)):
    label = shapes.AddShape(solid, False)
    TDataStd_Name.Set_s(label, TCollection_ExtendedString(name))
    if name == "ruby":
        colors.SetColor(label, Quantity_Color(1.0, 0.0, 0.0, Quantity_TOC_RGB), XCAFDoc_ColorSurf)
    move = gp_Trsf()
    move.SetTranslation(gp_Vec(along, 0.0, 0.0))
    placed = shapes.AddComponent(whole, label, TopLoc_Location(move))
    TDataStd_Name.Set_s(placed, TCollection_ExtendedString(name))
shapes.UpdateAssemblies()
writer = STEPCAFControl_Writer()
Interface_Static.SetCVal_s("write.step.unit", "INCH")
writer.Transfer(document)
writer.Write({path!r})
"""
ROOT = Path(__file__).parents[2]
BOX_3MF = (
    '<object id="{id}" type="{kind}" name="{name}"{more}><mesh><vertices>{points}</vertices>'
    "<triangles>{faces}</triangles></mesh></object>"
)


def measure(path: Path, out: Path, **choices: object) -> CadReport:
    return inspect_cad(path, filename=path.name, declared_type="", out_dir=out, choices=choices)


def load(path: Path, **choices: object) -> Loaded:
    return prepare(str(path), path.name, choices=choices)


def codes(report: CadReport) -> set[str]:
    return {item.code for item in report.findings}


def cube_3mf(number: int, side: float, kind: str = "model", name: str = "", more: str = "") -> str:
    points, faces = box(side)
    return BOX_3MF.format(
        id=number,
        kind=kind,
        name=name,
        more=more,
        points="".join(f'<vertex x="{x:g}" y="{y:g}" z="{z:g}"/>' for x, y, z in points.tolist()),
        faces="".join(f'<triangle v1="{a}" v2="{b}" v3="{c}"/>' for a, b, c in faces.tolist()),
    )


def write_3mf(path: Path, resources: str, build: str, unit: str = "millimeter", root: str = "") -> Path:
    model = "http://schemas.microsoft.com/3dmanufacturing/"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("[Content_Types].xml", "<Types/>")
        package.writestr(
            "_rels/.rels",
            f'<Relationships><Relationship Type="{model}2013/01/3dmodel" Target="/3D/a.model" Id="a"/></Relationships>',
        )
        package.writestr(
            "3D/a.model",
            f'<model unit="{unit}" xmlns="{model}core/2015/02" {root}><resources>{resources}</resources>'
            f"<build>{build}</build></model>",
        )
    return path


def test_a_3mf_is_built_as_it_says_with_its_unit_its_parts_and_its_materials(tmp_path: Path) -> None:
    materials = '<basematerials id="9"><base name="Gold"/><base name="Silver"/></basematerials>'
    both = '<object id="3" name="both"><components><component objectid="1"/>' \
           '<component objectid="2" transform="-2 0 0 0 2 0 0 0 2 3 0 0"/></components></object>'  # fmt: skip
    path = write_3mf(
        tmp_path / "two.3mf",
        materials
        + cube_3mf(1, 1.0, name="shank", more=' pid="9" pindex="0"')
        + cube_3mf(2, 0.5, name="head", more=' pid="9" pindex="1"')
        + cube_3mf(4, 5.0, kind="support")
        + both,
        '<item objectid="3"/><item objectid="4"/>',
        unit="centimeter",
    )
    found = load(path)
    assert (found.units.unit, found.units.source) == ("cm", "file")
    assert [(body.name, body.material) for body in found.bodies] == [("shank", "Gold"), ("head", "Silver")]
    assert found.bodies[0].vertices.max() == pytest.approx(10.0)
    assert found.bodies[1].vertices[:, 0].min() == pytest.approx(20.0)
    assert found.notes == [("supports_left_out", {"count": 1})]
    # The mirrored cube is turned back: its volume counts as much as the other's.
    assert [mesh.volume(body.vertices, body.faces) for body in found.bodies] == [pytest.approx(1000.0)] * 2


@pytest.mark.parametrize(
    ("resources", "build", "root"),
    [
        (cube_3mf(1, 1.0), '<item objectid="2"/>', ""),
        (cube_3mf(1, 1.0) + cube_3mf(1, 2.0), '<item objectid="1"/>', ""),
        (cube_3mf(1, 1.0), '<item objectid="1" transform="1 0 0 0 1 0 0 0 0 0 0 0"/>', ""),
        ('<object id="1"><components><component objectid="1"/></components></object>', '<item objectid="1"/>', ""),
        (cube_3mf(1, 1.0), '<item objectid="1"/>', 'requiredextensions="q" xmlns:q="http://example.org/q"'),
        (cube_3mf(1, 1.0).replace('v1="0"', 'v1="99"'), '<item objectid="1"/>', ""),
        ('<compositematerials id="2"/>' + cube_3mf(1, 1.0), '<item objectid="1"/>', ""),
    ],
    ids=["not there", "one number twice", "flat", "circle", "unknown extension", "no such point", "no materials"],
)
def test_a_3mf_that_contradicts_itself_is_refused(tmp_path: Path, resources: str, build: str, root: str) -> None:
    path = write_3mf(tmp_path / "bad.3mf", resources, build, root=root)
    with pytest.raises(Unreadable) as refused:
        load(path)
    assert refused.value.code in ("damaged", "unsupported_feature")


def test_the_consortiums_own_files_are_refused_or_accepted_as_it_says(data: Path) -> None:
    folder = data / "hostile" / "models" / "3mf_consortium"
    passed, failed = sorted((folder / "MUSTPASS").glob("*.3mf")), sorted((folder / "MUSTFAIL").glob("*.3mf"))
    assert passed
    assert failed
    for path in passed:
        assert load(path).bodies, path.name
    for path in failed:
        with pytest.raises(Unreadable):
            load(path)


@pytest.mark.parametrize("name", ["gt_flat_band", "gt_torus_band", "gt_solitaire_metal"])
def test_step_solids_carry_their_exact_volume(data: Path, name: str) -> None:
    truth = json.loads((data / "cad" / "truth.json").read_text())[name]["volume"]
    found = load(data / "cad" / f"{name}.step")
    assert [body.exact_volume for body in found.bodies] == [pytest.approx(truth, rel=1e-4)]
    assert found.units.source == "file"
    assert found.notes[0][0] == "tessellated"
    assert found.notes[0][1]["tolerance"] == 0.01


def test_a_torus_without_a_display_mesh_is_rebuilt_and_weighed_exactly(tmp_path: Path) -> None:
    file = RhinoFile()
    file.model.Objects.AddBrep(torus(9.0, 1.1), file.attributes(file.layer("Shank"), "band"))
    found = load(file.write(tmp_path / "torus.3dm"))
    (body,) = found.bodies
    assert body.exact_volume == pytest.approx(2 * math.pi**2 * 9.0 * 1.1**2, rel=1e-6)
    assert (body.name, body.layer) == ("band", "Shank")
    report = measure(tmp_path / "torus.3dm", tmp_path)
    watertight, bore = report.fact("watertight"), report.fact("inner_diameter")
    assert watertight is not None
    assert bore is not None
    assert watertight.value is True
    assert bore.value == pytest.approx(15.8, abs=0.02)


def test_hidden_layers_are_listed_and_left_out_until_somebody_chooses_them(tmp_path: Path) -> None:
    file = RhinoFile()
    shown, hidden = file.layer("Metal"), file.layer("Cutters", visible=False)
    file.model.Objects.AddMesh(rhino_mesh(box(10.0)), file.attributes(shown, "shank"))
    file.model.Objects.AddMesh(rhino_mesh(box(4.0, (20.0, 0.0, 0.0))), file.attributes(hidden, "cutter"))
    file.model.Objects.AddMesh(rhino_mesh(box(3.0, (0.0, 20.0, 0.0))), file.attributes(shown, "spare", visible=False))
    path = file.write(tmp_path / "layers.3dm")
    found = load(path)
    assert [body.name for body in found.bodies] == ["shank"]
    assert [(layer.name, layer.visible, layer.used, layer.bodies) for layer in found.layers] == [
        ("Metal", True, True, 1),
        ("Metal [hidden]", False, False, 1),
        ("Cutters", False, False, 1),
    ]
    assert ("hidden_left_out", {"count": 2}) in found.notes
    chosen = load(path, layers=["Metal", "Cutters"])
    assert [body.name for body in chosen.bodies] == ["shank", "cutter"]
    assert [body.name for body in chosen.hidden] == ["spare"]
    assert [body.index for body in (*chosen.bodies, *chosen.hidden)] == [0, 1, 2]


def test_a_file_whose_layers_are_all_hidden_is_kept_and_asks_for_a_choice(tmp_path: Path) -> None:
    file = RhinoFile()
    layer = file.layer("Draft", visible=False)
    file.model.Objects.AddMesh(rhino_mesh(box(10.0)), file.attributes(layer))
    path = file.write(tmp_path / "hidden.3dm")
    report = measure(path, tmp_path)
    assert report.status == "stored"
    assert {"nothing_shown", "hidden_left_out"} <= codes(report)
    assert [layer.name for layer in report.layers] == ["Draft"]
    assert len(load(path, layers=["Draft"]).bodies) == 1


def test_blocks_are_placed_scaled_and_mirrored_as_often_as_they_are_used(tmp_path: Path) -> None:
    file = RhinoFile(r3.UnitSystem.Inches)
    layer = file.layer("Gems")
    origin = r3.Point3d(0, 0, 0)
    sphere = r3.Sphere(origin, 0.5).ToBrep()
    number = file.model.InstanceDefinitions.Add("melee", "", "", "", origin, (sphere,), (file.attributes(layer),))
    block = file.model.InstanceDefinitions.FindIndex(number)
    mirror = r3.Transform.Scale(r3.Plane(origin, r3.Vector3d(0, 0, 1)), -2.0, 2.0, 2.0)
    for place in (r3.Transform.Translation(3, 0, 0), mirror):
        file.model.Objects.Add(r3.InstanceReference(block.Id, place), file.attributes(layer))
    found = load(file.write(tmp_path / "blocks.3dm"))
    assert found.units.unit == "in"
    ball = 4 / 3 * math.pi * (0.5 * 25.4) ** 3
    assert [body.exact_volume for body in found.bodies] == [pytest.approx(ball, rel=1e-6), pytest.approx(8 * ball)]
    assert found.bodies[0].vertices[:, 0].min() == pytest.approx(2.5 * 25.4, abs=0.05)
    assert {body.name for body in found.bodies} == {"melee"}
    assert all(mesh.volume(body.vertices, body.faces) > 0 for body in found.bodies)


def test_a_display_mesh_stands_in_for_a_solid_that_cannot_be_trusted_and_is_called_an_estimate() -> None:
    scene = Scene(RhinoFile().model, None)
    made, display = Body(*box(10.0), exact_volume=1000.0), Body(*box(7.0), estimate=0.05)
    assert scene._better(made, display) is display
    assert scene.notes["display_mesh_used"] == 1
    assert scene._better(made, Body(*box(9.9), estimate=0.05)) is made
    facts = [Fact(name="volume", value=343.0, method="sum", tolerance=0.01), Fact(name="area", value=1.0, method="sum")]
    _say_estimates(facts, display.estimate)
    assert (facts[0].method, facts[0].tolerance, facts[0].confidence) == ("estimate: sum", 17.15, 0.6)
    assert facts[1].method == "sum"


def test_a_step_assembly_keeps_places_names_and_colors_and_converts_its_unit(tmp_path: Path) -> None:
    path = tmp_path / "set.step"
    script = SETTER.format(path=str(path))
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    found = load(path)
    named = {body.name: body for body in found.bodies}
    assert set(named) == {"shank", "ruby"}
    assert named["shank"].exact_volume == pytest.approx(2 * math.pi**2 * 9.0, rel=1e-6)
    assert named["ruby"].exact_volume == pytest.approx(8.0, rel=1e-6)
    assert named["ruby"].material == "#ff0000"
    assert named["ruby"].vertices.min(axis=0) == pytest.approx([20.0, 0.0, 0.0])
    assert found.units.unit == "mm"


@pytest.mark.parametrize(("name", "exact"), [("v5_ring", 24936.0), ("v7_my_brep", 749.0)])
def test_real_breps_without_display_meshes_are_never_empty(data: Path, name: str, exact: float) -> None:
    found = load(data / "cad" / f"{name}.3dm")
    assert [body.exact_volume for body in found.bodies] == [pytest.approx(exact, rel=1e-4)]
    assert sum(len(body.faces) for body in found.bodies) <= 400_000


def test_open_extrusions_stay_open_and_closed_ones_are_exact(data: Path) -> None:
    found = load(data / "cad" / "v5_extrusions.3dm")
    assert [body.exact_volume is not None for body in found.bodies].count(True) == 5
    assert len(found.bodies) == 7


def test_a_rhino_unit_that_nobody_wears_is_asked_about(tmp_path: Path) -> None:
    file = RhinoFile(r3.UnitSystem.Kilometers)
    file.model.Objects.AddMesh(rhino_mesh(box(10.0)), file.attributes(file.layer("Metal")))
    found = load(file.write(tmp_path / "far.3dm"))
    assert found.units.source == "assumed"


def test_every_unit_is_weighed_and_the_one_that_fits_a_finger_comes_first(tmp_path: Path) -> None:
    report = measure(write_obj({"band": band(0.683, 0.06, 0.16)}, tmp_path / "inches.obj"), tmp_path)
    assert report.units is not None
    assert (report.units.unit, report.units.source, report.units.plausible) == ("mm", "assumed", False)
    first = report.units.proposals[0]
    assert (first.unit, first.likely) == ("in", True)
    assert first.inner_diameter == pytest.approx(17.348, abs=0.02)
    assert first.ring_size_us == 7.0
    assert {item.unit: item.likely for item in report.units.proposals} == {
        "in": True, "mm": False, "cm": False, "m": False,
    }  # fmt: skip


def test_the_cad_kernel_loads_on_a_machine_without_display_libraries(tmp_path: Path) -> None:
    script = (
        "import ctypes, sys\n"
        "from ai_pipeline.cad.brep import display\n"
        f"path = {str(tmp_path / 'libnone.so.1')!r}\n"
        "open(path, 'wb').write(display.library('libnone.so.1', ['glFirst', 'glSecond', 'XThird'], "
        "display.MACHINES[display.platform.machine()]))\n"
        "made = ctypes.CDLL(path)\n"
        "print([hasattr(made, name) for name in ('glFirst', 'glSecond', 'XThird', 'glFourth')])\n"
        "found = [display.asked_for(lib.read_bytes()) for lib in display._libraries() if 'OpenGl' in lib.name]\n"
        "print(all('glCallList' in names for names in found))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.splitlines() == ["[True, True, True, False]", "True"]
