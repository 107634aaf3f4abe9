"""Test the supported versions: ``make test-versions``, or ``nox``.

Each session installs the package like a user, not the checkout. nox skips and reports a Python that
is not installed.
"""

from __future__ import annotations

import nox

PYTHONS = ["3.11", "3.12", "3.13"]
CORE = ["tests/test_golden.py", "tests/test_invariants.py"]
COMMANDS = [f"tests/cli/test_{name}.py" for name in ("hostile", "show", "terminal")]
TESTING = ["pytest", "hypothesis", "scipy"]

nox.options.error_on_missing_interpreters = False
nox.options.reuse_existing_virtualenvs = True


@nox.session(python=PYTHONS)
@nox.parametrize("dependencies", ["lowest", "newest"])
def core(session: nox.Session, dependencies: str) -> None:
    """Run the golden, purity and invariants tests, and those of the command line."""
    if dependencies == "lowest":
        session.install(".", *TESTING, "-r", "requirements/lowest.txt")
    else:
        session.install("--upgrade", "--upgrade-strategy", "eager", ".", *TESTING)
    session.run("pip", "freeze")
    # "python -m pytest" would import maskplug from the checkout.
    session.run("pytest", *CORE, *COMMANDS, *session.posargs)


@nox.session(python="3.11")
def trainer(session: nox.Session) -> None:
    """Compare the masks of the lowest supported Trainer with those of the core."""
    session.install(
        ".[hf]", *TESTING, "datasets", "sentencepiece", "-r", "requirements/lowest-hf.txt"
    )
    session.run("pip", "freeze")
    # This test needs a sampler of a later version of transformers.
    newer = "tests/hf/test_attach.py::test_steps_need_a_sampler_of_indices"
    session.run("pytest", "tests/hf/test_attach.py", "--deselect", newer, *session.posargs)
