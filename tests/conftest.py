"""What every test shares: how many examples a law is tried on.

`make test` tries few examples per law, the same in every run, so that a change is judged by what it changed;
`make test-all` tries many, new ones each time. A law has no deadline: machines are shared, and slow tests show
in pytest's durations.
"""

from hypothesis import settings

settings.register_profile("fast", max_examples=25, deadline=None, derandomize=True)
settings.register_profile("thorough", max_examples=1000, deadline=None, print_blob=True)
settings.load_profile("fast")
