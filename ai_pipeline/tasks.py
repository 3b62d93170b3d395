"""What may run in the child, by name: where the function lives and what it may use."""

from dataclasses import dataclass

from ai_pipeline.isolation import Limits


@dataclass(frozen=True)
class Task:
    """`module:function(**arguments) -> BaseModel`, imported only inside the child.

    With `speaks`, it also gets `progress`.
    """

    module: str
    function: str
    limits: Limits
    speaks: bool = False


TASKS: dict[str, Task] = {
    "photo": Task("ai_pipeline.imaging.inspect", "inspect", Limits(30, 25, 1536, 64)),
    "cad": Task("ai_pipeline.cad.inspect", "inspect", Limits(120, 100, 4096, 256)),
    # LLVM variants of the renderer reserve far more address space than they touch.
    "render": Task("ai_pipeline.cad.pictures", "render", Limits(900, 1600, 10_240, 256), speaks=True),
}
