"""Run Hugging Face: the stock Trainer for each stage, with maskplug's collator attached."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from recipes.shared import hf_models
from recipes.shared.curve import Point, of_trainer
from recipes.shared.hf_rows import GroupedByLength, features, lengths
from recipes.shared.pieces import load_tokenizer
from recipes.shared.plan import StageRun
from recipes.shared.running import Tell

HISTORY = "history.json"


def train(stage: StageRun, threads: int, tell: Tell) -> None:
    """Train a stage from its last checkpoint or from its start, and save the best model."""
    trainer = make_trainer(stage, threads, tell)
    stage.folder.mkdir(parents=True, exist_ok=True)
    trainer.train(resume_from_checkpoint=_last_checkpoint(stage.folder))
    trainer.save_model(str(stage.folder / "best"))
    (stage.folder / HISTORY).write_text(json.dumps(trainer.state.log_history))


def _last_checkpoint(folder: Path) -> str | None:
    """Return the newest complete checkpoint; Trainer writes the state of a checkpoint last."""
    states = folder.glob("checkpoint-*/trainer_state.json")
    checkpoints = sorted((int(s.parent.name.split("-")[1]), str(s.parent)) for s in states)
    return checkpoints[-1][1] if checkpoints else None


def curve(stage: StageRun) -> list[Point]:
    """Return the learning curve of a stage."""
    path = stage.folder / HISTORY
    return of_trainer(json.loads(path.read_text())) if path.exists() else []


def make_trainer(stage: StageRun, threads: int, tell: Tell) -> Any:
    """Return the stock Trainer for a stage, with its own order of the rows."""
    import torch
    from transformers import PrinterCallback, logging, set_seed

    from maskplug_hf import DataCollatorForMasking, attach

    torch.set_num_threads(threads)
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    set_seed(stage.run.seed)
    tokenizer = load_tokenizer(stage.run.work, stage.run.recipe.model.family)
    model = hf_models.make(stage, tokenizer)
    collator: Any = DataCollatorForMasking(
        tokenizer, stage.masking["name"], seed=stage.run.seed, model=model, **stage.options
    )
    rows = features(stage, "train")
    trainer = _kind(stage, lengths(rows))(
        model=model,
        args=_arguments(stage),
        train_dataset=rows,
        eval_dataset=features(stage, "valid"),
        data_collator=collator,
        processing_class=tokenizer,
        compute_metrics=_accuracy if stage.stage.task == "classification" else None,
        callbacks=[_progress(stage, tell)],
    )
    trainer.remove_callback(PrinterCallback)
    attach(trainer)
    return trainer


def _kind(stage: StageRun, row_lengths: list[list[int]]) -> Any:
    """Return a Trainer or Seq2SeqTrainer with rows of similar length in a batch."""
    from transformers import Seq2SeqTrainer, Trainer

    base: Any = Trainer if stage.run.recipe.model.family == "bert" else Seq2SeqTrainer

    class Grouped(base):  # type: ignore[misc]
        def _get_train_sampler(self, train_dataset: Any = None) -> Any:
            return GroupedByLength(row_lengths, stage.stage.batch, stage.run.seed)

    return Grouped


def _arguments(stage: StageRun) -> Any:
    from transformers import Seq2SeqTrainingArguments, TrainingArguments

    settings = stage.stage
    bert = stage.run.recipe.model.family == "bert"
    best = "accuracy" if settings.task == "classification" else "loss"
    kind: Any = TrainingArguments if bert else Seq2SeqTrainingArguments
    return kind(
        output_dir=str(stage.folder),
        seed=stage.run.seed,
        max_steps=settings.updates,
        per_device_train_batch_size=settings.batch,
        per_device_eval_batch_size=settings.batch,
        learning_rate=settings.learning_rate,
        adam_beta2=0.98,
        warmup_steps=settings.warmup,
        label_smoothing_factor=settings.label_smoothing,
        logging_steps=stage.log_every,
        eval_strategy="steps",
        eval_steps=settings.every,
        save_strategy="steps",
        save_steps=settings.every,
        save_total_limit=1,
        load_best_model_at_end=True,
        metric_for_best_model=best,
        greater_is_better=best == "accuracy",
        report_to="none",
        disable_tqdm=True,
        use_cpu=True,
        dataloader_pin_memory=False,
    )


def _accuracy(predicted: Any) -> dict[str, float]:
    right = predicted.predictions.argmax(-1) == predicted.label_ids
    return {"accuracy": float(right.mean())}


def _progress(stage: StageRun, tell: Tell) -> Any:
    from transformers import TrainerCallback

    class Progress(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            for name, word in (("loss", "loss"), ("eval_loss", "validation loss")):
                if name in kwargs["logs"]:
                    note = f"{word} {float(kwargs['logs'][name]):.2f}"
                    tell(state.global_step, stage.stage.updates, note)

    return Progress()


def generate(stage: StageRun, split: str, threads: int, tell: Tell) -> list[str]:
    """Return the text that the best model generates for each row of a split."""
    recipe = stage.run.recipe
    tokenizer = load_tokenizer(stage.run.work, recipe.model.family)
    model = hf_models.load(stage.folder / "best", stage)

    def texts(batch: Any) -> list[str]:
        settings = recipe.generation
        length = int(settings.max_a * batch["input_ids"].shape[1]) + settings.max_b
        ids = model.generate(
            **batch, max_new_tokens=length, num_beams=settings.beam, do_sample=False
        )
        return [text.strip() for text in tokenizer.batch_decode(ids, skip_special_tokens=True)]

    return _each(stage, split, threads, tell, texts)


def classify(stage: StageRun, split: str, threads: int, tell: Tell) -> list[str]:
    """Return the class that the best model predicts for each row of a split."""
    model, labels = hf_models.load(stage.folder / "best", stage), stage.run.work.facts()["labels"]

    def classes(batch: Any) -> list[str]:
        return [labels[i] for i in model(**batch).logits.argmax(-1).tolist()]

    return _each(stage, split, threads, tell, classes)


def _each(
    stage: StageRun, split: str, threads: int, tell: Tell, function: Callable[[Any], list[str]]
) -> list[str]:
    """Apply a function to the batches of a split, and return its values by row."""
    import torch

    torch.set_num_threads(threads)
    tokenizer = load_tokenizer(stage.run.work, stage.run.recipe.model.family)
    sources: Sequence[Any] = features(stage, split)["input_ids"]
    order = sorted(range(len(sources)), key=lambda i: -len(sources[i]))
    values: dict[int, str] = {}
    for start in range(0, len(order), 64):
        tell(start, len(order), "")
        rows = order[start : start + 64]
        batch = tokenizer.pad({"input_ids": [sources[i] for i in rows]}, return_tensors="pt")
        with torch.inference_mode():
            values |= dict(zip(rows, function(batch), strict=True))
    return [values[i] for i in range(len(sources))]
