"""What kinds of GPU there are, in the figures that decide how long work takes.

Dense peaks (no sparsity) and bandwidths in one direction, of the SXM form where there is one:

- T4: NVIDIA T4 data sheet (2019); float64 at 1/32 of float32 (Turing architecture whitepaper).
  It has no NVLink: GPUs talk over PCIe 3.0 x16.
- V100: NVIDIA V100 data sheet (2020), SXM2 32 GB; NVLink 300 GB/s, both directions together.
- A100: NVIDIA A100 80 GB data sheet (2022), SXM4; NVLink 600 GB/s, both directions together.
  Its float64 matrix products run on tensor cores, hence at float32's peak; Hopper's likewise.
- H100: NVIDIA H100 data sheet (2023), SXM5; NVLink 900 GB/s, both directions together. Peaks that
  the sheet gives with sparsity are halved.
- H200: NVIDIA H200 data sheet (2024), SXM5; like H100 but for its memory.

T4 and V100 have no tensor cores for bfloat16, so it runs at float32's peak there. Latencies are
on no data sheet: 2 microseconds between GPUs and 10 from and to the host are what small copies
typically take. A kernel launch costs the host nothing unless a spec says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from grader.errors import UsageError

GIB = 1 << 30


@dataclass(frozen=True)
class Link:
    """A way for data: `bandwidth` in bytes/s one way, `latency` in seconds per copy."""

    bandwidth: float
    latency: float = 0.0

    def seconds(self, size: int) -> float:
        """How long `size` bytes take."""
        return self.latency + size / self.bandwidth


@dataclass(frozen=True)
class GpuSpec:
    """One kind of GPU.

    `flops` is the peak in FLOP/s by dtype ("float32"); "tf32" is that of float32 matrix products
    where torch is allowed to round them. `memory` is in bytes, `bandwidth` (of the memory) in
    bytes/s, `launch` in seconds of host time per op. Infinite bandwidths are fine.
    """

    name: str
    flops: Mapping[str, float]
    bandwidth: float
    memory: int
    gpu_link: Link
    host_link: Link
    launch: float = 0.0

    def peak(self, dtype: str) -> float:
        """FLOP/s for a dtype; what is not listed (integers, bool) runs at float32's peak."""
        return self.flops.get(dtype, self.flops["float32"])


def _spec(
    name: str, memory: int, bandwidth: float, links: tuple[float, float], **tera: float
) -> GpuSpec:
    """Memory in GiB; bandwidths (`links`: to a GPU, to the host) in GB/s; peaks in TFLOP/s."""
    to_gpu, to_host = links
    return GpuSpec(
        name=name,
        flops=MappingProxyType({dtype: peak * 1e12 for dtype, peak in tera.items()}),
        bandwidth=bandwidth * 1e9,
        memory=memory * GIB,
        gpu_link=Link(to_gpu * 1e9, 2e-6 if to_gpu > to_host else 10e-6),
        host_link=Link(to_host * 1e9, 10e-6),
    )


_AMPERE = {"tf32": 156, "float16": 312, "bfloat16": 312, "int8": 624}
_HOPPER = {
    **dict.fromkeys(("float64", "float32"), 67.0),
    "tf32": 494.7,
    **dict.fromkeys(("float16", "bfloat16"), 989.4),
    **dict.fromkeys(("float8_e4m3fn", "float8_e5m2", "int8"), 1978.9),
}
_ALL = (
    _spec("T4", 16, 300, (16, 16), float64=0.25, float32=8.1, float16=65),
    _spec("V100", 32, 900, (150, 16), float64=7.8, float32=15.7, float16=125),
    _spec("A100", 80, 2039, (300, 32), float64=19.5, float32=19.5, **_AMPERE),
    _spec("H100", 80, 3350, (450, 64), **_HOPPER),
    _spec("H200", 141, 4800, (450, 64), **_HOPPER),
)
PRESETS: Mapping[str, GpuSpec] = MappingProxyType({spec.name: spec for spec in _ALL})
DEFAULT = PRESETS["A100"]


def find(name: str, source: str = "the kind of GPU") -> GpuSpec:
    """The preset of this name, in any case; UsageError lists the names there are."""
    spec = PRESETS.get(name.strip().upper())
    if spec is None:
        raise UsageError(source, expected=f"one of {', '.join(PRESETS)}", found=repr(name))
    return spec
