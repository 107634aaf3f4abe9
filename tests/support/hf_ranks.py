"""Two processes that train together, shared by the tests of masks and of losses.

As a script (``python hf_ranks.py FOLDER CELL…``) it makes all runs on one of them, according to
torchrun's variables.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from support import data_workers, feedback_runs, hf_runs

TESTS = Path(__file__).parents[1]


def start(folder: Path, cells: Sequence[hf_runs.Cell]) -> list[subprocess.Popen[bytes]]:
    """Start both processes, with some cells of the table."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
    env = os.environ | {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    env |= {"OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    return [
        subprocess.Popen(
            [sys.executable, __file__, str(folder), *map(json.dumps, cells)],
            env=env | {"RANK": rank, "LOCAL_RANK": rank},
            stdout=(folder / f"log{rank}.txt").open("w"),
            stderr=subprocess.STDOUT,
        )
        for rank in ("0", "1")
    ]


def wait(folder: Path, processes: list[subprocess.Popen[bytes]]) -> list[dict[str, Any]]:
    """Return what each process wrote: the runs of the table, and those of adaptive masks."""
    codes = [process.wait(timeout=600) for process in processes]
    assert codes == [0, 0], (folder / f"log{int(codes[0] == 0)}.txt").read_text()[-3000:]
    return [json.loads((folder / f"rank{rank}.json").read_text()) for rank in range(2)]


def main(folder: Path, cells: Sequence[hf_runs.Cell]) -> None:
    """Make all runs on this process, and write the inputs of its models."""
    data_workers.shut_down_fast()
    runs = {"masks": hf_runs.all_runs(folder / "masks", cells)}
    runs["losses"] = feedback_runs.all_runs(folder / "losses")
    (folder / f"rank{os.environ['RANK']}.json").write_text(json.dumps(runs))


if __name__ == "__main__":
    main(Path(sys.argv[1]), [tuple(json.loads(cell)) for cell in sys.argv[2:]])
