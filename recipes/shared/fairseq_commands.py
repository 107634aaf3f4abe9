"""Build the commands of fairseq that train a stage and generate text."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from maskplug.cli.fairseq_dir import fairseq_dir
from recipes.shared.binarize import langs
from recipes.shared.plan import NONE, Run, StageRun
from recipes.shared.settings import TEXT_TASKS, Model

Options = dict[str, str | None]

TASKS = {
    "translation": "maskplug_translation",
    "denoising": "maskplug_denoising",
    "masked_lm": "maskplug_masked_lm",
    "classification": "maskplug_classification",
}
DATA = {"translation": "pairs", "denoising": "text", "masked_lm": "text"}
CRITERIA = {"masked_lm": "masked_lm", "classification": "sentence_prediction"}
#: The initial checkpoint of BART and RoBERTa: see fairseq_begin.
BEGIN = "begin.pt"
LABEL_SMOOTHED = "label_smoothed_cross_entropy"


def train_command(stage: StageRun) -> list[str]:
    """Return the command that trains a stage and resumes an interrupted one."""
    run, settings = stage.run, stage.stage
    training = {
        "--optimizer": "adam", "--adam-betas": "(0.9,0.98)", "--clip-norm": "1.0",
        "--lr": str(settings.learning_rate), "--lr-scheduler": "polynomial_decay",
        "--warmup-updates": str(settings.warmup), "--total-num-update": str(settings.updates),
        "--max-update": str(settings.updates), "--max-epoch": str(stage.epochs),
        "--batch-size": str(settings.batch), "--required-batch-size-multiple": "1",
        "--seed": str(run.seed), "--cpu": None, "--num-workers": "0",
        "--save-dir": str(stage.folder), "--no-epoch-checkpoints": None,
        "--save-interval-updates": str(settings.every), "--keep-interval-updates": "1",
        "--validate-interval-updates": str(settings.every),
        "--validate-interval": "1000000", "--save-interval": "1000000",
        "--log-format": "json", "--log-interval": str(stage.log_every),
    }  # fmt: skip
    masks: Options = {}
    if stage.masking["name"] != NONE:
        masks = {
            "--masking-plugin": str(stage.masking["name"]),
            "--masking-args": json.dumps(stage.options), "--masking-seed": str(run.seed),
        }  # fmt: skip
    return _command("fairseq-train", stage, _task(stage) | masks | model(stage) | training)


def _task(stage: StageRun) -> Options:
    """Return the options of the task and its criterion."""
    settings = stage.stage
    options: Options = {"--criterion": CRITERIA.get(settings.task, LABEL_SMOOTHED)}
    if options["--criterion"] == LABEL_SMOOTHED:
        options["--label-smoothing"] = str(settings.label_smoothing)
    if settings.task in TEXT_TASKS:
        options |= {"--sample-break-mode": "eos", "--tokens-per-sample": "512"}
    if settings.task == "classification":
        options |= {
            "--num-classes": str(len(stage.run.work.facts()["labels"])), "--init-token": "0",
            "--classification-head-name": "sentence_classification_head",
            "--best-checkpoint-metric": "accuracy", "--maximize-best-checkpoint-metric": None,
        }  # fmt: skip
    if beginning(stage):
        options["--finetune-from-model"] = str(beginning(stage))
    return options


def beginning(stage: StageRun) -> Path | None:
    """Return the checkpoint from which a stage starts; None for the initial weights of fairseq."""
    if stage.start:
        return stage.start / "checkpoint_best.pt"
    return None if stage.run.recipe.model.family == "marian" else stage.folder / BEGIN


def model(stage: StageRun) -> Options:
    """Return the options of the architecture and its size."""
    size, run = stage.run.recipe.model, stage.run
    dropout = str(size.dropout)
    encoder = _stack("encoder", size.layers, size) | {"--dropout": dropout}
    if size.family == "bert":
        return {"--arch": "roberta", "--max-positions": "512", **encoder,
                "--attention-dropout": dropout, "--pooler-dropout": dropout}  # fmt: skip
    decoder = _stack("decoder", size.decoder_layers, size) | {"--share-all-embeddings": None}
    if size.family == "bart":
        return {"--arch": "bart_base", **encoder, **decoder, "--max-source-positions": "1024",
                "--max-target-positions": "1024", "--attention-dropout": "0.0"}  # fmt: skip
    patterns: Options = {
        "--encoder-attention-pattern": size.encoder_attention,
        "--cross-attention-pattern": run.attention,
    }  # fmt: skip
    patterns = {name: pattern for name, pattern in patterns.items() if pattern}
    arch = "maskplug_transformer" if size.encoder_attention or run.attention else "transformer"
    return {"--arch": arch, **encoder, **decoder, **patterns}


def _stack(side: str, layers: int, size: Model) -> Options:
    """Return the size of the encoder or of the decoder."""
    return {
        f"--{side}-layers": str(layers), f"--{side}-embed-dim": str(size.width),
        f"--{side}-ffn-embed-dim": str(size.feed_forward),
        f"--{side}-attention-heads": str(size.heads),
    }  # fmt: skip


def generate_command(stage: StageRun, split: str, attention: str = "") -> list[str]:
    """Return the command that translates or summarizes the clean sources of a split.

    Args:
        stage: its best checkpoint is used.
        split: of the corpus.
        attention: a cross-attention pattern that replaces the one of the training.
    """
    settings = stage.run.recipe.generation
    options: Options = {
        "--path": str(stage.folder / "checkpoint_best.pt"), "--cpu": None, "--batch-size": "64",
        "--gen-subset": split, "--beam": str(settings.beam), "--max-len-a": str(settings.max_a),
        "--max-len-b": str(settings.max_b), "--remove-bpe": "sentencepiece",
        "--required-batch-size-multiple": "1", "--num-workers": "0",
    }  # fmt: skip
    if attention:
        options["--model-overrides"] = str({"cross_attention_pattern": attention})
    return _command("fairseq-generate", stage, options)


def data_of(run: Run, task: str) -> Path:
    """Return the folder of the binary data of a task."""
    return run.work.data_bin(DATA.get(task, "labelled"))


def _command(program: str, stage: StageRun, options: Options) -> list[str]:
    task = stage.stage.task
    command = [str(Path(sys.executable).parent / program), str(data_of(stage.run, task))]
    command += ["--user-dir", str(fairseq_dir()), "--task", TASKS[task]]
    command += langs() if task == "translation" else []
    for name, value in options.items():
        command += [name] if value is None else [name, value]
    return command
