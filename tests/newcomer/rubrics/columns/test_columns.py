"""A Linear layer split by columns: who computes which block, what comes out, what is copied."""

import re

import pytest

from grader.checking.expect import NeedsPerson, expect

ROWS, INPUTS, OUTPUTS = 7, 13, 11  # so that x and blocks of W and y have different sizes
GPUS = {"1 GPU": 1, "2 GPUs": 2, "3 GPUs": 3, "5 GPUs": 5}
COPIES = {"2 GPUs": 2, "4 GPUs": 4}
PRODUCTS = {"mm", "addmm", "bmm", "baddbmm", "matmul", "linear", "mv", "addmv", "dot", "mul"}
NUMBER = r"-?\d+\.?\d*(?:e[+-]?\d+)?"


@pytest.mark.criterion("t1.blocks")
@pytest.mark.parametrize("gpus", GPUS.values(), ids=GPUS.keys())
def test_every_gpu_computes_its_block(submission, gpus):
    run = run_on(submission, gpus)
    at_work = {op.device for op in run.trace.ops if op.name.split("::")[-1] in PRODUCTS}
    expect(
        at_work >= set(range(gpus)),
        expected=f"a product on each of {gpus} GPUs",
        seen="products on " + (", ".join(f"cuda:{gpu}" for gpu in sorted(at_work)) or "none"),
        hint="Ask torch.cuda.device_count(), and multiply where the block is: x.to(block.device).",
    )
    widths = printed_widths(run)
    if not widths:
        raise NeedsPerson("no shape of a block is printed with its GPU; how are they split?")
    even = even_widths(gpus)
    expect(
        sorted(widths.values(), reverse=True) == even,
        expected=f"{OUTPUTS} columns on {gpus} GPUs as blocks of {', '.join(map(str, even))}",
        seen=", ".join(f"{widths[gpu]} on cuda:{gpu}" for gpu in sorted(widths)),
        hint="The first OUTPUTS % n blocks have a column more: see torch.tensor_split.",
    )


@pytest.mark.criterion("t1.output")
@pytest.mark.parametrize("gpus", GPUS.values(), ids=GPUS.keys())
def test_the_output_is_the_whole_product(submission, gpus):
    run = run_on(submission, gpus)
    output = printed_output(run)
    shapes = shapes_in(run.printed)
    expect(
        (ROWS, OUTPUTS) in shapes,
        expected=f"the output's shape printed: ({ROWS}, {OUTPUTS})",
        seen="shapes " + (", ".join(map(str, shapes)) or "none"),
        hint="Is each column of W in a block? And print(tuple(y.shape)).",
    )
    right = product()
    wrong = [column for column in range(OUTPUTS) if not same_column(output, right, column)]
    where = f"wrong in columns {', '.join(map(str, wrong))}" if wrong else "all right"
    expect(
        not wrong,
        expected=f"y = x @ W of {ROWS} times {OUTPUTS} numbers",
        seen=f"{len(output)} numbers, {where}",
        hint="Join the blocks in the order of W's columns: torch.cat(parts, dim=1).",
    )


@pytest.mark.criterion("t1.x")
@pytest.mark.parametrize("gpus", COPIES.values(), ids=COPIES.keys())
def test_x_goes_to_each_other_gpu_once(submission, gpus):
    copies = copies_between_gpus(run_on(submission, gpus))
    size = bytes_of_a_number(copies)
    whole = ROWS * INPUTS * size
    for gpu in range(1, gpus):
        came = [c for c in copies if c.target == gpu and not is_block(c.bytes, size)]
        # Blocks of W may come from cuda:0 before the forward.
        came = [c for c in came if c.forward is not None or c.bytes == whole]
        expect(
            [c.bytes for c in came] == [whole],
            expected=f"one copy to cuda:{gpu} in a forward, x, of {whole} bytes, from another GPU",
            seen=listed(came),
            hint="Copy x with x.to(device) once for each GPU, and keep what it returns.",
        )


