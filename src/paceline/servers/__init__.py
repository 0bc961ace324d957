"""The servers, one room each. They never import one another: they talk through `sdk`.

Only `assembly` opens a room. Inside each: server > tasks, cycle > requests > live > store,
event_log, notices, links > rules > options, metrics.
"""
