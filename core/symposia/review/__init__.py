"""Review: which samples a person sees, and what they decide."""
