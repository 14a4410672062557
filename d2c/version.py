"""The product's version, where a package's metadata is (a clone) and where it is not (a Function app)."""

VERSION = "0.1.0"
