"""The query language: a parser, and the values that expressions are made of."""
