"""Read a tokenizer with the library that its path indicates."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from maskplug.errors import MaskplugError, VocabularyError
from maskplug.vocabulary import Vocabulary

#: Tokens that strategies write by name: modes of UL2, parts of a fill-in-the-middle example.
NAMED = ("[R]", "[S]", "[X]", "<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<mask_1>")

TOKENIZER = "Hugging Face folder, SentencePiece .model or fairseq dict.txt"


@dataclass(frozen=True)
class Reader:
    """A tokenizer: its vocabulary, text to ids, and id to text."""

    vocab: Vocabulary
    encode: Callable[[str], list[int]]
    piece: Callable[[int], str]


@contextmanager
def quiet() -> Iterator[None]:
    """Suppress log messages below warnings, which fairseq writes when it is imported."""
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(before)


def read(path: str | None, text: str) -> Reader:
    """Return the tokenizer at ``path``; if None, split text on whitespace.

    Raises:
        VocabularyError: when the path is not a tokenizer, or its library is not installed.
    """
    if path is None:
        return _words(text)
    file = Path(path)
    if not path or not file.exists():
        raise VocabularyError(f"there is no tokenizer at {path!r}: no such file or folder")
    try:
        if file.suffix == ".model":
            return _sentencepiece(file)
        if file.suffix == ".txt" and not file.name.startswith("vocab"):
            return _fairseq(file)
        return _hugging_face(file)
    except ModuleNotFoundError as error:
        raise VocabularyError(f"reading {path} requires the package {error.name}") from error
    except MaskplugError:
        raise
    except Exception as error:
        raise VocabularyError(
            f"{path} cannot be read as a tokenizer ({' '.join(str(error).split())}); expected a "
            f"{TOKENIZER}"
        ) from error


def _words(text: str) -> Reader:
    sentinels = [f"<extra_id_{i}>" for i in range(100)]
    specials = ["<mask>", "</s>", *sentinels, *NAMED]
    pieces = [*specials, *(word for word in dict.fromkeys(text.split()) if word not in specials)]
    vocab = Vocabulary.from_pieces(
        pieces,
        mask_id=0,
        eos_id=1,
        sentinel_ids=range(2, 102),
        special_ids=range(102, len(specials)),
    )
    return Reader(vocab, lambda t: [pieces.index(w) for w in t.split()], pieces.__getitem__)


def _sentencepiece(path: Path) -> Reader:
    processor = import_module("sentencepiece").SentencePieceProcessor(model_file=str(path))
    return Reader(Vocabulary.from_sentencepiece(processor), processor.encode, processor.id_to_piece)


def _fairseq(path: Path) -> Reader:
    with quiet():
        dictionary = import_module("fairseq.data").Dictionary.load(str(path))
        vocab = import_module("maskplug_fairseq").vocabulary(dictionary)

    def encode(text: str) -> list[int]:
        return dictionary.encode_line(text, add_if_not_exist=False).tolist()  # type: ignore[no-any-return]

    return Reader(vocab, encode, dictionary.symbols.__getitem__)


def _hugging_face(path: Path) -> Reader:
    auto = import_module("transformers").AutoTokenizer
    tokenizer = auto.from_pretrained(str(path), local_files_only=True)
    vocab = import_module("maskplug_hf").vocabulary(tokenizer)
    return Reader(vocab, lambda text: tokenizer(text)["input_ids"], tokenizer.convert_ids_to_tokens)
