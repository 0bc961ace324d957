"""Compiling the inner loops of the worlds with numba.

Used by the modules beside it; nothing else imports numba. Functions keep their types for mypy.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """The function as machine code, kept on disk between runs where a folder can be written.

    It then takes numbers, arrays and tuples of arrays only, and never raises.
    """
    try:
        return cast(Callable[P, R], numba.njit(cache=True, error_model="numpy")(function))
    except RuntimeError:  # no folder for the cache can be written: compile in every process
        return cast(Callable[P, R], numba.njit(error_model="numpy")(function))
