"""Tokenizers for the command line: what a path holds decides which library reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from maskplug.cli.quiet import quiet
from maskplug.errors import MaskplugError, VocabularyError
from maskplug.vocabulary import Vocabulary

#: Tokens that strategies write by name: modes of UL2, parts of a fill-in-the-middle example.
NAMED = ("[R]", "[S]", "[X]", "<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<mask_1>")


@dataclass(frozen=True)
class Reader:
    """What the command line needs of a tokenizer."""

    vocab: Vocabulary
    encode: Callable[[str], list[int]]
    piece: Callable[[int], str]


def read(path: str | None, text: str) -> Reader:
    """The tokenizer at ``path``, or without one the words of ``text`` itself.

    Raises:
        VocabularyError: when the path holds no tokenizer, or its library is not installed.
    """
    if path is None:
        return _words(text)
    place = Path(path)
    if not path or not place.exists():
        raise VocabularyError(f"there is no tokenizer at {path!r}: no such file or folder")
    try:
        if place.suffix == ".model":
            return _sentencepiece(place)
        if place.suffix == ".txt" and not place.name.startswith("vocab"):
            return _fairseq(place)
        return _hugging_face(place)
    except ModuleNotFoundError as error:
        raise VocabularyError(f"reading {path} needs the package {error.name}") from error
    except MaskplugError:
        raise
    except Exception as error:
        raise VocabularyError(
            f"{path} cannot be read as a tokenizer ({' '.join(str(error).split())}); give a "
            "Hugging Face tokenizer's folder, a SentencePiece .model or a fairseq dict.txt"
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
        ids: list[int] = dictionary.encode_line(text, add_if_not_exist=False).tolist()
        return ids

    return Reader(vocab, encode, dictionary.symbols.__getitem__)


def _hugging_face(path: Path) -> Reader:
    auto = import_module("transformers").AutoTokenizer
    tokenizer = auto.from_pretrained(str(path), local_files_only=True)
    vocab = import_module("maskplug_hf").vocabulary(tokenizer)
    return Reader(vocab, lambda text: tokenizer(text)["input_ids"], tokenizer.convert_ids_to_tokens)
