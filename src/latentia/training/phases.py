"""What one step consists of: usually one loss over all parameters, several for alternating optimisation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from latentia.objectives.terms import LossTerms, Objective

LossFunction = Callable[[Any, Tensor, Tensor | None, Sequence[Tensor], Mapping[str, Any]], LossTerms]
BatchLoss = Callable[[Tensor, Tensor | None, Sequence[Tensor], Mapping[str, Any]], LossTerms]


@dataclass(frozen=True)
class Phase:
    """One loss and the parameters that it alone changes.

    Attributes:
        name: Prefix of its terms in the metrics; empty for the only phase.
        loss: (model, x, y, noise, coefficients) -> terms.
        parameters: What its optimiser changes.
    """

    name: str
    loss: LossFunction
    parameters: list[nn.Parameter]


def phases_of(objective: Objective, model: nn.Module) -> list[Phase]:
    """The phases of a step: the objective's own where it has ``phases(model)``, else one over the whole model."""
    own = getattr(objective, "phases", None)
    if own is not None:
        return list(own(model))
    return [Phase("", objective, [parameter for parameter in model.parameters() if parameter.requires_grad])]
