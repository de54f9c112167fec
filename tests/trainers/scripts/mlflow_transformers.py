"""transformers' Trainer with the MLflowCallback that `report_to` names: prints the id of its run."""

import json
import os

os.environ |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "MLFLOW_EXPERIMENT_NAME": "transformers"}

import mlflow
import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

torch.manual_seed(0)
config = BertConfig(
    vocab_size=32, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, num_labels=2
)
data = [{"input_ids": torch.randint(0, 32, (8,)), "labels": torch.tensor(n % 2)} for n in range(16)]
arguments = TrainingArguments(
    output_dir="out",
    run_name="tiny",
    num_train_epochs=2,
    per_device_train_batch_size=4,
    logging_steps=1,
    eval_strategy="epoch",
    save_strategy="no",
    report_to=["mlflow"],
    use_cpu=True,
    disable_tqdm=True,
)
model = BertForSequenceClassification(config)
trainer = Trainer(model=model, args=arguments, train_dataset=data, eval_dataset=data)
trainer.train()
run = mlflow.active_run() or mlflow.last_active_run()
mlflow.end_run()
print(json.dumps({"run": run.info.run_id, "history": trainer.state.log_history}))
