"""Run the command line in this process, and build tokenizers for it."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from maskplug.cli import main


def run(*arguments: object, columns: int = 200) -> Result:
    """Run ``maskplug`` with these arguments."""
    environment = {"COLUMNS": str(columns)}
    return CliRunner().invoke(main, [str(argument) for argument in arguments], env=environment)


def succeeded(*arguments: object, columns: int = 200) -> str:
    """Run ``maskplug``, expect exit code 0, and return the output."""
    result = run(*arguments, columns=columns)
    assert result.exit_code == 0, result.output
    return result.output


def refused(*arguments: object) -> str:
    """Run ``maskplug``, expect an error without a traceback, and return the output."""
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    return result.output


def sentencepiece_model(folder: Path, text: str, **options: object) -> Path:
    """Train a SentencePiece model on a text."""
    import sentencepiece

    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([text] * 50),
        model_prefix=str(folder / "spm"),
        minloglevel=2,
        hard_vocab_limit=False,
        **{"vocab_size": 30, **options},
    )
    return folder / "spm.model"


def wordpiece(folder: Path, *pieces: str) -> Path:
    """Save a BERT tokenizer with these pieces: [CLS] … [SEP] around every text."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    vocab = {p: i for i, p in enumerate(["[UNK]", "[MASK]", "[CLS]", "[SEP]", *pieces])}
    model = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    model.pre_tokenizer = pre_tokenizers.Whitespace()
    model.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=model, unk_token="[UNK]", mask_token="[MASK]", cls_token="[CLS]",
        sep_token="[SEP]",
    ).save_pretrained(str(folder))  # fmt: skip
    return folder
