"""What the grader asks of a zygote: run this program, on these files, within these bounds."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from grader.sandbox.limits import Limits

TAKEN = b"taken"  # the answer to it

#: Bytes of one request; a Unix datagram holds more.
LONGEST = 64 * 1024


@dataclass(frozen=True)
class Request:
    """One program to be run in a sandbox of its own.

    `program` is a module of ours with a function `main(arguments)`; it is given `--folder`, the
    place where it finds a copy of `folder`, and then `arguments`. `environment` is all that it
    gets, besides HOME and TMPDIR.
    """

    program: str
    folder: str
    arguments: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)

    def to_bytes(self) -> bytes:
        data = json.dumps(asdict(self)).encode("utf-8", "surrogateescape")
        if len(data) > LONGEST:
            raise ValueError(f"a request of {len(data)} bytes; at most {LONGEST} are allowed")
        return data

    @classmethod
    def from_bytes(cls, data: bytes) -> Request:
        known = json.loads(data)
        return cls(**known | {"limits": Limits(**known["limits"])})
