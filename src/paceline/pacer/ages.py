"""How the life of an invitation is cut into ages, and at which resolution its fate is counted.

Used by the pacer's state and by what learns from invitations; pure bookkeeping of indices.
Never holds a count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

AgeArray = NDArray[np.float32]
Rows = AgeArray | Sequence[AgeArray]
"""Arrays (n,), one for each age or bucket of ages."""

AGE_WINDOW_S: Final = 80.0
"""An invitation's whole life must fit (PACING.md): a shorter window let abandonment reach 6.9 %."""
FINE_AGES: Final = 10
"""Ages of one cycle each at the start of life, where acceptance changes fastest (chosen)."""
MIDDLE_WIDTH_S: Final = 2.0
MIDDLE_END_S: Final = 50.0
OLD_WIDTH_S: Final = 10.0
"""Later ages are counted together: 2 s up to 50 s, then 10 s (chosen). It saves two fifths of the memory at
T = 1 s; what is pending is still recorded by single cycles, so a timeout stays sharp to one such width."""


@dataclass(frozen=True, slots=True, eq=False)
class AgeGrid:
    """`age_count` ages of one cycle, the last open-ended; age a is counted in bucket `bucket[a]`."""

    bucket: NDArray[np.intp]  # (ages,), rising from 0
    starts: NDArray[np.intp]  # (buckets,), first age of each

    @classmethod
    def covering(cls, shortest_period_s: float) -> Self:
        """Cut `AGE_WINDOW_S` for targets whose shortest cycle is `shortest_period_s` > 0."""
        count = max(int(np.ceil(AGE_WINDOW_S / shortest_period_s)), 1)
        starts = []
        age = 0
        while age < count:
            starts.append(age)
            age += _width(age, shortest_period_s)
        sizes = np.diff([*starts, count])
        bucket = np.repeat(np.arange(len(starts), dtype=np.intp), sizes)
        return cls(bucket, np.array(starts, dtype=np.intp))

    @property
    def _added(self) -> list[int]:
        """Ages that are not the first of their bucket."""
        return [age for age, start in enumerate(self.starts[self.bucket].tolist()) if age != start]

    @property
    def age_count(self) -> int:
        """Number of single-cycle ages."""
        return int(self.bucket.size)

    @property
    def bucket_count(self) -> int:
        """Number of ages counted apart."""
        return int(self.starts.size)

    def gathered(self, by_age: AgeArray) -> AgeArray:
        """Sum over the ages of each bucket; (ages, n) to (buckets, n)."""
        if self.bucket_count == self.age_count:
            return by_age
        gathered: AgeArray = by_age[self.starts]
        for age in self._added:
            gathered[self.bucket[age]] += by_age[age]
        return gathered

    @property
    def ages(self) -> list[slice]:
        """The ages of each bucket."""
        ends = [*self.starts.tolist()[1:], self.age_count]
        return [slice(first, end) for first, end in zip(self.starts.tolist(), ends, strict=True)]

    def rows(self, by_age: AgeArray) -> list[AgeArray]:
        """As `gathered`, row by row, and a bucket of a single age is that age's row itself."""
        found = (by_age[ages] for ages in self.ages)
        return [each[0] if len(each) == 1 else total(each) for each in found]

    def fitted(self, by_age: AgeArray) -> AgeArray:
        """Cut or extend (any, n) to (ages, n): what was older falls into the open last age."""
        fitted = np.zeros((self.age_count, by_age.shape[1]), dtype=np.float32)
        kept = min(self.age_count, by_age.shape[0])
        fitted[:kept] = by_age[:kept]
        fitted[-1] += by_age[kept:].sum(axis=0)
        return fitted

    def spread(self, by_bucket: AgeArray) -> AgeArray:
        """Share each bucket's count evenly over its ages; (buckets, n) to (ages, n)."""
        sizes = np.diff([*self.starts.tolist(), self.age_count]).astype(np.float32)
        spread: AgeArray = (by_bucket / sizes[:, None])[self.bucket]
        return spread


def total(by_age: Rows) -> AgeArray:
    """Sum over ages, (any, n) to (n,), row after row: the same whatever stands beside a target."""
    whole: AgeArray = by_age[0].copy()
    for row in by_age[1:]:
        whole += row
    return whole


def total_product(one: Rows, other: Rows) -> AgeArray:
    """Sum of products over ages, as `total`."""
    whole: AgeArray = one[0] * other[0]
    for left, right in zip(one[1:], other[1:], strict=True):
        whole += left * right
    return whole


def _width(age: int, period_s: float) -> int:
    """Cycles counted together from `age` on."""
    if age < FINE_AGES:
        return 1
    width_s = MIDDLE_WIDTH_S if age * period_s < MIDDLE_END_S else OLD_WIDTH_S
    return max(int(np.ceil(width_s / period_s)), 1)
