"""Initialize fairseq's BART and RoBERTa for the small widths of the recipes."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from maskplug.cli.fairseq_dir import fairseq_dir
from recipes.shared import fairseq_commands
from recipes.shared.plan import StageRun
from recipes.shared.settings import FEED_FORWARD

#: The standard deviation of fairseq's initial weights, at any width.
FAIRSEQ_STD = 0.02
#: These weights are initialized in another way.
HEADS = "classification_heads."


def configured(stage: StageRun) -> Any:
    """Return the configuration that fairseq-train builds from the command of a stage."""
    from fairseq import options, utils
    from fairseq.dataclass.utils import convert_namespace_to_omegaconf

    utils.import_user_module(Namespace(user_dir=str(fairseq_dir())))
    command = fairseq_commands.train_command(stage)[1:]
    args = options.parse_args_and_arch(options.get_training_parser(), command)
    return convert_namespace_to_omegaconf(args)


def initial_model(stage: StageRun, task: Any, config: Any) -> Any:
    """Return the model of a stage with initial weights that suit its width.

    The standard deviations are PyTorch's ``(3 · inputs) ** -0.5`` for feed-forward layers and
    ``width ** -0.5`` for the others. With fairseq's 0.02, all products in a model of width 128 are
    close to zero, and for minutes it only learns the frequencies of the tokens.

    Args:
        stage: determines the seed and the width.
        task, config: of fairseq.
    """
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(stage.run.seed)
        model = task.build_model(config.model)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if weights.dim() > 1 and not name.startswith(HEADS):
                layer = name.removesuffix(".weight")
                inputs = weights.shape[1] * (3 if layer.endswith(FEED_FORWARD) else 1)
                weights.mul_(inputs**-0.5 / FAIRSEQ_STD)
    return model


def write(stage: StageRun) -> None:
    """Write the initial checkpoint of the first stage in the format of fairseq's trainer."""
    from fairseq import tasks
    from fairseq.trainer import Trainer

    config = configured(stage)
    task = tasks.setup_task(config.task)
    model, criterion = initial_model(stage, task, config), task.build_criterion(config.criterion)
    trainer = Trainer(config, task, model, criterion)
    trainer.consolidate_optimizer()
    path = stage.folder / fairseq_commands.BEGIN
    fresh = path.with_name(f"{path.name}.part")
    trainer.save_checkpoint(str(fresh), {"train_iterator": {"epoch": 1}})
    fresh.replace(path)
