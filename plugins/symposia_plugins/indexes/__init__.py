"""Built-in indexes."""
