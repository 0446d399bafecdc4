"""The version, below everything that records which release made a file."""

VERSION = "0.2.0"
