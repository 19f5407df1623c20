from .placement import gpu_of_each_layer, describe
from .timing import StepTimer, peak_memory_mb

__all__ = ["gpu_of_each_layer", "describe", "StepTimer", "peak_memory_mb"]
