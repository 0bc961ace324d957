"""Contact centres that are made up: visitors, agents and the traffic of a real bank day.

Used by `paceline demo` and the tests. Talks to servers through `sdk` like anybody else.
"""
