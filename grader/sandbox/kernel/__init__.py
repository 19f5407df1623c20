"""What Linux offers to confine a process, through ctypes: Python has no library for it.

Linux only; imported by the zygote and its children, never by the grader itself. Every function
raises OSError, naming the call, where the kernel refuses.
"""
