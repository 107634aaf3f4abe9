"""Encoders whose patterns read sentences and sections, and what their dictionaries must have."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from fairseq import options
from fairseq.data import Dictionary
from fairseq_cli import generate

from maskplug.errors import OptionError
from maskplug_fairseq.attention_tokens import Reader
from support import fairseq_attention
from support.fairseq_attention import (
    EOS,
    PAD,
    assert_beams_score_as_a_whole,
    changed,
    encode,
    flags_of,
    padded,
)
from support.fairseq_runs import LANGUAGES, SIZES, USER_DIR, Corpus, preprocessed, train

HEADS = "sentence(heads=true) | sink:n=1"
NEAR = "sentence & window:left=2,right=2 | section"
PLACES = {"heads": HEADS, "near": NEAR}
SECTION = ("--section-token", "<sec>")
ARCH = "maskplug_transformer"


def article(pick: random.Random) -> str:
    """Two or three sections of one to three sentences each."""
    words = []
    for _ in range(pick.randint(2, 3)):
        words.append("<sec>")
        for _ in range(pick.randint(1, 3)):
            words += [f"▁w{pick.randrange(30)}" for _ in range(pick.randint(2, 6))]
            words.append(pick.choice("...?"))
    return " ".join(words)


@pytest.fixture(scope="module")
def articles(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Articles and their headlines."""
    folder, pick = tmp_path_factory.mktemp("articles"), random.Random(8)
    for split, size in SIZES.items():
        texts = [article(pick) for _ in range(size)]
        heads = [" ".join(text.split()[1:5]) for text in texts]
        for side, lines in (("source", texts), ("target", heads)):
            (folder / f"{split}.{LANGUAGES[side]}").write_text("\n".join(lines) + "\n")
    return preprocessed(folder)


def build(articles: Corpus, encoder: str = "", *flags: str, arch: str = ARCH) -> Any:
    """A model with this pattern in its encoder; always with the same weights."""
    given = flags_of(encoder=encoder) if encoder else []
    return fairseq_attention.build(articles, *given, *flags, arch=arch)


def source(corpus: Corpus, text: str) -> torch.Tensor:
    ids: torch.Tensor = corpus.dictionary("source").encode_line(text, add_if_not_exist=False)
    return ids.long()


#: Tokens 0-3, 4-7 (the section's), 8-11 with the end of sequence.
TEXT = "▁w1 ▁w2 ▁w3 . <sec> ▁w4 ▁w5 ? ▁w6 ▁w7 ."


def layers(dictionary: Dictionary, text: str, *read: str, token: str | None = None) -> Any:
    reader = Reader(dictionary, read, token)
    ids = dictionary.encode_line(text, add_if_not_exist=False, append_eos=False).long()[None]
    return {name: layer[0].astype(int).tolist() for name, layer in reader(ids).items()}


def dictionary(*pieces: str) -> Dictionary:
    made = Dictionary()
    for piece in pieces:
        made.add_symbol(piece)
    return made


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("a . a a ? a", [0, 0, 1, 0, 0, 1]),
        ("a ? . a", [0, 0, 0, 1]),
        ("a . </s> a </s>", [0, 0, 0, 1, 0]),
        ("<pad> <pad> a . a", [0, 0, 0, 0, 1]),
        ("a . <pad> <pad>", [0, 0, 1, 0]),
    ],
)
def test_where_sentences_begin(text: str, starts: Sequence[int]) -> None:
    found = layers(dictionary("a", ".", "?"), text, "sentence_starts")["sentence_starts"]
    assert found[1:] == list(starts)[1:]


def test_where_sections_begin_sentences_begin() -> None:
    both = layers(
        dictionary("a", ".", "<sec>"),
        "a <sec> a . a <sec> a",
        *("sentence_starts", "section_starts"),
        token="<sec>",
    )
    assert both["section_starts"] == [0, 1, 0, 0, 0, 1, 0]
    assert both["sentence_starts"][1:] == [1, 0, 0, 1, 1, 0]


@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("encoder", "place", "reached"),
    [
        ("sentence", 1, [0, 1, 2, 3]),
        ("sentence", 4, [4, 5, 6, 7]),
        ("sentence", 9, [8, 9, 10, 11]),
        ("sentence & window:left=1,right=1", 2, [1, 2, 3]),
        ("section", 1, [0, 1, 2, 3]),
        ("section", 6, [4, 5, 6, 7, 8, 9, 10, 11]),
        ("section", 4, list(range(12))),
        (HEADS, 0, list(range(12))),
        (HEADS, 4, list(range(12))),
        (HEADS, 5, [4, 5, 6, 7]),
    ],
)
def test_a_token_reaches_its_sentence(
    articles: Corpus, left: bool, training: bool, encoder: str, place: int, reached: list[int]
) -> None:
    model = build(articles, encoder, *SECTION).train(training)
    text, longer = source(articles, TEXT), source(articles, f"▁w5 . {TEXT}")
    table = padded([text, longer], left)
    first = len(longer) - len(text) if left else 0
    with torch.no_grad():
        embedded = model.encoder.embed_tokens(table)
        made = []
        for more in (0, 1):
            embedded[0, first + place] += more
            made.append(model.encoder(table, token_embeddings=embedded)["encoder_out"][0])
    before, after = (out.transpose(0, 1)[:, first : first + len(text)] for out in made)
    assert changed(before, after) == reached


