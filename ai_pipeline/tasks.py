"""What may run in the child, by name: where the function lives and what it may use."""

from dataclasses import dataclass

from ai_pipeline.isolation import Limits


@dataclass(frozen=True)
class Task:
    """`run` names a `module:function(**arguments) -> BaseModel` that is imported only inside the child.

    `prepare` names a function that reads the file with light imports first, so that a file to be refused never waits
    for numeric libraries; what it returns becomes the argument `prepared`. With `speaks`, `run` also gets `progress`;
    with `tells` it gets `say(what, value)`, by which parts of the answer leave before it is whole. `patient` tasks let
    everything else go first.
    """

    run: str
    limits: Limits
    prepare: str | None = None
    speaks: bool = False
    tells: bool = False
    patient: bool = False


TASKS: dict[str, Task] = {
    "photo": Task("ai_pipeline.imaging.inspect:inspect", Limits(30, 25, 1536, 64)),
    "paper": Task("ai_pipeline.papers:inspect", Limits(30, 25, 1024, 64)),
    "edit": Task("ai_pipeline.imaging.edit:edit", Limits(90, 60, 3072, 64)),
    "mark": Task("ai_pipeline.imaging.mark:mark", Limits(30, 20, 1536, 16)),
    "propose": Task("ai_pipeline.imaging.propose:propose", Limits(60, 40, 2048, 1)),
    "cad": Task(
        "ai_pipeline.cad.inspect:inspect", Limits(120, 100, 4096, 256), "ai_pipeline.cad.load:prepare", tells=True
    ),
    "render": Task(
        "ai_pipeline.cad.pictures:render",
        Limits(900, 1600, 6144, 256),
        "ai_pipeline.cad.load:prepare",
        speaks=True,
        patient=True,
    ),
    "copy": Task("ai_pipeline.cad.fingerprint.tasks:make_copy", Limits(180, 150, 4096, 512)),
    "describe": Task("ai_pipeline.cad.fingerprint.tasks:describe", Limits(120, 100, 4096, 1)),
    "compare": Task("ai_pipeline.cad.fingerprint.tasks:compare_files", Limits(900, 880, 4096, 1)),
    "letter": Task("ai_pipeline.letters.read:read_letter", Limits(30, 20, 1024, 24)),
    "probe": Task("ai_pipeline.probe:probe", Limits(20, 10, 1024, 1)),
}
