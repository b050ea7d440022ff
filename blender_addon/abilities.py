"""What the chosen model can do, as far as the server has said."""

from __future__ import annotations

from maquette_wire.messages import ModelInfo

from .session import current


def chosen_model(name: str) -> ModelInfo | None:
    """What the server said about a model; None before there was a connection."""
    backend = current().backend
    models = backend.welcome.models if backend and backend.welcome else ()
    return next((model for model in models if model.name == name), None)


def is_guided(model: ModelInfo | None) -> bool:
    """Whether a model can weigh the prompt, and avoid things; a distilled one can't. True of one
    that nothing is known of yet."""
    return model is None or model.guidance > 1.0


def takes_steps(model: ModelInfo | None) -> bool:
    """Whether a model paints better in more steps than its own number; one that was made for a
    single step doesn't. True of one that nothing is known of yet."""
    return model is None or model.steps > 1


def sees_openings(model: ModelInfo | None) -> bool:
    """Whether windows and doors can be laid out for a model. True of one that nothing is known of
    yet."""
    return model is None or model.facades


def takes_lines(model: ModelInfo | None) -> bool:
    """Whether pictures of a model can be held to lines."""
    return model is not None and model.lines
