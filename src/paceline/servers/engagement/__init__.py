"""Reference engagement engine: spends pacing permits on invitations and submits what is accepted.

The way of a report: `requests/report.py` checks it, the book (`live/book.py`) decides epoch and
sequence in the order of the commits and stores them, then the permits live in memory only
(`live/permits.py`): a restart leaves none. The answer carries pending, sent, resolved, accepted.
The way of an invitation: `requests/invitations.py` spends a permit atomically, the book commits
the invitation with its target's counts, then 201. Accepted: committed first, then submitted to the
Interaction Server with the invitation's id as client token (`live/submitter.py`), again and again
until it is acknowledged, also after a restart. `tasks/expire.py` ends what nobody answered.

An engine of another make needs only the contract of INTERFACES; this one proves it.
"""
