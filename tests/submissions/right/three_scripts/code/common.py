def spread(i, n, depth):
    return i * n // depth
