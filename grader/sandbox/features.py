"""What confines a student's process: features of the kernel, each of which may be missing.

The zygote finds out which there are by using them. A rung is what they amount to.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum

from grader.records import Json

#: What can be left out, to try a lower rung: features, what only root can do, and what Landlock
#: learned after Debian 12.
OPTIONAL = (
    *("namespaces", "landlock", "seccomp", "slot_user", "cgroup"),
    *("privileges", "later_landlock"),
)


class Rung(StrEnum):
    """How well a student's process is confined, best first."""

    NAMESPACES = "namespaces"  # sees a machine of its own
    LANDLOCK = "landlock"  # sees this machine, and may touch little of it
    LIMITS = "limits"  # may touch what the grader's user may


class Namespaces(StrEnum):
    """Who makes the namespaces."""

    ROOT = "root"
    USER = "a plain user"  # in a user namespace, which gives the right to the others
    NONE = "none"


@dataclass(frozen=True)
class Features:
    """What is used. `missing` says by name why something is not.

    `own_processes`: /proc shows the sandbox's processes only (else, with namespaces, there is no
    /proc). `landlock` is the interface's number, 0 for none. `slot_user`: each process has a user
    of its own. `cgroup`: the kernel counts memory and processes of each sandbox as a whole.
    """

    namespaces: Namespaces = Namespaces.NONE
    own_processes: bool = False
    landlock: int = 0
    seccomp: bool = False
    slot_user: bool = False
    cgroup: bool = False
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def rung(self) -> Rung:
        if self.namespaces is not Namespaces.NONE:
            return Rung.NAMESPACES
        return Rung.LANDLOCK if self.landlock and self.seccomp else Rung.LIMITS

    @property
    def has_network(self) -> bool:
        """Whether there is a loopback network that belongs to the sandbox alone."""
        return self.namespaces is not Namespaces.NONE

    def without(self, name: str, why: str) -> Features:
        """The same, less one feature."""
        names = {"namespaces", "own_processes"} if name == "namespaces" else {name}
        nothing: Json = {n: getattr(Features(), n) for n in names}
        return replace(self, **nothing, missing=self.missing | {name: why})

    def described(self) -> list[tuple[str, str]]:
        """A line for each feature: what there is of it, or why there is nothing."""
        there = {
            "namespaces": f"made by {self.namespaces}",
            "landlock": f"ABI {self.landlock}",
            "seccomp": "yes",
            "slot_user": "a user for each sandbox",
            "cgroup": "one for each sandbox",
        }
        nothing = Features()
        return [
            (name.replace("_", " "), text)
            if getattr(self, name) != getattr(nothing, name)
            else (name.replace("_", " "), f"no: {self.missing.get(name, 'not tried')}")
            for name, text in there.items()
        ]

    def to_json(self) -> Json:
        """As in `score.json`: what protected the grader and the other hand-ins."""
        return {"rung": self.rung} | asdict(self)

    @classmethod
    def from_json(cls, data: Json) -> Features:
        known = {name: data[name] for name in cls.__dataclass_fields__}
        return cls(**known | {"namespaces": Namespaces(data["namespaces"])})
