"""Pacing Server: tells the engagement engine, once per period, how many invitations it may send.

The way of a cycle (`cycle.py`): configuration snapshot → targets (`live/targets.py`) → one peek at
the Stat Server and the agents' states (`links/statistics.py`) → one value of numbers
(`rules/inputs.py`) → `paceline.pacer` (`live/decision.py`) → report with epoch, sequence and life
(`links/engagement.py`) → the answer's pending invitations are the next cycle's input. Only the
master sends. Failures become messages that raise alarms (`links/message.py`).

The way of a request (`requests/`): it reads the picture of the last cycle (`live/picture.py`) and
waits for nothing; stop and resume are stored before they are answered.
"""
