"""``python -m maskplug`` is the ``maskplug`` command."""

from maskplug.cli import main

if __name__ == "__main__":
    main(prog_name="maskplug")
