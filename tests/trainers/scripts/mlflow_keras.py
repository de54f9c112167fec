"""Keras 3 on torch with MLflow's own callback: prints the id of its run, and whether the model came back the same."""

import json
import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import mlflow
import numpy as np
from mlflow.keras import MlflowCallback

keras.utils.set_random_seed(0)
x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
y = (x[:, 0] > 0).astype("float32")
model = keras.Sequential(
    [keras.Input((4,)), keras.layers.Dense(4, activation="relu"), keras.layers.Dense(1, activation="sigmoid")]
)
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
mlflow.set_experiment("keras")
with mlflow.start_run(run_name="tiny") as run:
    fitted = model.fit(x, y, validation_split=0.25, epochs=3, batch_size=8, verbose=0, callbacks=[MlflowCallback()])
    mlflow.keras.log_model(model, name="model")
back = mlflow.keras.load_model(f"runs:/{run.info.run_id}/model")
same = bool((back.predict(x, verbose=0) == model.predict(x, verbose=0)).all())
print(json.dumps({"run": run.info.run_id, "history": fitted.history, "same": same}))
