"""Agent graphs: how roles negotiate a sample."""
