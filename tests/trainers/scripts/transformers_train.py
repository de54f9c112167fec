"""A tiny training with transformers' Trainer: prints the id of its run."""

import json
import os

os.environ |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}

import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

from gnomon.trainers.transformers import GnomonCallback

torch.manual_seed(0)
config = BertConfig(
    vocab_size=32, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, num_labels=2
)
model = BertForSequenceClassification(config)
data = [{"input_ids": torch.randint(0, 32, (8,)), "labels": torch.tensor(n % 2)} for n in range(16)]
arguments = TrainingArguments(
    output_dir="out",
    num_train_epochs=2,
    per_device_train_batch_size=4,
    logging_steps=1,
    eval_strategy="epoch",
    save_strategy="epoch",
    report_to=[],
    use_cpu=True,
    disable_tqdm=True,
)
callback = GnomonCallback(experiment="transformers", name="tiny", log_checkpoints=True)
trainer = Trainer(model=model, args=arguments, train_dataset=data, eval_dataset=data, callbacks=[callback])
trainer.train()
history = trainer.state.log_history
trainer.predict(data)
callback.finish()
print(json.dumps({"run": callback.run.id, "history": history}))
