"""transformers' Trainer over a plan of batches: one item of its data is a batch, one of its epochs the whole plan."""

from __future__ import annotations

import errno
import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset, SequentialSampler
from transformers import Trainer, TrainerCallback, TrainerState, TrainingArguments

from nlptasks.backends.hf.backend import free_memory, out_of_memory
from nlptasks.errors import RunError
from nlptasks.training.buckets import Plan
from nlptasks.training.compute import autocast, computes_bfloat16
from nlptasks.training.course import Course
from nlptasks.training.families.base import Family, Feature
from nlptasks.training.options import TrainingOptions

log = logging.getLogger("nlptasks")
SCHEDULES = {"constant": "constant_with_warmup"}
KEPT_CHECKPOINTS = 2
FULL = ("No space left", "File too large", "PytorchStreamWriter", "unexpected pos")
"""What safetensors and torch say where a disk is full: the last two are of a zip file that breaks off."""
LOGGED = 10
"""Updates between two entries of the loss curve, at most."""
Judge = Callable[[int], Mapping[str, float]]


class Batches(Dataset[Mapping[str, Any]]):
    """The batches of a plan as tensors, made when they are needed."""

    def __init__(self, family: Family, features: Sequence[Feature], plan: Plan) -> None:
        self._family, self._features, self._plan = family, features, plan

    def __len__(self) -> int:
        return len(self._plan.batches)

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        return self._family.collate([self._features[row] for row in self._plan.batches[index]])


def arguments(folder: Path, plan: Plan, options: TrainingOptions, cpu: bool) -> TrainingArguments:
    """Return our options in transformers' words."""
    every = options.save_every
    logged = next(size for size in range(min(LOGGED, every), 0, -1) if every % size == 0)  # a resumed curve is the same
    return TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=1,
        max_steps=len(plan.batches),
        learning_rate=options.learning_rate or 0.0,
        lr_scheduler_type=SCHEDULES.get(options.schedule, options.schedule),
        warmup_steps=round(options.warmup * len(plan.batches)),
        weight_decay=options.weight_decay,
        logging_steps=logged,
        save_steps=every,
        save_total_limit=KEPT_CHECKPOINTS,
        seed=options.seed,
        use_cpu=cpu,
        disable_tqdm=True,
        report_to="none",
        remove_unused_columns=False,
        dataloader_pin_memory=False,
    )


class FamilyTrainer(Trainer):  # type: ignore[misc]
    """Learns by a family's loss, splits batches that are too large for the memory, survives a full disk."""

    def __init__(
        self,
        family: Family,
        model: Any,
        batches: Batches,
        args: TrainingArguments,
        judge: Judge | None,
        callbacks: Sequence[TrainerCallback],
    ) -> None:
        super().__init__(model, args, train_dataset=batches, data_collator=_only, callbacks=list(callbacks))
        self._family = family
        self._judge = judge
        self._pieces = 1
        self._bfloat16 = computes_bfloat16(family.options.precision, model)
        for callback in (c for c in self.callback_handler.callbacks if type(c).__name__ == "PrinterCallback"):
            self.remove_callback(callback)

    def learn(self, checkpoint: Path | None, course: Course) -> None:
        """Train from a checkpoint on, or from the beginning; do nothing where the checkpoint is of the end."""
        if checkpoint is not None:
            state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
            log.info("resuming after %d of %d updates", state.global_step, self.args.max_steps)
            if state.global_step >= self.args.max_steps or course.is_over(state.log_history):
                self._load_from_checkpoint(str(checkpoint))
                self.state = state
                return
        self.train(str(checkpoint) if checkpoint else None)

    def _get_train_sampler(self, *_: Any) -> Any:
        return SequentialSampler(self.train_dataset)

    def floating_point_ops(self, inputs: Any) -> int:
        return 0  # nobody asks for it, and counting takes a while for small models

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
        """Add up the gradients of a batch, in as many pieces as its memory takes."""
        model.train()
        inputs = self._prepare_inputs(inputs)
        rows = len(next(iter(inputs.values())))
        while True:
            try:
                return self._learn(model, inputs)
            except (MemoryError, RuntimeError) as error:
                if not out_of_memory(error):
                    raise
            model.zero_grad()
            free_memory()
            if self._pieces >= rows:
                raise RunError("There is too little memory for a single row: lower --max-length.")
            self._pieces *= 2
            log.warning(
                "Too little memory for a batch of %d rows: from now on each is worked in %d parts, "
                "whose gradients are added up; the result is the same.",
                rows,
                self._pieces,
            )

    def _learn(self, model: Any, inputs: Mapping[str, Any]) -> Any:
        weight = self._family.weight(inputs)
        total = torch.zeros((), device=self.args.device)
        for piece in self._family.split(inputs, self._pieces):
            with autocast(self.args.device, self._bfloat16):
                loss = self._family.loss(model, piece) * (self._family.weight(piece) / weight)
            self.accelerator.backward(loss)
            total += loss.detach()
        return total

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Have the model that is trained answer, and score its answers."""
        assert self._judge
        self.model.eval()
        with torch.random.fork_rng(), autocast(self.args.device, self._bfloat16):
            scores = self._judge(self.state.global_step)
        metrics = {f"eval_{name}": value for name, value in scores.items()}
        self.log(dict(metrics))
        self.control: Any = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        folder = Path(output_dir or self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        self._family.save(self.model, folder)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        try:
            super()._save_checkpoint(model, trial)
        except Exception as error:
            if not disk_full(error):
                raise
            shutil.rmtree(Path(self.args.output_dir) / f"checkpoint-{self.state.global_step}", ignore_errors=True)
            log.warning(
                "The disk is full, so no checkpoint of update %d could be written: training goes on, the former "
                "checkpoint stays. Make room before the next one.",
                self.state.global_step,
            )


def _only(items: Sequence[Any]) -> Any:
    [batch] = items
    return batch


def disk_full(error: BaseException) -> bool:
    """Return whether an error says that a disk is full; safetensors and torch have words of their own for it."""
    chain: BaseException | None = error
    while chain is not None:
        if isinstance(chain, OSError) and chain.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return True
        if any(words in str(chain) for words in FULL):
            return True
        chain = chain.__cause__ or chain.__context__
    return False


def last_checkpoint(folder: Path) -> Path | None:
    """Return the newest whole checkpoint: the state is written last, so where that can be read, all is there."""
    from transformers.trainer_utils import get_last_checkpoint

    while (found := get_last_checkpoint(str(folder))) is not None:
        path = Path(found)
        if _whole(path):
            return path
        shutil.rmtree(path)
    return None


def _whole(checkpoint: Path) -> bool:
    import json

    try:
        json.loads((checkpoint / "trainer_state.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return True
