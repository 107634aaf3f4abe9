"""The versions that maskplug supports, tested: ``make test-versions``, or ``nox``.

Each session installs the package as a user does, not the checkout. A Python that is not installed
is skipped, and nox says so.
"""

from __future__ import annotations

import nox

PYTHONS = ["3.11", "3.12", "3.13"]
CORE = ["tests/test_golden.py", "tests/test_purity.py", "tests/test_invariants.py"]
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
    # The command, not "python -m pytest", which would import maskplug from the checkout.
    session.run("pytest", *CORE, *COMMANDS, *session.posargs)


@nox.session(python="3.11")
def trainer(session: nox.Session) -> None:
    """Compare the masks of transformers' Trainer, at its lowest version, with the core's."""
    session.install(
        ".[hf]", *TESTING, "datasets", "sentencepiece", "-r", "requirements/lowest-hf.txt"
    )
    session.run("pip", "freeze")
    # The sampler that this test needs came with a later transformers.
    newer = "tests/hf/test_attach.py::test_steps_need_a_sampler_of_indices"
    session.run("pytest", "tests/hf/test_attach.py", "--deselect", newer, *session.posargs)
