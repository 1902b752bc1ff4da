"""Which version of Hourbook this is."""

from importlib.metadata import version

VERSION = version("hourbook")
