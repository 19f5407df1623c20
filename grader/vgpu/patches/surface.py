"""What every public name of torch.cuda and torch.accelerator does on virtual GPUs.

Each name is in one of three tables: it works; it is refused, by an error that names it and says
what to do instead; or it is harmless, a constant, type or tool that no GPU stands behind. Names
that a version of torch does not have are left out there.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
import sys
from collections import defaultdict
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Never

import torch

_TENSORS = "BFloat16 Bool Byte Char Double Float Half Int Long Short"

WORKS = {
    "torch.cuda": f"""
        {" ".join(f"{name}Tensor" for name in _TENSORS.split())}
        Event ExternalStream Stream StreamContext current_stream default_stream
        get_stream_from_external set_stream stream synchronize
        can_device_access_peer current_device device device_count device_of
        get_arch_list get_device_capability get_device_name get_device_properties
        get_gencode_flags init is_available is_bf16_supported is_current_stream_capturing
        is_initialized is_tf32_supported set_device get_sync_debug_mode set_sync_debug_mode
        default_generators get_rng_state get_rng_state_all initial_seed manual_seed
        manual_seed_all seed seed_all set_rng_state set_rng_state_all
        device_memory_used empty_cache get_allocator_backend get_per_process_memory_fraction
        ipc_collect list_gpu_processes max_memory_allocated max_memory_cached
        max_memory_reserved mem_get_info memory_allocated memory_cached memory_reserved
        memory_stats memory_stats_as_nested_dict memory_summary
        reset_accumulated_memory_stats reset_max_memory_allocated reset_max_memory_cached
        reset_peak_memory_stats set_per_process_memory_fraction
    """,
    "torch.cuda.amp": "GradScaler amp_definitely_not_available autocast custom_bwd custom_fwd",
    "torch.cuda.comm": """
        broadcast broadcast_coalesced gather reduce_add reduce_add_coalesced scatter
    """,
    "torch.cuda.gds": "is_available",
    "torch.cuda.green_contexts": "is_localization_supported",
    "torch.cuda.graph_annotations": "is_available",
    "torch.cuda.nccl": "is_available version",
    "torch.cuda.nvtx": "mark range range_end range_pop range_push range_start",
    "torch.cuda.profiler": "profile start stop",
    "torch.cuda.tunable": "is_enabled record_untuned_is_enabled tuning_is_enabled",
    "torch.accelerator": """
        current_accelerator current_device_idx current_device_index current_stream device_count
        device_index empty_cache empty_host_cache get_device_capability get_memory_info
        initial_seed get_rng_state get_rng_state_all is_available max_memory_allocated
        max_memory_reserved memory_allocated memory_reserved memory_stats
        reset_accumulated_memory_stats reset_peak_memory_stats set_device_idx set_device_index
        set_stream synchronize
    """,
}

#: What to do instead, and the names that say so.
REFUSED = (
    (
        "run the operations themselves; they give the same numbers",
        {
            "torch.cuda": """
                CUDAGraph export_dot export_graph_data graph graph_pool_handle
                make_graphed_callables
            """,
            "torch.cuda.graphs": """
                register_graph_capture_end_hook register_graph_capture_start_hook
                register_graph_destroy_hook register_graph_instantiate_hook
                register_graph_replay_end_hook register_graph_replay_start_hook
            """,
            "torch.cuda.graph_annotations": """
                clear_kernel_annotations dump_kernel_py_stacks get_kernel_annotations
                get_kernel_py_stacks mark_kernels
            """,
            "torch.accelerator": "Graph",
        },
    ),
    (
        "create tensors instead; memory is counted per tensor and has no addresses",
        {
            "torch.cuda": """
                CUDAPluggableAllocator MemPool caching_allocator_alloc caching_allocator_delete
                caching_allocator_disabled caching_allocator_enable change_current_allocator
                use_mem_pool
            """
        },
    ),
    (
        "use torch.cuda.memory_stats and torch.cuda.memory_summary",
        {
            "torch.cuda": """
                host_memory_stats host_memory_stats_as_nested_dict memory_snapshot
                reset_accumulated_host_memory_stats reset_peak_host_memory_stats
            """,
            "torch.cuda.memory": """
                _dump_snapshot _record_memory_history _save_memory_usage _save_segment_usage
                _snapshot
            """,
        },
    ),
    (
        "`vgpu --timeline` simulates how busy each GPU is",
        {"torch.cuda": "clock_rate memory_usage power_draw temperature utilization"},
    ),
    (
        "call torch's own operations; CUDA's libraries and compiler are not there",
        {
            "torch.cuda": """
                cudart current_blas_handle current_solver_handle _compile_kernel
            """,
            "torch.cuda.jiterator": "_create_jit_fn _create_multi_output_jit_fn",
        },
    ),
    (
        "use one GPU for each part of the work, or streams",
        {
            "torch.cuda": "GreenContext",
            "torch.cuda.green_contexts": "GreenContext SMPartition get_num_locality_domains",
        },
    ),
    (
        'use torch.distributed with backend="nccl"',
        {
            "torch.cuda.nccl": """
                all_gather all_reduce broadcast init_rank reduce reduce_scatter unique_id
            """
        },
    ),
    (
        "use torch.save and torch.load",
        {"torch.cuda.gds": "GdsFile gds_deregister_buffer gds_register_buffer"},
    ),
    (
        "use dense tensors",
        {"torch.cuda.sparse": " ".join(f"{name}Tensor" for name in _TENSORS.split())},
    ),
    ("leave it out", {"torch.cuda.profiler": "init"}),
    (
        "leave it out; there are no kernels to choose from",
        {
            "torch.cuda.tunable": """
                dynamic_dims_mask enable get_cublaslt_requested_algo_count get_filename
                get_max_tuning_duration get_max_tuning_iterations get_results
                get_rotating_buffer_size get_validators mgpu_tune_gemm_in_file read_file
                record_untuned_enable set_cublaslt_requested_algo_count set_filename
                set_max_tuning_duration set_max_tuning_iterations
                set_numerical_check_tolerances set_rotating_buffer_size tune_gemm_in_file
                tuning_enable wildcard_fallback_enable wildcard_fallback_is_enabled write_file
                write_file_on_exit
            """
        },
    ),
)

#: Storages of old checkpoints name these types; only creating one is refused.
STORAGES = tuple(f"{name}Storage" for name in (*_TENSORS.split(), "ComplexDouble", "ComplexFloat"))

HARMLESS = {
    "torch.cuda": f"""
        {" ".join(STORAGES)} CudaError DeferredCudaCallError check_error cudaStatus
        has_half has_magma
        DEVICE_REQUIREMENT DEVICE_REQUIREMENT_POST_JETSON_SBSA_UNIFICATION
        PYTORCH_RELEASES_CODE_CC
    """,
    "torch.cuda.green_contexts": "SUPPORTED",
    "torch.cuda.nccl": "SUM",
    "torch.cuda.profiler": "DEFAULT_FLAGS",
}

_NO = {
    "torch.cuda.gds": ("is_available",),
    "torch.cuda.graph_annotations": ("is_available",),
    "torch.cuda.green_contexts": ("is_localization_supported",),
    "torch.cuda.tunable": ("is_enabled", "record_untuned_is_enabled", "tuning_is_enabled"),
}


def absent(name: str, instead: str) -> NotImplementedError:
    """The error of a function that virtual GPUs do not have."""
    return NotImplementedError(f"{name}: virtual GPUs do not have it; {instead}")


def refused() -> Iterator[tuple[str, str, str]]:
    """Module, name and hint of what is refused."""
    for hint, modules in REFUSED:
        for module, names in modules.items():
            for name in names.split():
                yield module, name, hint


def submodules() -> dict[str, ModuleType]:
    """torch.cuda, torch.accelerator and the public modules inside, by name."""
    found = {}
    for package in (torch.cuda, torch.accelerator):
        found[package.__name__] = package
        for info in pkgutil.iter_modules(package.__path__):
            if not info.name.startswith("_"):
                name = f"{package.__name__}.{info.name}"
                found[name] = importlib.import_module(name)
    return found


def install() -> None:
    """Refuse what is refused, wherever torch.cuda has it by name."""
    modules = submodules()
    known = places()
    for home, name, hint in refused():
        old = getattr(modules.get(home), name, None)
        if old is not None:
            new = _refusing(f"{home}.{name}", old, hint)
            for module, key in known[id(old)]:
                setattr(module, key, new)
    for home, names in _NO.items():
        for name in names:
            if hasattr(modules.get(home), name):
                setattr(modules[home], name, _no)
    for name in STORAGES:
        _refuse_creation(getattr(torch.cuda, name), f"torch.cuda.{name}")


def _no() -> bool:
    """What an honest GPU without the feature answers."""
    return False


@functools.cache
def places() -> dict[int, list[tuple[ModuleType, str]]]:
    """Where the modules of these packages have each function and class, by its id."""
    found = defaultdict(list)
    for name, module in list(sys.modules.items()):
        if name.startswith(("torch.cuda", "torch.accelerator")):
            for key, value in vars(module).items():
                if callable(value):
                    found[id(value)].append((module, key))
    return found


def _refusing(name: str, old: Any, hint: str) -> Any:
    """What stands in the place of a function or class that is refused."""

    def refuse(*_: Any, **__: Any) -> Never:
        raise absent(name, hint)

    if isinstance(old, type):
        return type(old.__name__, (), {"__new__": refuse, "__module__": old.__module__})
    return functools.wraps(old)(refuse)


def _refuse_creation(storage: type, name: str) -> None:
    def refuse(*_: Any, **__: Any) -> Never:
        raise absent(name, "use torch.UntypedStorage of the host, or a tensor")

    setattr(storage, "__new__", refuse)  # noqa: B010 - typed there