@pytest.mark.criterion("t1.back")
@pytest.mark.parametrize("gpus", COPIES.values(), ids=COPIES.keys())
def test_each_block_comes_back_once(submission, gpus):
    copies = copies_between_gpus(run_on(submission, gpus))
    size = bytes_of_a_number(copies)
    for gpu in range(1, gpus):
        # x may go from GPU to GPU: that is no block of y.
        left = [c for c in copies if c.source == gpu and c.bytes != ROWS * INPUTS * size]
        expect(
            len(left) == 1 and left[0].target == 0 and is_block(left[0].bytes, size),
            expected=f"one copy from cuda:{gpu}: its block of y, to cuda:0",
            seen=listed(left),
            hint="Join them at once: torch.cat([part.to('cuda:0') for part in parts], dim=1).",
        )


def run_on(submission, gpus):
    """The program on so many GPUs, with sizes that do not stand in it."""
    sizes = {"rows": ROWS, "inputs": INPUTS, "outputs": OUTPUTS}
    return submission.program("columns", gpus=gpus, sizes=sizes)


def even_widths(gpus):
    """The columns of each block, the larger ones first."""
    return [OUTPUTS // gpus + (gpu < OUTPUTS % gpus) for gpu in range(gpus)]


def is_block(size, number):
    """Whether these are the bytes of some columns of y, not of all."""
    columns, rest = divmod(size, ROWS * number)
    return rest == 0 and 0 < columns < OUTPUTS


def shapes_in(text):
    """All pairs of numbers in brackets: (7, 11), torch.Size([7, 11])."""
    return [(int(a), int(b)) for a, b in re.findall(r"[(\[](\d+), *(\d+)[)\]]", text)]


def printed_widths(run):
    """By GPU, the columns of the block that a line says it has: of W, its transpose, or y."""
    widths = {}
    for line in run.printed.splitlines():
        gpu = re.search(r"(?:cuda|gpu|device)[^\d\n]{0,3}(\d+)", line, re.IGNORECASE)
        for shape in shapes_in(line) if gpu else ():
            other = [size for size in shape if size not in (ROWS, INPUTS)]
            if len(other) == 1 and shape != (ROWS, OUTPUTS):
                widths[int(gpu[1])] = other[0]
    return widths


def printed_output(run):
    """The last rows of numbers that were printed, as lists or as a tensor, in one list."""
    lists = re.findall(r"(?<!Size\()\[([-+\d.,e\s]+)\]", run.printed)
    rows = [numbers for numbers in (re.findall(NUMBER, each) for each in lists) if len(numbers) > 2]
    if not rows:
        raise NeedsPerson("no row of numbers is printed; what is the output?")
    return [float(number) for row in rows[-ROWS:] for number in row]


def product():
    """What x @ W is, row by row, with the numbers that the template gives to x and W."""
    x = [[row * INPUTS + k for k in range(INPUTS)] for row in range(ROWS)]
    weight = [[k * OUTPUTS + column for column in range(OUTPUTS)] for k in range(INPUTS)]
    return [
        sum(a * weight[k][column] for k, a in enumerate(row))
        for row in x
        for column in range(OUTPUTS)
    ]


def same_column(output, right, column):
    """Whether a column of the output is right; none is where numbers are missing."""
    pairs = zip(output[column::OUTPUTS], right[column::OUTPUTS], strict=False)
    return len(output) == len(right) and all(abs(a - b) <= 1e-3 * abs(b) for a, b in pairs)


def copies_between_gpus(run):
    """All copies from one GPU to another, in order."""
    return [copy for copy in run.trace.transfers if min(copy.source, copy.target) >= 0]


def bytes_of_a_number(copies):
    """4, unless x went somewhere as numbers of another size."""
    seen = {copy.bytes for copy in copies}
    return next((size for size in (4, 8, 2) if ROWS * INPUTS * size in seen), 4)


def listed(copies):
    """Copies in words."""
    each = [f"cuda:{c.source} -> cuda:{c.target}, {c.bytes} bytes ({c.line})" for c in copies]
    return "; ".join(each) or "none"
