"""Built-in personas."""
