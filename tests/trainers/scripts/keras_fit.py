"""A tiny training with Keras 3 on torch: prints the id of its run."""

import json
import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np

from gnomon.trainers.keras import GnomonCallback

keras.utils.set_random_seed(0)
x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
y = (x[:, 0] > 0).astype("float32")
model = keras.Sequential(
    [keras.Input((4,)), keras.layers.Dense(4, activation="relu"), keras.layers.Dense(1, activation="sigmoid")]
)
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
callback = GnomonCallback(experiment="keras", name="tiny", every_batches=2)
fitted = model.fit(x, y, validation_split=0.25, epochs=3, batch_size=8, verbose=0, callbacks=[callback])
test = model.evaluate(x, y, verbose=0, callbacks=[callback])
callback.finish()
print(json.dumps({"run": callback.run.id, "history": fitted.history, "test": test}))
