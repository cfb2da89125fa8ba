"""A progress bar for a long command."""

import time

from django.core.management.base import OutputWrapper

_WIDTH = 30


class Progress:
    """Tells how many of so many are done: redrawn in place on a terminal, else a line for every tenth."""

    def __init__(self, total: int, *, of: str, stream: OutputWrapper) -> None:
        self.total = total
        self.of = of
        self.stream = stream
        self.done = 0
        self.started = time.monotonic()

    def advance(self, step: int) -> None:
        """So many more are done."""
        tenths_told = 10 * self.done // self.total
        self.done += step
        if self.stream.isatty():
            bar = "#" * (_WIDTH * self.done // self.total)
            ending = "\n" if self.done == self.total else ""
            self._write(f"\r[{bar:{_WIDTH}}] {self._figures():70}{ending}")
        elif 10 * self.done // self.total > tenths_told:
            self._write(f"{self._figures()}\n")

    def _figures(self) -> str:
        rate = self.done / max(time.monotonic() - self.started, 0.001)
        return f"{100 * self.done // self.total:3} %  {self.done:,} of {self.total:,} {self.of}, {rate:,.0f} a second"

    def _write(self, text: str) -> None:
        self.stream.write(text, style_func=str, ending="")  # in its own color: it is no error
        self.stream.flush()
