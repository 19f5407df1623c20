"""The process that runs student code: reads requests, answers with observations.

Started as `python -P -m grader.sandbox.worker`, or forked by the zygote. It decides nothing
and knows no expected answer. Requests come in on standard input, answers leave on what was
standard output; whatever the student prints goes to standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import traceback
from pathlib import Path
from typing import IO

from grader.records import Json
from grader.sandbox.lookout import lookout
from grader.sandbox.protocol import Frame, read_frame, write_frame


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="worker", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="the hand-in, a copy")
    parser.add_argument("--gpus", type=int, required=True, help="virtual GPUs to show")
    parser.add_argument("--collapse", action="store_true", help="everything on cuda:0")
    parser.add_argument("--dry", action="store_true", help="tensors without data")
    parser.add_argument("--timeline", action="store_true", help="simulate how long all takes")
    options = parser.parse_args(arguments)
    commands, results = _take_over_stdio()
    _prepare(options)
    serve(Desk(options.folder, options.gpus), commands, results)
    results.flush()
    os._exit(0)  # the student's atexit hooks and threads have nothing left to say


def _take_over_stdio() -> tuple[IO[bytes], IO[bytes]]:
    """Keep the pipes for ourselves: the student reads nothing and prints to standard error."""
    commands = os.fdopen(os.dup(0), "rb")
    results = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return commands, results


def _prepare(options: argparse.Namespace) -> None:
    import torch

    from grader import vgpu
    from grader.sandbox import imports, placing, stand_ins

    torch.set_num_threads(1)
    data = "meta" if options.dry else "cpu"
    vgpu.install(
        options.gpus,
        collapse=options.collapse,
        data=data,
        heed_pins=False,
        timeline=options.timeline or None,
    )
    placing.install()
    os.chdir(options.folder)
    sys.argv = ["submission"]
    imports.open_folder(options.folder)
    stand_ins.install(options.folder)


def serve(desk: Desk, commands: IO[bytes], results: IO[bytes]) -> None:
    """Answer requests until the other side closes the pipe."""
    write_frame(results, {"status": "ready"})
    while (frame := read_frame(commands)) is not None:
        with lookout(frame[0]["seconds"], desk.folder):
            header, buffers = desk.answer(frame)
        write_frame(results, header, buffers)


class Desk:
    """Answers one request after another about one hand-in on `gpus` GPUs."""

    def __init__(self, folder: Path, gpus: int) -> None:
        from grader.sandbox import model

        self.folder = folder.resolve()
        self.gpus = gpus
        self.built: model.Build | None = None

    def answer(self, frame: Frame) -> Frame:
        from grader.sandbox.faults import DETAILS, ImportFault, InterfaceGap, StudentFault

        request, buffers = frame
        head: Json = {"id": request["id"]}
        try:
            return head | {"status": "seen"}, getattr(self, f"_{request['probe']}")(
                request, buffers
            )
        except ImportFault as fault:
            return head | {"status": "import-fault", **fault.to_json()}, []
        except StudentFault as fault:
            return head | {"status": "fault", **fault.to_json()}, []
        except InterfaceGap as gap:
            return head | {"status": "gap", **gap.to_json()}, []
        except RecursionError:
            return head | {"status": "gap", "message": "the code is nested too deeply to read"}, []
        except Exception:  # ours; the judge says so and no point is lost
            return head | {"status": "error", "message": traceback.format_exc()[-DETAILS:]}, []

    def _build(self, request: Json, _: list[bytes]) -> list[bytes]:
        import torch

        from grader.sandbox import model, source

        torch.manual_seed(request["seed"])
        self.built = model.build(
            self.folder,
            [Path(file) for file in request["files"]],
            source.Vocabulary.from_json(request["words"]),
            width=request["width"],
            depth=request["depth"],
            gpus=self.gpus,
            reading=request["reading"],
            choice=request["choice"],
        )
        return [json.dumps(self.built.describe()).encode()]

    def _forward(self, request: Json, buffers: list[bytes]) -> list[bytes]:
        import torch

        from grader.sandbox import probes, tensors

        batch, *weights = map(tensors.from_bytes, buffers, request["shapes"])
        torch.manual_seed(request["seed"])
        assert self.built is not None, "build comes first"
        return probes.forward(self.built, self.folder, weights, batch).buffers()

    def _outline(self, request: Json, _: list[bytes]) -> list[bytes]:
        from grader.sandbox import probes

        assert self.built is not None, "build comes first"
        return probes.outline(self.built, self.folder, request["shape"]).buffers()

    def _script(self, request: Json, _: list[bytes]) -> list[bytes]:
        from grader.sandbox import source, whole_script

        ran = whole_script.run(
            self.folder,
            [Path(file) for file in request["files"]],
            source.Vocabulary.from_json(request["words"]),
            scripts=[Path(file) for file in request["scripts"]],
            depth=request["depth"],
            gpus=self.gpus,
            choice=request["choice"],
        )
        return [json.dumps(ran.facts()).encode()]

    def _program(self, request: Json, _: list[bytes]) -> list[bytes]:
        from grader.sandbox import whole_program

        ran = whole_program.run(self.folder, **_of_program(request))
        return [json.dumps(ran.to_json()).encode()]

    def _torchrun(self, request: Json, _: list[bytes]) -> list[bytes]:
        from grader.sandbox import torchrun, whole_program

        settings = _of_program(request)
        ran = torchrun.run(
            self.folder,
            settings["file"],
            request["processes"],
            request["seconds"],
            lambda watch: whole_program.run(self.folder, watch=watch, **settings),
        )
        return [json.dumps(ran.to_json()).encode()]

    def _train(self, request: Json, buffers: list[bytes]) -> list[bytes]:
        import torch

        from grader.sandbox import probes, tensors

        batch, target, *weights = map(tensors.from_bytes, buffers, request["shapes"])
        torch.manual_seed(request["seed"])
        assert self.built is not None, "build comes first"
        seen = probes.train(
            self.built,
            self.folder,
            weights,
            batch,
            target,
            steps=request["steps"],
            rate=request["rate"],
        )
        return seen.buffers()


def _of_program(request: Json) -> Json:
    """What `whole_program.run` is told of a request."""
    from grader.sandbox.changed import Changes
    from grader.sandbox.source import Roles

    values = {int(old): new for old, new in request["values"].items()}
    return {
        "file": Path(request["file"]),
        "arguments": request["arguments"],
        "roles": Roles(request["words"]),
        "changes": Changes(request["sizes"], values, request["rewrites"]),
        "seed": request["seed"],
        "same": request["same"],
        "steps": request["steps"],
    }


if __name__ == "__main__":
    main()
