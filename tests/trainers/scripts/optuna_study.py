"""A tiny study with Optuna: prints the id of its run and what the study says of its trials."""

import json

import optuna

from gnomon.trainers.optuna import GnomonCallback

optuna.logging.set_verbosity(optuna.logging.ERROR)


def objective(trial: optuna.Trial) -> float:
    x = trial.suggest_float("x", -1, 1)
    layers = trial.suggest_int("layers", 1, 3)
    for step in range(3):
        trial.report(x * x + step, step)
    if trial.number == 2:
        raise optuna.TrialPruned
    if trial.number == 3:
        raise ValueError("this one fails")
    trial.set_user_attr("note", "kept")
    return x * x + layers


study = optuna.create_study(study_name="tiny", sampler=optuna.samplers.RandomSampler(seed=1))
callback = GnomonCallback(experiment="optuna", name="tiny")
study.optimize(objective, n_trials=6, callbacks=[callback], catch=(ValueError,))
run_id = callback.run.id
callback.finish()

several = optuna.create_study(directions=["minimize", "maximize"])
names = GnomonCallback(experiment="optuna", name="several", metric_names=["cost", "gain"], children=False)
several.optimize(lambda trial: (trial.suggest_float("x", 0, 1), 2.0), n_trials=2, callbacks=[names])
other = names.run.id
names.finish()
trials = [{"params": t.params, "value": t.value, "state": t.state.name} for t in study.trials]
print(json.dumps({"run": run_id, "best": study.best_value, "trials": trials, "several": other}))
