"""What kind of GPU a virtual one is: torch.cuda.get_device_properties and what follows from it.

Figures that programs choose kernels by, as commonly given for the SXM form of each GPU (the T4 has
none). No result or simulated time depends on them; `clock.spec` holds those that time depends on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import torch
from torch import cuda

from grader.vgpu import devices, memory
from grader.vgpu.clock.spec import DEFAULT
from grader.vgpu.explain import note

KIB = 1 << 10
MIB = 1 << 20


@dataclass(frozen=True)
class Chip:
    """One architecture as a kernel sees it. Sizes in bytes, clocks in kHz, the bus in bits."""

    major: int
    minor: int
    processors: int
    threads: int
    shared: int
    cache: int
    clock: int
    memory_clock: int
    bus: int


_CHIPS = {
    "T4": Chip(7, 5, 40, 1024, 64 * KIB, 4 * MIB, 1_590_000, 5_001_000, 256),
    "V100": Chip(7, 0, 80, 2048, 96 * KIB, 6 * MIB, 1_530_000, 877_000, 4096),
    "A100": Chip(8, 0, 108, 2048, 164 * KIB, 40 * MIB, 1_410_000, 1_593_000, 5120),
    "H100": Chip(9, 0, 132, 2048, 228 * KIB, 50 * MIB, 1_980_000, 2_619_000, 5120),
    "H200": Chip(9, 0, 132, 2048, 228 * KIB, 50 * MIB, 1_980_000, 3_201_000, 6144),
}


@dataclass(frozen=True, repr=False)
class DeviceProperties:
    """The fields of every supported torch. Memory in bytes, clocks in kHz."""

    name: str
    major: int
    minor: int
    total_memory: int
    multi_processor_count: int
    max_threads_per_multi_processor: int
    shared_memory_per_block_optin: int
    shared_memory_per_multiprocessor: int
    L2_cache_size: int
    clock_rate: int
    memory_clock_rate: int
    memory_bus_width: int
    uuid: UUID
    pci_bus_id: int
    gcnArchName: str  # noqa: N815 - torch's name
    pci_domain_id: int = 0
    pci_device_id: int = 0
    shared_memory_per_block: int = 48 * KIB
    regs_per_multiprocessor: int = 65536
    max_threads_per_block: int = 1024
    warp_size: int = 32
    is_integrated: int = 0
    is_multi_gpu_board: int = 0

    def __repr__(self) -> str:
        return (
            f"_CudaDeviceProperties(name='{self.name}', major={self.major}, minor={self.minor}, "
            f"total_memory={self.total_memory // MIB}MB, "
            f"multi_processor_count={self.multi_processor_count}, uuid={self.uuid}, "
            f"pci_bus_id={self.pci_bus_id}, pci_device_id={self.pci_device_id}, "
            f"pci_domain_id={self.pci_domain_id}, L2_cache_size={self.L2_cache_size // MIB}MB)"
        )


class _Kind:
    """Which kind all GPUs of this process are."""

    name = DEFAULT.name


def configure(gpu: str) -> None:
    """The name of a preset of `clock.spec`; before any use."""
    _Kind.name = gpu


def chip() -> Chip:
    return _CHIPS[_Kind.name]


def get_device_properties(device: Any = None) -> DeviceProperties:
    index, kind = known(device), chip()
    name = f"Virtual {_Kind.name}"
    return DeviceProperties(
        name=name,
        major=kind.major,
        minor=kind.minor,
        total_memory=memory.CAPACITY,
        multi_processor_count=kind.processors,
        max_threads_per_multi_processor=kind.threads,
        # From Ampere on, 1 KiB of each processor's is the system's.
        shared_memory_per_block_optin=kind.shared - (KIB if kind.major >= 8 else 0),
        shared_memory_per_multiprocessor=kind.shared,
        L2_cache_size=kind.cache,
        clock_rate=kind.clock,
        memory_clock_rate=kind.memory_clock,
        memory_bus_width=kind.bus,
        uuid=UUID(int=index + 1),
        pci_bus_id=index + 1,
        gcnArchName=name,
    )


def known(device: Any) -> int:
    """The index of a GPU that there is, or what torch.cuda says of one that there is not."""
    devices.initialize()
    index = cuda._utils._get_device_index(device, optional=True)
    if not 0 <= index < devices.count():
        raise note(AssertionError("Invalid device id"), f"cuda:{index}")
    return int(index)


def get_device_name(device: Any = None) -> str:
    return get_device_properties(device).name


def get_device_capability(device: Any = None) -> tuple[int, int]:
    properties = get_device_properties(device)
    return properties.major, properties.minor


def get_arch_list() -> list[str]:
    """What kernels are there for: this kind of GPU, since none are compiled."""
    return [f"sm_{chip().major}{chip().minor}"] if devices.settle() else []


def can_device_access_peer(device: Any, peer_device: Any) -> bool:
    return known(device) != known(peer_device)


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """From Ampere on; with emulation, everywhere."""
    return devices.settle() > 0 and (including_emulation or chip().major >= 8)


def is_tf32_supported() -> bool:
    return devices.settle() > 0 and chip().major >= 8


def _is_built() -> bool:
    """Whatever this build of torch has compiled, CUDA is what it shows."""
    return True


def _has_no_cudnn() -> bool:
    """What torch.backends.cudnn.is_available answers."""
    return False


def install() -> None:
    ours = (
        *(get_device_properties, get_device_name, get_device_capability, get_arch_list),
        *(can_device_access_peer, is_bf16_supported, is_tf32_supported),
    )
    for function in ours:
        setattr(cuda, function.__name__, function)
    vars(torch.backends.cuda)["is_built"] = _is_built
    vars(torch.backends.cudnn)["is_available"] = _has_no_cudnn
