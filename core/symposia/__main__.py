"""`python -m symposia`."""

from symposia.cli.main import main

main()
