"""The table behind `suspicions`: names and strings, each with a short neutral sentence."""

from __future__ import annotations

import re


def _by_name(table: dict[str, str]) -> dict[str, str]:
    return {name: sentence for sentence, names in table.items() for name in names.split()}


_FRAMES = "looks at the frames of its callers"
_WALKS = "walks the objects that live in the process"
_INSIDE_TORCH = "changes how torch handles operations"

#: By dotted name; one also speaks for everything below it. `gc.collect` measures memory, and
#: `torch.distributed` is the subject: they are not here.
NAMES = _by_name(
    {
        "touches the grader's own modules": "grader vgpu",
        "touches pytest": "_pytest",
        _FRAMES: """sys._getframe sys._current_frames inspect.currentframe inspect.stack
            inspect.trace inspect.getouterframes inspect.getinnerframes traceback.walk_stack
            traceback.walk_tb""",
        "touches the table of imported modules, or how modules are found": """sys.modules
            sys.meta_path sys.path_hooks sys.path_importer_cache site runpy importlib.reload
            importlib.util importlib.machinery""",
        "watches or traces running code": """sys.settrace sys.setprofile sys.addaudithook
            sys.excepthook threading.settrace threading.setprofile unittest.mock""",
        _WALKS: """gc.get_objects gc.get_referrers gc.get_referents gc.callbacks
            weakref.getweakrefs""",
        "reaches into memory or loads machine code": """ctypes _ctypes cffi mmap torch._C
            torch.utils.cpp_extension torch.ops.load_library torch.classes.load_library""",
        _INSIDE_TORCH: "torch.overrides torch.utils._python_dispatch torch.library",
        "runs code when the process ends (atexit)": "atexit",
        "ends the process at once": "os._exit os.abort",
        "forks, replaces or signals a process": """os.fork os.forkpty os.kill os.killpg os.setsid
            os.posix_spawn os.execv os.execve os.execvp os.execl os.execlp os.spawnv os.spawnl
            pty signal.signal signal.pthread_kill signal.raise_signal""",
        "works on file descriptors": "os.dup os.dup2 os.fdopen os.pipe os.memfd_create",
        "runs code that is made from text": "exec eval compile code.interact",
        "loads a pickle or marshalled code": """marshal pickle.load pickle.loads
            pickle.Unpickler dill cloudpickle""",
        "uses the network": """urllib.request http.client http.server requests ftplib smtplib
            socketserver xmlrpc""",
        "changes the limits of its process": "resource.setrlimit",
        "touches Python's own functions by their table": "__builtins__",
    }
)

#: By attribute, whatever it is an attribute of.
ATTRIBUTES = _by_name(
    {
        _FRAMES: "tb_frame f_back f_globals f_locals f_builtins gi_frame cr_frame",
        _WALKS: "__subclasses__ __globals__ __closure__",
        "touches the compiled code of a function": "__code__",
        _INSIDE_TORCH: "__torch_function__ __torch_dispatch__",
    }
)

#: By what a class defines.
DEFINITIONS = _by_name(
    {
        _INSIDE_TORCH: "__torch_function__ __torch_dispatch__",
        "says itself how it is pickled": "__reduce__ __reduce_ex__",
    }
)

#: By the beginning of a string.
STRINGS = (
    (re.compile(r"/proc(/(?!cpuinfo|meminfo|driver/nvidia)|$)"), "names a path under /proc"),
    (re.compile(r"(PYTEST|VGPU|GRADER)[A-Z0-9_]*$"), "names a variable of the grader or of pytest"),
    (
        re.compile(r"(\S*/)?(score\.json|gradebook\.csv|review\.csv|rubric\.toml)$"),
        "names a file of the grader",
    ),
)

#: Modules whose parts are not meant to be replaced.
WATCHED = frozenset(
    """torch numpy json struct os sys time math random builtins io pickle copy collections inspect
    types socket subprocess threading hashlib itertools functools operator grader vgpu
    pytest""".split()
)
