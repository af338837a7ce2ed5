"""Acceptance: from what was found about a draft to what happens with it."""
