"""takes all memory, of its own"""

ENDS = ("memory", "exit")
kept = []
for _ in range(128):
    block = bytearray(16 << 20)
    block[::4096] = b"x" * 4096  # a byte of each page: to write all takes the processor time, first
    kept.append(block)
print("ESCAPED: has 2 GB")
