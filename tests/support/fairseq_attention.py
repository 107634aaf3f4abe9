"""Small models with attention patterns, and batches for them."""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from fairseq import tasks
from fairseq.sequence_generator import SequenceGenerator

from maskplug.attention import Pattern
from maskplug_fairseq.models import AttentionConfig, set_patterns
from support.fairseq_data import EOS, PAD, SIZES, Corpus, write_corpus
from support.fairseq_runs import command, parse

NO_DROPOUT = ("--dropout", "0", "--attention-dropout", "0")
SECTION = ("--section-token", "<sec>")


def make_articles(folder: Path) -> Corpus:
    """Return articles of sections and sentences as sources, and headlines as targets."""
    pick = random.Random(8)
    texts: dict[str, dict[str, list[str]]] = {}
    for split, size in SIZES.items():
        articles = []
        for _ in range(size):
            words: list[str] = []
            for _ in range(pick.randint(2, 3)):
                words.append("<sec>")
                for _ in range(pick.randint(1, 3)):
                    words += [f"▁w{pick.randrange(30)}" for _ in range(pick.randint(2, 6))]
                    words.append(pick.choice("...?"))
            articles.append(words)
        texts[split] = {
            "source": [" ".join(words) for words in articles],
            "target": [" ".join(words[1:5]) for words in articles],
        }
    return write_corpus(folder, texts)


def pattern_flags(**patterns: str) -> list[str]:
    """Return the options for patterns by kind of attention."""
    return [x for kind, text in patterns.items() for x in (f"--{kind}-attention-pattern", text)]


def build(corpus: Corpus, *flags: str, arch: str = "maskplug_transformer", **patterns: str) -> Any:
    """Return a model without dropout; its weights are always the same."""
    flags = ("--arch", arch, *NO_DROPOUT, *pattern_flags(**patterns), *flags)
    args = parse(command(corpus, corpus.folder, *flags))
    if "bart" in arch:  # BART requires one dictionary by default
        args.share_all_embeddings = False
    torch.manual_seed(3)
    return tasks.setup_task(args).build_model(args).eval()


def build_with(corpus: Corpus, *flags: str, **patterns: Pattern) -> Any:
    """Return fairseq's Transformer with patterns that are not registered."""
    model = build(corpus, *flags, arch="transformer")
    set_patterns(model, AttentionConfig(patterns))  # type: ignore[arg-type]
    return model


def random_rows(*lengths: int, seed: int = 0) -> list[torch.Tensor]:
    """Return random sentences of these lengths."""
    pick = torch.Generator().manual_seed(seed)
    rows = [torch.randint(4, 30, (length,), generator=pick) for length in lengths]
    for row in rows:
        row[-1] = EOS
    return rows


def pad(rows: Sequence[torch.Tensor], left: bool) -> torch.Tensor:
    """Return rows in one table, padded as fairseq does."""
    table = torch.full((len(rows), max(map(len, rows))), PAD)
    for line, row in zip(table, rows, strict=True):
        line[slice(-len(row), None) if left else slice(len(row))] = row
    return table


@torch.no_grad()
def run(model: Any, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return the scores of all symbols at all target tokens, computed at once."""
    scores: torch.Tensor = model(source, source.ne(PAD).sum(1), target)[0]
    return scores


@torch.no_grad()
def run_stepwise(model: Any, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return the same scores, computed token by token."""
    encoded = model.encoder(source, source.ne(PAD).sum(1))
    state: dict[str, Any] = {}
    steps = [
        model.decoder(target[:, : n + 1], encoder_out=encoded, incremental_state=state)[0]
        for n in range(target.size(1))
    ]
    return torch.cat(steps, 1)


def gradients(model: Any, source: torch.Tensor, target: torch.Tensor) -> list[torch.Tensor]:
    """Return the gradients of all parameters."""
    model(source, source.ne(PAD).sum(1), target)[0][target.ne(PAD)].sum().backward()
    return [weight.grad for weight in model.parameters()]


def assert_beam_scores(model: Any, source: torch.Tensor) -> None:
    """Check beam search: each token has the score that the whole hypothesis gives it.

    Sentences end one after another, the last one first.
    """
    whole = copy.deepcopy(model)  # a generator changes its model
    generator = SequenceGenerator([model], model.decoder.dictionary, beam_size=5, max_len_b=25)
    step, reordered = generator.search.step, []

    def ending(now: int, scores: torch.Tensor, sums: Any, before: Any, rows: Any) -> Any:
        scores[now + rows > 4 + len(source), :, EOS] += 99
        best = step(now, scores, sums, before, rows)
        reordered.append(bool((best[2][:, :5] != torch.arange(5)).any()))
        return best

    generator.search.step = ending
    lengths = source.ne(PAD).sum(1)
    sample = {"net_input": {"src_tokens": source, "src_lengths": lengths}}
    ends = set()
    for row, beams in zip(source, generator.generate([model], sample), strict=True):
        assert len(beams) == 5
        ends.add(max(len(beam["tokens"]) for beam in beams))
        for beam in beams:
            tokens = beam["tokens"]
            scores = run(whole, row[None], torch.cat([tokens[-1:], tokens[:-1]])[None])
            scores = scores.log_softmax(-1)[0].gather(1, tokens[:, None])[:, 0]
            assert (scores - beam["positional_scores"])[:-1].abs().max() < 1e-5
    assert len(ends) > 2, ends
    assert any(reordered)


@torch.no_grad()
def encode(model: Any, source: torch.Tensor) -> torch.Tensor:
    """Return the encoder's output: (batch, tokens, channels)."""
    out: torch.Tensor = model.encoder(source, source.ne(PAD).sum(1))["encoder_out"][0]
    return out.transpose(0, 1)


def changed(before: torch.Tensor, after: torch.Tensor) -> list[int]:
    """Return the tokens of the first row at which two tables differ."""
    return [int(i) for i in (before != after).flatten(2).any(2)[0].nonzero()]
