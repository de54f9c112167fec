"""Lightning with its own MLFlowLogger, and with MLflow's autologging of PyTorch: prints the ids of both runs."""

import json
import logging
import warnings

import lightning.pytorch as pl
import mlflow
import torch
from lightning.pytorch.loggers import MLFlowLogger

warnings.simplefilter("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Model(pl.LightningModule):
    def __init__(self, width: int = 4, lr: float = 0.1) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.layer = torch.nn.Linear(width, 1)

    def forward(self, x):
        return self.layer(x)

    def training_step(self, batch, index):
        loss = (self.layer(batch[0]) ** 2).mean()
        self.log("train/loss", loss)
        return loss

    def validation_step(self, batch, index):
        self.log("val/loss", (self.layer(batch[0]) ** 2).mean())

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.hparams.lr)


def fit(logger: object) -> Model:
    torch.manual_seed(0)
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.randn(32, 4)), batch_size=8)
    model = Model()
    trainer = pl.Trainer(
        max_epochs=3,
        logger=logger,
        log_every_n_steps=1,
        accelerator="cpu",
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(model, data, data)
    return model


logger = MLFlowLogger(experiment_name="lightning", run_name="fit", log_model=True, tags={"team": "risk"})
fit(logger)

mlflow.set_experiment("autologged")
mlflow.pytorch.autolog(log_every_n_step=1)
with mlflow.start_run() as run:
    model = fit(False)
back = mlflow.pytorch.load_model(f"runs:/{run.info.run_id}/model")
x = torch.ones(3, 4)
same = bool(torch.equal(back(x), model(x)))
print(json.dumps({"logged": logger.run_id, "autologged": run.info.run_id, "same": same}))
