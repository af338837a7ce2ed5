"""Built-in parts. Each folder registers what it holds through an entry point of its own."""
