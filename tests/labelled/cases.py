"""What a labelled capture is: a file, what is true of its calls, how it was made, and why.

SPDX-License-Identifier: Apache-2.0
"""
CASES = {}
COLUMNS = ("file", "call", "where", "expected", "alternatives", "made", "programs", "why")


class Truth:
    """What is true of one call of a capture, from what was done on the wire.

    call    its number in the order of the first INVITEs, or "*": the capture as a whole (what no
            call shows: a scan, a registration)
    where   "cause": the main cause of the call; "finding": a finding beside it; "either"
    expected  the id, or "-" for a good call: no cause or finding of severity warning or error
    also    ids that are as right, since the wire shows nothing that would tell them apart
    """

    def __init__(self, expected, why, call=1, also=(), where="cause"):
        self.expected, self.why, self.call, self.where = expected, why, call, where
        self.also = also.split() if isinstance(also, str) else list(also)


class Case:
    def __init__(self, build, file, truths, made, programs, **options):
        self.build, self.file, self.truths, self.made = build, file, truths, made
        self.programs, self.options = programs, options

    def rows(self):
        for truth in self.truths:
            yield (self.file, str(truth.call), truth.where, truth.expected,
                   ",".join(truth.also) or "-", self.made, self.programs, truth.why)  # fmt: skip


def case(file, *truths, made, programs, **options):
    def keep(function):
        if file in CASES:
            raise ValueError(f"two cases are called {file}")
        CASES[file] = Case(function, file, list(truths), made, programs, **options)
        return function

    return keep


def good(why, call=1):
    return Truth("-", why, call)
