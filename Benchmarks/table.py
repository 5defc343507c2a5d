"""Tables in Markdown, and what turns samples into their figures."""

import math
import sys


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, math.ceil(len(values) * part) - 1)]


class Table:
    """Rows of text. The last two columns say what was aimed at, and whether it was met."""

    def __init__(self, *columns):
        self.head = ["", *columns, "target", "met"]
        self.rows = []
        self.missed = []

    def add(self, what, *cells, targets=()):
        """Each target is a text, and whether it was met."""
        print(".", end="", file=sys.stderr, flush=True)
        verdicts = ["yes" if met else "**no**" for _, met in targets]
        if len(set(verdicts)) == 1:
            verdicts = verdicts[:1]
        self.rows.append([what, *cells, ", ".join(text for text, _ in targets), ", ".join(verdicts)])
        self.missed += [f"{what}: {text}" for text, met in targets if not met]

    def print(self):
        widths = [max(len(row[column]) for row in [self.head, *self.rows]) for column in range(len(self.head))]
        for row in [self.head, ["-" * width for width in widths], *self.rows]:
            print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |")
