"""Where torch learns of virtual GPUs: one module for each part of torch that is replaced.

Each has an `install()`; `runtime` calls them, once per process.
"""
