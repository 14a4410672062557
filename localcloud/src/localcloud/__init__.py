"""The local cloud: stand-ins that let the whole product run on one machine, each behind its real protocol."""
