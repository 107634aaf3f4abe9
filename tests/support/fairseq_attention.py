"""Small models whose attention follows patterns, and batches for them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from fairseq import tasks
from fairseq.sequence_generator import SequenceGenerator

from maskplug.attention import Pattern
from maskplug_fairseq.attention_options import AttentionPlan
from maskplug_fairseq.models import follow
from support.fairseq_runs import Corpus, config, train_flags

PAD, EOS = 1, 2
STILL = ("--dropout", "0", "--attention-dropout", "0")


def flags_of(**patterns: str) -> list[str]:
    """Options for the patterns of some places."""
    return [x for place, text in patterns.items() for x in (f"--{place}-attention-pattern", text)]


def build(corpus: Corpus, *flags: str, arch: str = "maskplug_transformer", **patterns: str) -> Any:
    """A model by its command line, without dropout; always with the same weights."""
    given = ["--arch", arch, *STILL, *flags_of(**patterns), *flags]
    cfg = config(train_flags(corpus, corpus.folder, *given))
    task = tasks.setup_task(cfg.task)
    if "bart" in arch:  # BART wants one dictionary for both languages
        cfg.model.share_all_embeddings = False
    torch.manual_seed(3)
    return task.build_model(cfg.model).eval()


def following(corpus: Corpus, *flags: str, seed: int = 0, **patterns: Pattern) -> Any:
    """fairseq's Transformer, made to follow patterns that have no name."""
    model = build(corpus, *flags, arch="transformer")
    follow(model, AttentionPlan(patterns, seed))  # type: ignore[arg-type]
    return model


def rows(lengths: Sequence[int], seed: int = 0) -> list[torch.Tensor]:
    """Random sentences of these lengths."""
    pick = torch.Generator().manual_seed(seed)
    made = [torch.randint(4, 30, (length,), generator=pick) for length in lengths]
    for row in made:
        row[-1] = EOS
    return made


def padded(sentences: Sequence[torch.Tensor], left: bool) -> torch.Tensor:
    """Sentences as one table, as fairseq pads them."""
    table = torch.full((len(sentences), max(map(len, sentences))), PAD)
    for line, row in zip(table, sentences, strict=True):
        line[-len(row) :] = row if left else line[-len(row) :]
        line[: len(row)] = line[: len(row)] if left else row
    return table


@torch.no_grad()
def run(model: Any, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The scores of every word at every place of the target, all at once."""
    scores: torch.Tensor = model(source, source.ne(PAD).sum(1), target)[0]
    return scores


@torch.no_grad()
def step_by_step(model: Any, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The same, one token after the other."""
    encoded = model.encoder(source, source.ne(PAD).sum(1))
    state: dict[str, Any] = {}
    steps = [
        model.decoder(target[:, : n + 1], encoder_out=encoded, incremental_state=state)[0]
        for n in range(target.size(1))
    ]
    return torch.cat(steps, 1)


def assert_beams_score_as_a_whole(model: Any, source: torch.Tensor) -> None:
    """Beam search finds, token by token, the scores that each hypothesis has as a whole.

    Sentences are made to end one after the other, the last one first.
    """
    whole = copy.deepcopy(model)  # a generator changes its model for good
    generator = SequenceGenerator([model], model.decoder.dictionary, beam_size=5, max_len_b=25)
    step, moved = generator.search.step, []

    def ending(now: int, scores: torch.Tensor, sums: Any, before: Any, rows: Any) -> Any:
        scores[now + rows > 4 + len(source), :, EOS] += 99
        best = step(now, scores, sums, before, rows)
        moved.append(bool((best[2][:, :5] != torch.arange(5)).any()))
        return best

    generator.search.step = ending
    lengths = source.ne(PAD).sum(1)
    sample = {"net_input": {"src_tokens": source, "src_lengths": lengths}}
    ends = []
    for row, beams in zip(source, generator.generate([model], sample), strict=True):
        assert len(beams) == 5
        ends.append(max(len(beam["tokens"]) for beam in beams))
        for beam in beams:
            tokens = beam["tokens"]
            scores = run(whole, row[None], torch.cat([tokens[-1:], tokens[:-1]])[None])
            scores = scores.log_softmax(-1)[0].gather(1, tokens[:, None])[:, 0]
            assert (scores - beam["positional_scores"])[:-1].abs().max() < 1e-5
    assert len(set(ends)) > 2, ends
    assert any(moved)


@torch.no_grad()
def encode(model: Any, source: torch.Tensor) -> torch.Tensor:
    """What the encoder makes of a source: (batch, tokens, channels)."""
    out: torch.Tensor = model.encoder(source, source.ne(PAD).sum(1))["encoder_out"][0]
    return out.transpose(0, 1)


def changed(before: torch.Tensor, after: torch.Tensor) -> list[int]:
    """The places, in the first row, at which two tables differ."""
    differ = (before != after).flatten(2).any(2)[0]
    return [int(place) for place in differ.nonzero()]
