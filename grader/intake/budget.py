"""How much may come out of an archive, and of all that is in it: counted, not believed."""

from __future__ import annotations

from dataclasses import dataclass

from grader.errors import SubmissionError
from grader.intake.hand_in import MAX_BYTES, MAX_FILES, TOO_MUCH

MAX_RATIO = 200  # of unpacked to packed size, asked once there is more than RATIO_FROM
RATIO_FROM = 10 * 2**20


@dataclass
class Budget:
    """What is left of the limits. One budget for an archive and for the archives inside it.

    `packed` is the size of the outermost archive. What was used for an archive that was refused
    in the end is not given back: a thousand bombs cost no more than one.
    """

    packed: int
    most_bytes: int = MAX_BYTES
    most_files: int = MAX_FILES
    what: str = "a homework"
    bytes: int = 0
    files: int = 0

    def foresee(self, files: int, size: int, name: str) -> None:
        """Refuse early what an archive itself says is too much."""
        if self.files + files > self.most_files:
            raise SubmissionError(f"{name} holds more than {self.most_files} files; {TOO_MUCH}")
        if self.bytes + size > self.most_bytes:
            raise self.too_large(name)

    def count_file(self, name: str) -> None:
        """One more file is written."""
        self.foresee(1, 0, name)
        self.files += 1

    def count_bytes(self, size: int, name: str) -> None:
        """So many bytes came out, whatever a header promised."""
        self.bytes += size
        if self.bytes > self.most_bytes or self.is_bomb(self.bytes):
            raise self.too_large(name)

    def is_bomb(self, size: int) -> bool:
        """Whether so much can only come from a packed file made to grow."""
        return size > RATIO_FROM and size > MAX_RATIO * max(1, self.packed)

    def too_large(self, name: str) -> SubmissionError:
        """In words for the student."""
        return SubmissionError(
            f"{name} unpacks to far more than {self.what} (over {self.most_bytes >> 20} MB, or "
            f"over {MAX_RATIO} times its size); {TOO_MUCH}"
        )