@pytest.mark.parametrize("arch", [ARCH, "maskplug_bart_base"])
@pytest.mark.parametrize("name", PLACES)
def test_padding_changes_nothing(articles: Corpus, arch: str, name: str) -> None:
    model = build(articles, PLACES[name], *SECTION, "--encoder-layers", "2", arch=arch)
    texts = [source(articles, x) for x in (TEXT, "▁w5 .", TEXT.replace("?", "▁w8 . ▁w1"))]
    left, right = (padded(texts, side) for side in (True, False))
    one, other = encode(model, left)[left.ne(PAD)], encode(model, right)[right.ne(PAD)]
    assert (one - other).abs().max() < 1e-5
    alone = torch.cat([encode(model, text[None])[0] for text in texts])
    assert (one - alone).abs().max() < 1e-5


def test_activation_checkpoints(articles: Corpus) -> None:
    sources = padded([source(articles, TEXT), source(articles, "▁w5 . ▁w2 ?")], True)
    target = torch.tensor([[EOS, 5, 6], [EOS, 7, 8]])
    gradients = []
    for flags in ((), ("--checkpoint-activations",)):
        model = build(articles, HEADS, *SECTION, *flags).train()
        model(sources, sources.ne(PAD).sum(1), target)[0].sum().backward()
        gradients.append([w.grad for w in model.parameters()])
    for one, other in zip(*gradients, strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_it_trains_and_generates(articles: Corpus, tmp_path: Any) -> None:
    masking = ("--masking-plugin", "none", "--masking-args", "{}", "--num-workers", "0")
    arch = ("--arch", ARCH, *masking, *flags_of(encoder=HEADS), *SECTION)
    folder = tmp_path / "saved"
    run = train(articles, folder, *arch, "--disable-validation", max_epoch=1)
    assert len(run.fed) == 16
    where = ["--path", str(folder / "checkpoint_last.pt"), "--user-dir", USER_DIR, "--cpu"]
    more = ["--batch-size", "4", "--required-batch-size-multiple", "1", "--num-workers", "0"]
    flags = [articles.data, "--task", "translation", *where, *more, "--max-len-b", "9"]
    flags += ["--results-path", str(tmp_path)]
    generate.main(options.parse_args_and_arch(options.get_generation_parser(), flags))
    written = (tmp_path / "generate-test.txt").read_text().splitlines()
    assert sum(line.startswith("H-") for line in written) == SIZES["test"]


def test_beam_search(articles: Corpus) -> None:
    texts = [TEXT, TEXT, "▁w5 .", "▁w5 . ▁w2 ?", "▁w6 ▁w7 .", TEXT.replace("?", ".")]
    model = build(articles, HEADS, *SECTION)
    assert_beams_score_as_a_whole(model, padded([source(articles, x) for x in texts], left=True))


def test_parameters_stay_fairseq_s(articles: Corpus) -> None:
    ours = build(articles, HEADS, *SECTION).state_dict()
    theirs = build(articles, arch="transformer").state_dict()
    assert list(ours) == list(theirs)
    assert all(torch.equal(theirs[name], weight) for name, weight in ours.items())


@pytest.mark.parametrize("encoder", ["sentence", "sentence | sink:n=2", "sentence:heads=true"])
def test_without_full_stops_it_is_refused(corpus: Corpus, encoder: str) -> None:
    flags = ("--section-token", "</s>")
    with pytest.raises(OptionError, match=r"--encoder-.*'sentence_starts'.*full stop.*GPT-2"):
        build(corpus, encoder, *flags)


@pytest.mark.parametrize("encoder", ["section", HEADS])
def test_sections_need_their_token(articles: Corpus, encoder: str) -> None:
    with pytest.raises(OptionError, match=r"--encoder-.*'section_starts'.*--section-token"):
        build(articles, encoder)
    with pytest.raises(OptionError, match=r"--section-token.*'<sce>'.*did you mean '<sec>'"):
        build(articles, encoder, "--section-token", "<sce>")


def test_the_decoder_knows_of_no_sentences(articles: Corpus) -> None:
    with pytest.raises(OptionError, match=r"--decoder-.*'sentence_starts'.*only 'valid'"):
        build(articles, "", *flags_of(decoder="sentence"))
