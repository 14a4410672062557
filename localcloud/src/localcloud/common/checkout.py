"""The folders of the checkout that the local cloud is part of and works on."""

from pathlib import Path

CHECKOUT = Path(__file__).parents[4]
SOURCES = CHECKOUT / "localcloud" / "src"
NODE_MODULES = CHECKOUT / "localcloud" / "node" / "node_modules"
