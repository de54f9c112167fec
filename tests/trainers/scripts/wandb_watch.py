"""A script of wandb's that watches a model of PyTorch: dense, sparse and half-precision parameters."""

import copy
import json
import pickle

import torch

import gnomon.wandb as wandb

torch.manual_seed(1)
run = wandb.init(project="watched")
embed = torch.nn.Embedding(10, 4, sparse=True)
head = torch.nn.Linear(4, 2)
model = torch.nn.Sequential(embed, head)
frozen = torch.nn.Linear(2, 2).to(torch.bfloat16)
frozen.bias.requires_grad_(False)
wandb.watch(model, log="all", log_freq=2)
run.watch(frozen, log="gradients", log_freq=1)
seen = []
for step in range(4):
    model.zero_grad()
    loss = model(torch.tensor([1, 2, step])).square().sum() + frozen(torch.ones(1, 2, dtype=torch.bfloat16)).sum()
    loss.backward()
    seen.append(head.weight.grad.tolist())
    run.log({"loss": float(loss.detach())})
pickle.loads(pickle.dumps(model))(torch.tensor([1]))
copy.deepcopy(model)(torch.tensor([1])).sum().backward()
wandb.unwatch(model)
model(torch.tensor([1])).sum().backward()
run.finish()
print(json.dumps({"id": run.id, "gradients": seen}))
