"""What common failures mean, in a beginner's words."""

from __future__ import annotations

import re

_HINTS = (
    (
        r"same device",
        "Two tensors of one operation are on different GPUs. Move the input to the layer's device "
        "before every layer: x = x.to(next(layer.parameters()).device).",
    ),
    (
        r"invalid device ordinal",
        "The code uses a GPU number that does not exist here. Take the number of GPUs from "
        "torch.cuda.device_count(), and number them from 0.",
    ),
    (
        r"^timeout$",
        "Look for a loop that never ends, or for training outside the class.",
    ),
    (
        r"^died$",
        "The process ended in the middle: by exit() or os._exit(), or by using too much memory or "
        "time.",
    ),
    (
        r"^garbled$",
        "Only print() to standard output or standard error.",
    ),
    (r"^flood$", "Print less: one line per training step is plenty."),
    (
        r"^memory$",
        "Look for tensors that pile up, in a list or on the graph of an old loss, and for sizes "
        "that do not come from dim.",
    ),
    (r"^disk$", "Write less: nothing that is written is looked at."),
    (r"^processes$", "One process is enough here: do not start others, and no DataLoader workers."),
    (
        r"SyntaxError|IndentationError",
        "Python cannot read the file. Run it once yourself before handing it in.",
    ),
    (
        r"does not require grad",
        "The loss is not connected to the parameters: remove detach(), .data and torch.no_grad() "
        "from the forward pass.",
    ),
    (
        r"empty parameter list",
        "The layers are not registered: keep them in an nn.ModuleList or nn.Sequential.",
    ),
    (
        r"mat1 and mat2 shapes",
        "A layer gets an input of another width than it was made for.",
    ),
    (
        r"before Module.__init__",
        "Call super().__init__() first thing in __init__.",
    ),
    (
        r"NameError",
        "A name is used that nothing defines: look for a typo, or for a variable of another "
        "function.",
    ),
    (
        r"can't allocate memory|Cannot allocate memory|^MemoryError",
        "It asked for more memory than there is: look for sizes that do not come from dim.",
    ),
    (
        r"out of memory",
        "A GPU's memory was full. Keep only what one GPU needs on it.",
    ),
)


def hint_for(message: str) -> str | None:
    """A hint for an error message or a reason of `WorkerLost`, or None."""
    return next((hint for pattern, hint in _HINTS if re.search(pattern, message)), None)
