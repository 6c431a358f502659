"""A custom model and its training runs as a table for a person."""

from typing import Any


def model_text(model: dict[str, Any]) -> str:
    """The model that GET /models/{model_id} holds, a fact a line, and its runs under it."""
    extras = model.get("x_linocut") or {}
    facts = {
        "model": model["model_id"],
        "name": model["name"],
        "status": model["status"],
        "uri": model.get("custom_model_uri") or "none yet",
        "draws": "yes" if model.get("is_available_for_generation") else "no",
        "yours": "yes" if model.get("is_owned") else "no, shared with you",
        "dataset": model.get("dataset_id"),
        "base": extras.get("base"),
        "created": model.get("creation_time"),
        "changed": model.get("last_update_time"),
        "imported": _imported(extras.get("imported")),
        "error": extras.get("error"),
    }
    lines = _table(facts, "")
    for run in model.get("training_runs") or ():
        lines += ["", *_run(run)]
    return "\n".join(lines)


def _run(run: dict[str, Any]) -> list[str]:
    extras = run.get("x_linocut") or {}
    scores = extras.get("scores") or {}
    facts = {
        "status": run["status"],
        "step": _of(extras.get("step"), extras.get("total_steps") or run.get("training_steps")),
        "stopped at": extras.get("stopped_at_step"),
        "time left": None if extras.get("eta_seconds") is None else f"about {extras['eta_seconds']} s",
        "loss": _short(extras.get("loss")),
        "rank": run.get("lora_rank"),
        "batch size": extras.get("batch_size"),
        "learning rate": run.get("learning_rate"),
        "ema": run.get("ema"),
        "seed": extras.get("seed"),
        "chosen step": _short(scores.get("chosen_step")),
        "scores": _scores(scores),
        "error": extras.get("error"),
    }
    return [f"run {run['training_run_id']}", *_table(facts, "  ")]


def _imported(said: dict[str, Any] | None) -> str | None:
    return None if said is None else f"from a {said['layout']} file, rank {said['rank']}, alpha {said['alpha']:g}"


def _scores(scores: dict[str, float]) -> str | None:
    """The score of each checkpoint, in the order of steps."""
    steps = sorted((int(name), score) for name, score in scores.items() if name.isdecimal())
    told = ", ".join(f"{step}: {score:.3g}" for step, score in steps)
    return f"{told} (by step; lower is better)" if told else None


def _of(step: Any, total: Any) -> str | None:
    return None if step is None else f"{step} of {total}"


def _short(number: Any) -> str | None:
    return None if number is None else f"{number:.4g}"


def _table(facts: dict[str, Any], indent: str) -> list[str]:
    return [f"{indent}{name:<14} {value}" for name, value in facts.items() if value is not None]
