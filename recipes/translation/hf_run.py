"""The Hugging Face side: same text, same masks, a Marian-like model and the stock Trainer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from maskplug.spec import options_from_json
from recipes.translation.corpus import Split
from recipes.translation.fairseq_run import Masking
from recipes.translation.prepare import Workspace


def load_tokenizer(work: Workspace) -> Any:
    """The Marian tokenizer that ``prepare`` made."""
    from transformers import MarianTokenizer

    return MarianTokenizer.from_pretrained(str(work.tokenizer))


def encode(tokenizer: Any, split: Split) -> list[dict[str, list[int]]]:
    """``input_ids`` and ``labels`` of every pair."""
    sources = tokenizer(split.source)["input_ids"]
    targets = tokenizer(text_target=split.target)["input_ids"]
    return [{"input_ids": s, "labels": t} for s, t in zip(sources, targets, strict=True)]


def make_model(tokenizer: Any) -> Any:
    """A small encoder-decoder of the size of the fairseq recipe's."""
    from transformers import MarianConfig, MarianMTModel

    config = MarianConfig(
        vocab_size=len(tokenizer),
        d_model=128,
        encoder_layers=2,
        encoder_ffn_dim=256,
        encoder_attention_heads=4,
        decoder_layers=1,
        decoder_ffn_dim=256,
        decoder_attention_heads=4,
        max_position_embeddings=1024,
        scale_embedding=True,
        init_std=128**-0.5,  # at this width the usual 0.02 learns nothing in minutes
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        forced_eos_token_id=None,
        decoder_start_token_id=tokenizer.pad_token_id,
    )
    return MarianMTModel(config)


def make_trainer(
    work: Workspace,
    splits: dict[str, Split],
    masking: Masking,
    epochs: int,
    tell: Callable[[float, str], None],
) -> Any:
    """A Seq2SeqTrainer with maskplug's collator, attached."""
    from transformers import (
        PrinterCallback,
        Seq2SeqTrainer,
        Seq2SeqTrainingArguments,
        logging,
        set_seed,
    )

    from maskplug_hf import DataCollatorForMasking, attach

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    set_seed(1)
    tokenizer = load_tokenizer(work)
    model = make_model(tokenizer)
    options = options_from_json(masking.options, "--options")
    collator: Any = DataCollatorForMasking(
        tokenizer, masking.strategy, seed=masking.seed, model=model, **options
    )
    args = Seq2SeqTrainingArguments(
        output_dir=str(work.root / "trainer"),
        num_train_epochs=epochs,
        per_device_train_batch_size=32,
        learning_rate=2e-3,
        warmup_steps=60,
        label_smoothing_factor=0.1,
        logging_steps=5,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        train_sampling_strategy="group_by_length",
        use_cpu=True,
        dataloader_pin_memory=False,
    )
    trainer = Seq2SeqTrainer(
        model=model,
        args=args,
        train_dataset=encode(tokenizer, splits["train"]),
        data_collator=collator,
        processing_class=tokenizer,
        callbacks=[progress_callback(tell)],
    )
    trainer.remove_callback(PrinterCallback)
    attach(trainer)
    return trainer


def progress_callback(tell: Callable[[float, str], None]) -> Any:
    """A callback that tells the epochs done, as a fraction, and the loss."""
    from transformers import TrainerCallback

    class Progress(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if "loss" in kwargs["logs"]:
                tell(state.epoch, f"loss {float(kwargs['logs']['loss']):.2f}")

    return Progress()


def translate(trainer: Any, split: Split) -> list[str]:
    """Translate clean sources greedily: one line each, in their order."""
    import torch

    tokenizer, model = trainer.processing_class, trainer.model.eval()
    order = sorted(range(len(split)), key=lambda i: len(split.source[i]))
    found: dict[int, str] = {}
    for start in range(0, len(order), 50):
        rows = order[start : start + 50]
        batch = tokenizer([split.source[i] for i in rows], padding=True, return_tensors="pt")
        longest = int(1.2 * batch["input_ids"].shape[1]) + 10
        with torch.inference_mode():
            ids = model.generate(**batch, max_new_tokens=longest, num_beams=1)
        found |= dict(zip(rows, tokenizer.batch_decode(ids, skip_special_tokens=True), strict=True))
    return [found[i] for i in range(len(split))]
