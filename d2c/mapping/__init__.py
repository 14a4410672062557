"""Map items to documents: pure and deterministic, with equal results on a laptop, in the app and on Spark."""

from d2c.mapping.comparison import (
    canonical_value,
    differences,
    digest,
    document_identity,
    fingerprint,
    identity_of,
)
from d2c.mapping.container import faults_of_sharing
from d2c.mapping.mapped_shape import MappedShape, count_inexact
from d2c.mapping.mapper import Document, Expired, Mapped, Mapper, compile_mapper
from d2c.mapping.parse_rules import parse_rules
from d2c.mapping.rejected import REASONS, Rejected
from d2c.mapping.rules import KeySchema, Rules, RulesError
from d2c.mapping.time_to_live import ttl_fits

__all__ = [
    "REASONS",
    "Document",
    "Expired",
    "KeySchema",
    "Mapped",
    "MappedShape",
    "Mapper",
    "Rejected",
    "Rules",
    "RulesError",
    "canonical_value",
    "compile_mapper",
    "count_inexact",
    "differences",
    "digest",
    "document_identity",
    "faults_of_sharing",
    "fingerprint",
    "identity_of",
    "parse_rules",
    "ttl_fits",
]
