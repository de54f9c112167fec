"""A tiny training with PyTorch Lightning, of either package: prints the id of its run. `lightning_fit.py PACKAGE`."""

import contextlib
import importlib
import json
import logging
import sys
import warnings

import torch

warnings.simplefilter("ignore")
logging.getLogger().setLevel(logging.ERROR)
pl = importlib.import_module("pytorch_lightning" if sys.argv[1] == "pytorch_lightning" else "lightning.pytorch")
from gnomon.trainers.lightning import GnomonLogger  # noqa: E402 - it looks which package is in use


class Model(pl.LightningModule):
    def __init__(self, width: int = 4, lr: float = 0.1) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.layer = torch.nn.Linear(width, 1)

    def training_step(self, batch, index):
        loss = (self.layer(batch[0]) ** 2).mean()
        self.log("train/loss", loss)
        return loss

    def validation_step(self, batch, index):
        self.log("val/loss", (self.layer(batch[0]) ** 2).mean())

    def test_step(self, batch, index):
        self.log("test/loss", (self.layer(batch[0]) ** 2).mean())

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.hparams.lr)


torch.manual_seed(0)
data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.randn(32, 4)), batch_size=8)
logger = GnomonLogger(experiment="lightning", name="fit", log_checkpoints=True)
assert isinstance(logger, pl.loggers.Logger)
trainer = pl.Trainer(
    max_epochs=3,
    logger=logger,
    log_every_n_steps=1,
    accelerator="cpu",
    enable_progress_bar=False,
    enable_model_summary=False,
)
model = Model()
trainer.fit(model, data, data)
trainer.test(model, data, verbose=False)
run_id = logger.version
logger.finish()


class Failing(Model):
    def training_step(self, batch, index):
        raise RuntimeError("as trainings do")


failing = GnomonLogger(experiment="lightning", name="failing")
with contextlib.suppress(RuntimeError):
    pl.Trainer(max_epochs=1, logger=failing, accelerator="cpu", enable_progress_bar=False).fit(Failing(), data)
print(json.dumps({"run": run_id, "failing": failing.experiment.id}))
