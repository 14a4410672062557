"""Fuzzers, one module for each door by which foreign text comes in.

`make fuzz` tries 10,000 inputs in each test, so a door that has a test for each kind of text gets several times as
many. Where tests at a door put the same kind of text into several places of it, they have the 10,000 together (`most`
of `fuzzing.fuzzed`): the routes of bodies, the settings that hold JSON. A regular expression is tried with 300 texts
that it matches, and with some hundred made of each that it nearly matches.
"""
