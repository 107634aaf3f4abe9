"""What fairseq's BART and RoBERTa begin with: weights for models as narrow as the recipes'."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from maskplug.cli.fairseq_dir import fairseq_dir
from recipes.shared import fairseq_commands
from recipes.shared.plan import StageRun
from recipes.shared.settings import FEED_FORWARD

#: The standard deviation with which fairseq draws the weights of both, at any width.
DRAWN = 0.02
#: What is drawn otherwise.
HEADS = "classification_heads."


def configured(stage: StageRun) -> Any:
    """The configuration that fairseq-train makes of the stage's command."""
    from fairseq import options, utils
    from fairseq.dataclass.utils import convert_namespace_to_omegaconf

    utils.import_user_module(Namespace(user_dir=str(fairseq_dir())))
    command = fairseq_commands.train_command(stage)[1:]
    args = options.parse_args_and_arch(options.get_training_parser(), command)
    return convert_namespace_to_omegaconf(args)


def model(stage: StageRun, task: Any, config: Any) -> Any:
    """The model of a stage, with weights as wide as a narrow model needs them.

    Those are torch's ``(3 · inputs) ** -0.5`` for feed-forward layers and ``width ** -0.5`` for
    everything else. With 0.02 every product in a model 128 wide is close to zero, and minutes later
    it still says of every masked token how frequent tokens are.

    Args:
        stage: says the seed and the width.
        task, config: fairseq's.
    """
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(stage.run.seed)
        made = task.build_model(config.model)
    with torch.no_grad():
        for name, weights in made.named_parameters():
            if weights.dim() > 1 and not name.startswith(HEADS):
                layer = name.removesuffix(".weight")
                inputs = weights.shape[1] * (3 if layer.endswith(FEED_FORWARD) else 1)
                weights.mul_(inputs**-0.5 / DRAWN)
    return made


def write(stage: StageRun) -> None:
    """Write the checkpoint that a first stage starts from, as fairseq's trainer writes them."""
    from fairseq import tasks
    from fairseq.trainer import Trainer

    config = configured(stage)
    task = tasks.setup_task(config.task)
    made = model(stage, task, config)
    trainer = Trainer(config, task, made, task.build_criterion(config.criterion))
    trainer.consolidate_optimizer()
    path = stage.folder / fairseq_commands.BEGIN
    fresh = path.with_name(f"{path.name}.part")
    trainer.save_checkpoint(str(fresh), {"train_iterator": {"epoch": 1}})
    fresh.replace(path)
