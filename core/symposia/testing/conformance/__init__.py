"""Conformance suites: what every implementation of a contract must keep, as calls for a plugin's own tests.

Each suite builds the part anew where it needs to, and raises `AssertionError` with the rule that was broken.
"""
