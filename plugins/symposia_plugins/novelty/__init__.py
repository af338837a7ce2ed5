"""Built-in novelty."""
