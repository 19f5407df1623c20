"""Numbers with units as people write them: "0,81 s", "1 039.4", "~1285 MiB", "8.1 ± 0.2 ms"."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_SECONDS = {"h": 3600.0, "min": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_BYTES = {
    "B": 1.0,
    **{f"{prefix}B": 1000.0**n for n, prefix in enumerate("KMGT", 1)},
    **{f"{prefix}iB": 1024.0**n for n, prefix in enumerate("KMGT", 1)},
}

#: Spellings of units, in small letters, by the name that they get here.
_SPELLINGS = {
    "h": "h hour hours tund tundi",
    "min": "min mins minute minutes minut minutit мин",
    "s": "s sec secs second seconds sek sekund sekundit сек с",
    "ms": "ms msec msecs millisecond milliseconds millisekund millisekundit мс",
    "us": "us usec µs μs microsecond microseconds mikrosekundit мкс",
    "ns": "ns nanosecond nanoseconds",
    "B": "b byte bytes bait baiti байт",
    "KB": "kb kilobytes",
    "KiB": "kib",
    "MB": "mb megabyte megabytes mbyte mbytes megabaiti мб",
    "MiB": "mib mebibytes",
    "GB": "gb gigabyte gigabytes gbyte gbytes gigabaiti гб",
    "GiB": "gib gibibytes",
    "TB": "tb",
    "TiB": "tib",
    "%": "% percent protsenti",
    "gpus": "gpu gpus gpu-d gpu-de gpu-sid gpu-ga gput cards kaarti kaart",
    "layers": "layer layers kiht kihti kihid kihte kihiga слой слоя слоёв слоев",
    "transfers": "transfer transfers copies ülekanne ülekannet ülekandeid передач передачи",
}
_UNITS = {spelling: unit for unit, words in _SPELLINGS.items() for spelling in words.split()}

#: Words that name what the number behind them counts: "DEPTH=6", "N_GPUS: 2".
_BEFORE = {"depth": "layers", "sügavus": "layers", "gpus": "gpus", "layers": "layers"}


@dataclass(frozen=True)
class Quantity:
    """A number and its unit by a fixed name, such as "ms", "MiB", "gpus"; None without one."""

    value: float
    unit: str | None = None

    @property
    def seconds(self) -> float | None:
        """The time that it is; None for what is no time."""
        return self.value * _SECONDS[self.unit] if self.unit in _SECONDS else None

    @property
    def bytes(self) -> float | None:
        """The memory that it is; None for what is none. MB are millions, MiB are 2 ** 20."""
        return self.value * _BYTES[self.unit] if self.unit in _BYTES else None


_SPACE = "[ \u00a0\u2009\u202f]"
_NUMBER = (
    rf"(?:\d{{1,3}}(?:{_SPACE}\d{{3}})+(?![\d])(?:[.,]\d+)?"  # 1 039,4
    r"|\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:\.\d{3})+,\d+"  # 1,285.3 and 1.285,3
    r"|\d{1,3}(?:['’]\d{3})+(?:[.,]\d+)?"  # 1'285
    r"|\d+(?:[.,]\d+)*)"
)
_EXPONENT = r"(?:[eE][+-]?\d{1,3}(?!\w)|\s?[×x·*]\s?10\s?\^?\s?[{(]?[−-]?\d{1,2}[})]?)?"
_WORD = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
_QUANTITY = re.compile(
    rf"(?:(?P<before>{'|'.join(_BEFORE)})\s*[=:]?\s*)?"
    rf"(?P<number>(?<![\w.,])[−-]?{_NUMBER}{_EXPONENT})"
    rf"(?:\s*(?:[x×]\s*)?(?P<unit>{_WORD})(?![^\W\d_]|\d))?",
    re.IGNORECASE,
)
#: What must not be read as a quantity: the index of a device, the error of a mean.
_INDEX = re.compile(r"\b(?:gpu|cuda|device|rank|card|kaart)\s*[#:_]?\s*\d{1,3}\b(?!\s*gpu)", re.I)
_ERROR = re.compile(rf"\(\s*(?:±|\+/?-|\+−)\s*{_NUMBER}[^)\d]{{0,8}}\)|(?:±|\+/?-|\+−)\s*{_NUMBER}")
_RANGE = re.compile(r"(?<=\d)\s?[–—-]\s?(?=\d)")


def quantities(text: str, *, decimal_comma: bool = False) -> tuple[Quantity, ...]:
    """All quantities of a text in their order; both ends of a range, each item of a list.

    `decimal_comma` decides what "1,285" is, where nothing else does.
    """
    text = _RANGE.sub(" ; ", _ERROR.sub(" ", _INDEX.sub(" ", text[:2000])))
    found: list[Quantity] = []
    for match in _QUANTITY.finditer(text):
        unit = _UNITS.get((match["unit"] or "").lower())
        if unit is None and match["before"]:
            unit = _BEFORE[match["before"].lower()]
        found += [Quantity(n, unit) for n in _numbers(match["number"], decimal_comma)]
    shared = found[-1].unit if found else None
    if shared in _SECONDS or shared in _BYTES:  # "1282, 1285 MiB": of all of them
        found = [Quantity(q.value, q.unit or shared) for q in found]
    return tuple(found)


def unit_in(label: str) -> str | None:
    """The unit that a head of a column names: "Step time (ms)", "time, s", "memory in MB"."""
    for pattern in (r"[(\[]([^)\]]*)[)\]]", r"(?:,|/|\bin\b)\s*([^\s,/]+)\s*$", r"(\S{2,})\s*$"):
        for found in re.findall(pattern, label[:300]):
            for word in [found, *re.split(r"[\s,;/]+", found)]:
                unit = _UNITS.get(word.strip(" .").lower())
                if unit is not None and (unit in _SECONDS or unit in _BYTES or unit == "%"):
                    return unit
    return None


def has_decimal_commas(texts: Iterable[str]) -> bool:
    """Whether commas in these texts are decimal: "8,1" and "0,810" are; points speak against."""
    commas = points = 0
    for text in texts:
        commas += len(re.findall(r"(?<![\d.,])(?:0,\d+|\d+,(?:\d{1,2}|\d{4,}))(?![\d,.])", text))
        points += len(re.findall(r"(?<![\d.,])(?:0\.\d+|\d+\.(?:\d{1,2}|\d{4,}))(?![\d,.])", text))
        points += len(re.findall(r"\d,\d{3}\.\d", text))
    return commas > points


def _numbers(text: str, decimal_comma: bool) -> list[float]:
    """The number that this is, or the numbers, where commas part them without a space."""
    base, power = _without_exponent(text)
    base = re.sub(rf"{_SPACE}|['’]", "", base).replace("−", "-")
    if base.count(",") > 1 and "." not in base and not re.fullmatch(r"-?\d{1,3}(,000)+", base):
        return [float(part) * power for part in base.split(",") if part.strip("-")]
    try:
        return [float(_plain(base, decimal_comma)) * power]
    except ValueError:  # 1.2.3: a version, perhaps
        return []


def _without_exponent(text: str) -> tuple[str, float]:
    found = re.search(r"[eE]([+-]?\d+)$|\s?[×x·*]\s?10\s?\^?\s?[{(]?([−-]?\d{1,2})[})]?$", text)
    if found is None:
        return text, 1.0
    exponent = int((found[1] or found[2]).replace("−", "-"))
    return text[: found.start()], 10.0 ** max(min(exponent, 300), -300)


def _plain(text: str, decimal_comma: bool) -> str:
    """A number as Python reads it."""
    if "," in text and "." in text:
        last = max(text.rfind(","), text.rfind("."))
        return re.sub("[.,]", "", text[:last]) + "." + text[last + 1 :]
    if "," in text:
        whole, _, rest = text.partition(",")
        grouped = len(rest) == 3 and whole.strip("-") not in ("", "0") and len(whole) <= 4
        return whole + rest if grouped and not decimal_comma else f"{whole}.{rest}"
    if text.count(".") == 1 and decimal_comma and re.fullmatch(r"-?[1-9]\d{0,2}\.\d{3}", text):
        return text.replace(".", "")
    return text.replace(".", "") if text.count(".") > 1 and _grouped(text) else text


def _grouped(text: str) -> bool:
    return bool(re.fullmatch(r"-?\d{1,3}(?:\.\d{3})+", text))
