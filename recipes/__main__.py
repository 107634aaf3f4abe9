"""Entry point of ``python -m recipes``; see ``--help``."""

from recipes.shared.cli import start

start()
