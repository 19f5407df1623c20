"""raises what is no Exception"""

ENDS = ("exit",)


class Odd(BaseException):
    def __str__(self):
        raise self

    __repr__ = __str__


raise Odd
