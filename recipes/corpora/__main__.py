"""Entry point of ``python -m recipes.corpora``; see ``--help``."""

from recipes.corpora.cli import main

main(prog_name="python -m recipes.corpora")
