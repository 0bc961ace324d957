"""Tests of the Stat Server."""
