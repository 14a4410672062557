"""Fuzzers, one module for each door by which foreign text comes in; `make fuzz` tries 10,000 inputs at each."""
