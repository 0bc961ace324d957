"""Console: the live page of a site; administration and the agent desktop come later.

The way of a page: `requests/entrance` opens a session for a person who logged in or came with a
one-time link; `requests/pages` gives the page to whoever has a session and may read everything;
the page asks `requests/live_feed` once a second for the picture.

The way of a figure: `tasks/collect` asks each server through its `sdk` client, `live/board` keeps
the last answer and what is wrong with its source, and once a second becomes one picture in JSON,
which all browsers share. A server that is away leaves its last figures and says so.

The browser holds only an opaque cookie; sessions live in this process. Nothing is stored, and
nothing but the configured servers is asked.
"""
