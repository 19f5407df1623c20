"""The rungs that hostile programs are run on: what is left out of a better machine's features."""

LEFT_OUT = {
    "namespaces of root": (),
    "namespaces of a user": ("privileges",),
    "Landlock": ("namespaces",),
    "Landlock of Debian 12": ("namespaces", "privileges", "later_landlock"),
}
