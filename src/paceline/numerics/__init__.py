"""Queueing formulas, estimators and forecasts: arrays in, arrays out.

Called by `pacer`; pure, without state, clock or I/O.
"""
