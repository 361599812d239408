"""What is wrong with a training, if anything: findings in plain words, with their evidence and what to change.

Owns the signs of each illness. Is handed figures that were measured elsewhere: the rows of ``metrics.jsonl``,
evaluations, statistics of data and latents, and the settings that matter. Knows neither files nor models, so that it
judges a finished run and a running one alike; where a figure is missing, the illness is not looked for.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Severity = Literal["severe", "moderate", "slight"]
_ORDER = ("severe", "moderate", "slight")

COLLAPSED = 0.1  # nats of rate per sample, below which the latents say nothing
INFORMATIVE = 0.05  # nats of rate, above which a latent dimension is used
MOSTLY_INACTIVE = 0.15  # of the latent dimensions are active: fewer are worth a finding
UNEXPLAINED = 0.25  # of the data's variance is left in the reconstructions: more is much
SCALE_RATIO = 3.0  # between a fixed scale and the errors that it stands for
GREY = 0.7  # of the values lie well inside [0, 1]: more are no near-binary pixels
FAR = 10.0  # largest magnitude of inputs that networks take well
SPREAD_RATIO = 30.0  # between the widest and the narrowest feature of a table
GAP = 1.5  # between test and training error
ELBO_GAP = 0.1  # of the distortion, between the test and the training loss
RISE = 0.02  # of the validation losses' mean height above their lowest, by which the last ones are above it
LATE = 0.8  # fraction of the run after which a warm-up has come too late
STILL_FALLING = 0.03  # relative, from the third quarter of the run to the last
RISING = 0.1  # of what the loss has fallen, by which it is above its lowest again
DEAD = 0.1  # of a codebook in use: less is a waste
FEWEST_ROWS = 8  # logged steps from which a course can be read


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        name: What it is called, such as ``posterior-collapse``.
        severity: ``severe``: the model does not do what it is for; ``moderate``: it could do clearly better;
            ``slight``: something is wasted.
        message: What was seen and what it means, in plain words.
        remedy: What to do, in plain words.
        evidence: The figures that it rests on.
        settings: What to change, each as ``--set`` takes it.
    """

    name: str
    severity: Severity
    message: str
    remedy: str
    evidence: dict[str, float] = field(default_factory=dict)
    settings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {**asdict(self), "settings": list(self.settings)}


@dataclass(frozen=True)
class DataFacts:
    """What is known of the training part.

    Attributes:
        samples: How many there are.
        dimensions: Values in each.
        low: The smallest value that the model sees.
        high: The largest.
        levels: Equally spaced values in [0, 1] that the data take, or None.
        is_image: Whether samples are images.
        binary: Whether every value is 0 or 1.
        variance: Mean over values of their variance over samples, which is the mse of the mean of all samples.
        grey: Fraction of the values in (0.1, 0.9).
        spreads: Standard deviations of the narrowest feature that varies and of the widest; of images, of all values.
        unexplained: Fraction of the variance that the first k principal components leave, for k = 0, 1, 2 ...
    """

    samples: int
    dimensions: int
    low: float
    high: float
    levels: int | None = None
    is_image: bool = True
    binary: bool = False
    variance: float | None = None
    grey: float | None = None
    spreads: tuple[float, float] | None = None
    unexplained: Sequence[float] = ()

    def components(self, fraction: float) -> int | None:
        """The fewest principal components that leave at most this fraction of the variance."""
        return next((k for k, left in enumerate(self.unexplained) if left <= fraction), None)


@dataclass(frozen=True)
class Case:
    """What a run is judged by.

    Attributes:
        state: ``finished``, ``running``, ``interrupted``, ``diverged``, ``failed`` or ``crashed``.
        planned: Steps of the planned run.
        objective: Its name.
        has_prior: Whether the model has p(z), so that there is a rate.
        latent_dim: Number of latent dimensions.
        likelihood: Settings of the likelihood.
        beta: Factor on the rate at the end of the run, or None.
        beta_effective: The same once the likelihood is normalised to unit scale, or None.
        settles: Fraction of the run after which beta or the capacity no longer changes; 0 without a warm-up.
        rises: Whether it ends higher than it begins, as a warm-up does.
        cyclical: Whether that is a schedule of cycles, which change to the end on purpose.
        coefficient: The setting that holds the schedule.
        learning_rate: The optimiser's.
        sizable: Whether ``model.latent_dim`` sets the number of latents; otherwise the encoder's feature map does.
        posterior: Settings of the posterior.
        codes: Size of the codebook, or None.
        rows: Lines of ``metrics.jsonl``.
        train: Evaluation of (some of) the training part, or None.
        held_out: Evaluation of as much of the test part, or None.
        data: What is known of the training part, or None.
    """

    state: str
    planned: int
    objective: str
    has_prior: bool
    latent_dim: int
    likelihood: Mapping[str, Any]
    beta: float | None = None
    beta_effective: float | None = None
    settles: float = 0.0
    rises: bool = False
    cyclical: bool = False
    coefficient: str = "objective.beta"
    learning_rate: float | None = None
    sizable: bool = True
    posterior: Mapping[str, Any] = field(default_factory=dict)
    codes: int | None = None
    rows: Sequence[Mapping[str, Any]] = ()
    train: Mapping[str, Any] | None = None
    held_out: Mapping[str, Any] | None = None
    data: DataFacts | None = None

    def of(self, split: str) -> list[Mapping[str, Any]]:
        """The rows of one part."""
        return [row for row in self.rows if row.get("split") == split]

    @property
    def measured(self) -> Mapping[str, Any]:
        """The evaluation of what was held out, else of the training part; empty without either."""
        return self.held_out or self.train or {}

    @property
    def warming_up(self) -> bool:
        """Whether the run has not come to the end of its warm-up."""
        return bool(self.rows) and self.rows[-1].get("step", 0) < self.settles * self.planned and not self.cyclical


def diagnose(case: Case) -> list[Finding]:
    """Look for every illness.

    Args:
        case: The figures.

    Returns:
        What was found, the severe ones first; empty for a healthy run.

    Example:
        >>> rows = [{"split": "train", "step": step, "loss": 40.0, "rate": 0.0} for step in range(10)]
        >>> case = Case("finished", 10, "elbo", True, 2, {"name": "bernoulli"}, beta=50.0, rows=rows)
        >>> [(finding.name, finding.settings) for finding in diagnose(case)]
        [('posterior-collapse', ('objective.beta=1.0',))]
    """
    found = [finding for check in _CHECKS if (finding := check(case)) is not None]
    return sorted(found, key=lambda finding: _ORDER.index(finding.severity))


# --- the latents ------------------------------------------------------------------------------------------------------


def _collapse(case: Case) -> Finding | None:
    """Posterior collapse: q(z given x) is p(z) whatever x is (Bowman et al. 2016, https://arxiv.org/abs/1511.06349)."""
    rate = _rate(case)
    if not case.has_prior or case.warming_up or rate is None or rate >= COLLAPSED:
        return None
    evidence = {"rate": rate, "latent_dim": float(case.latent_dim)}
    active = _number(case.measured, "active_units")
    if active is not None:
        evidence["active_units"] = active
    if case.beta_effective is not None:
        evidence["beta_effective"] = case.beta_effective
    variance = None if case.data is None else case.data.variance
    mse = _number(case.measured, "mse")
    if variance and mse is not None:
        evidence["mse"], evidence["mse_of_the_mean_sample"] = mse, variance
    message = (
        f"The posterior has collapsed: the rate is {rate:.4f} nats, so that none of the {case.latent_dim} latents says "
        "anything about x, and every reconstruction is the same mean sample."
    )
    settings, remedy = _against_collapse(case)
    return Finding("posterior-collapse", "severe", message, remedy, evidence, settings)


def _against_collapse(case: Case) -> tuple[tuple[str, ...], str]:
    scaled = case.likelihood.get("name") in ("gaussian", "laplace") and case.likelihood.get("sigma") == "fixed"
    if case.beta is not None and case.beta > 1:
        weight = f"The rate weighs {case.beta:g} times"
        if case.beta_effective is not None and case.beta_effective != case.beta:
            weight += f" (beta_effective {case.beta_effective:g} at unit scale)"
        more = ("model.likelihood.sigma=learned",) if scaled else ()
        also = ", and have the scale of the likelihood learned" if scaled else ""
        return ("objective.beta=1.0", *more), f"{weight}, which no latent is worth: lower beta{also}."
    if scaled:
        name, scale = case.likelihood.get("name"), case.likelihood.get("scale")
        return ("model.likelihood.sigma=learned",), (
            f"A fixed scale of {scale:g} in the {name} likelihood lets errors cost next to nothing: have it learned."
        )
    warm = 'objective.beta={name = "linear", start = 0.0, end = 1.0, until = 0.3}'
    return (warm, "objective.free_bits=0.1"), (
        "Raise beta slowly from 0 (KL annealing), or grant each latent some free bits; a smaller decoder and a smaller "
        "learning rate help too."
    )


def _inactive(case: Case) -> Finding | None:
    """Latent dimensions that carry nothing."""
    rates = case.measured.get("rate_per_dimension")
    if not case.has_prior or not rates or case.warming_up or (_rate(case) or 0.0) < COLLAPSED:
        return None
    active = sum(rate > INFORMATIVE for rate in rates)
    if active >= max(MOSTLY_INACTIVE * len(rates), 1) or len(rates) < 3:
        return None
    message = (
        f"Only {active} of {len(rates)} latents carry more than {INFORMATIVE} nats; the others are noise that the "
        "decoder has learned to ignore."
    )
    remedy = "This costs time and no quality: take fewer latents"
    settings = _latents(case, _round(active + 2))
    if case.beta is not None and case.beta > 1:
        remedy += ", or lower beta, under which more of them pay"
        settings.append("objective.beta=1.0")
    evidence = {"carrying": float(active), "latent_dim": float(len(rates)), "rate": sum(rates)}
    return Finding("inactive-units", "slight", message, remedy + ".", evidence, tuple(settings))


def _too_small(case: Case) -> Finding | None:
    """A latent space that is full while much of the data is still missing from the reconstructions."""
    left, data = _left(case), case.data
    if left is None or data is None or left <= UNEXPLAINED or case.warming_up or not _all_used(case):
        return None
    linear = dict(enumerate(data.unexplained))
    wanted = data.components(0.1)
    more = linear.get(min(4 * case.latent_dim, len(data.unexplained) - 1), 1.0)
    if wanted is None or wanted <= case.latent_dim or more > 0.8 * left or case.latent_dim >= data.dimensions:
        return None
    if linear.get(case.latent_dim, 1.0) < left:
        return None  # as many straight axes do better, so that the number is not what limits it
    message = (
        f"The latent space is too small: all of its {case.latent_dim} dimensions are in use, and {left:.0%} of the "
        f"data's variance is missing from the reconstructions. Straight axes (PCA) need {wanted} to miss 10 %."
    )
    remedy = "Take more latents, unless so few are wanted for drawing them."
    if not case.sizable:
        remedy += " They are the encoder's feature map: its last layer in model.encoder says how many."
    evidence = {"latent_dim": float(case.latent_dim), "unexplained": left, "components_for_90_percent": float(wanted)}
    rate = _rate(case)
    if rate is not None:
        evidence["rate_per_latent"] = rate / case.latent_dim
    settings = tuple(_latents(case, _round(wanted)))
    return Finding("latent-too-small", "moderate", message, remedy, evidence, settings)


def _latents(case: Case, size: int) -> list[str]:
    """The setting for another number of latents, where there is one; a feature map's is the encoder's last layer."""
    return [f"model.latent_dim={size}"] if case.sizable else []


def _all_used(case: Case) -> bool:
    rates = case.measured.get("rate_per_dimension")
    if case.has_prior and rates:
        return sum(rate > 0.5 for rate in rates) >= 0.9 * len(rates)
    return (_number(case.measured, "active_units") or 0.0) >= 0.9 * case.latent_dim


def _memorising(case: Case) -> Finding | None:
    """A latent space so large that single samples are learned by heart."""
    gap, data = _mse_gap(case), case.data
    if gap is None or data is None or gap[0] <= GAP:
        return None
    ratio, train, held_out = gap
    enough = data.components(0.05)
    roomy = case.latent_dim >= min(enough or data.dimensions, data.dimensions / 2, data.samples / 4)
    if not roomy:
        return None
    message = (
        f"The latent space is too large for {data.samples:,} samples: its {case.latent_dim} dimensions let the model "
        f"learn them by heart. New samples are reconstructed {ratio:.1f} times worse than those it was trained on."
    )
    size = max(2, min(case.latent_dim // 2, enough or case.latent_dim))
    settings = _latents(case, size)
    settings.append("training.patience=10" if case.has_prior else "objective.l2=0.001")
    if case.has_prior and not case.of("valid"):
        settings.append("data.validation=0.1")
    remedy = "Take fewer latents, stop earlier, or get more data."
    evidence = {"mse_train": train, "mse_held_out": held_out, "ratio": ratio}
    evidence |= {"latent_dim": float(case.latent_dim), "dimensions": float(data.dimensions)}
    return Finding("memorising", "moderate", message, remedy, evidence, tuple(settings))


def _dead_codes(case: Case) -> Finding | None:
    """A codebook of which a small part is used."""
    logged = [value for row in case.of("train") if (value := _number(row, "perplexity")) is not None]
    perplexity = _number(case.measured, "perplexity") or (logged[-1] if logged else None)
    codes = _number(case.measured, "codebook_size") or case.codes
    if perplexity is None or codes is None or perplexity >= DEAD * codes:
        return None
    message = (
        f"Most codes are dead: the perplexity is {perplexity:.1f}, as if that many of the {codes:.0f} codes were used, "
        "evenly."
    )
    settings: list[str] = []
    if case.posterior.get("initialisation") == "random":
        settings.append("model.posterior.initialisation=data")
    if case.posterior.get("revive_below") == 0:
        settings.append("model.posterior.revive_below=0.03")
    if case.posterior.get("learning") == "gradient":
        settings.append("model.posterior.learning=ema")
    if "codes" in case.posterior and not settings:
        settings.append(f"model.posterior.codes={max(8, _round(round(2 * perplexity)))}")
    if "levels" in case.posterior:
        settings.append("model.posterior.levels=[5, 5, 5]")
    remedy = "Begin with codes taken from the data, revive those that nothing comes near to, or take fewer."
    evidence = {"perplexity": perplexity, "codes": float(codes), "fraction": perplexity / codes}
    return Finding("dead-codes", "moderate", message, remedy, evidence, tuple(settings))


# --- the data and their likelihood ------------------------------------------------------------------------------------


def _misfit(case: Case) -> Finding | None:
    """A likelihood whose shape or scale is not that of the data."""
    kind, data = case.likelihood.get("name"), case.data
    if kind == "bernoulli" and data is not None and not data.binary and (data.grey or 0.0) > GREY:
        better = "discretized-logistic" if data.levels == 256 else "gaussian"
        settings = [f"model.likelihood.name={better}"]
        if better == "gaussian":
            settings.append("model.likelihood.sigma=learned")
        assert data.grey is not None
        message = (
            "The likelihood does not fit the data: the cross-entropy is meant for pixels near 0 and 1, and "
            f"{data.grey:.0%} of these values lie between 0.1 and 0.9. It then stays large for a perfect "
            "reconstruction, and how much a latent is worth depends on the grey tone."
        )
        remedy = "Take a likelihood for grey values, whose scale is learned; the ELBO is then one that can be compared."
        return Finding("likelihood-misfit", "moderate", message, remedy, {"grey": data.grey}, tuple(settings))
    mse, scale = _number(case.measured, "mse"), _number(case.likelihood, "scale")
    if kind not in ("gaussian", "laplace") or case.likelihood.get("sigma") != "fixed" or not case.has_prior:
        return None
    if not mse or not scale or case.warming_up:
        return None
    error = mse**0.5
    rate = _rate(case)
    if 1 / SCALE_RATIO <= scale / error <= SCALE_RATIO or (rate is not None and rate < COLLAPSED):
        return None  # of a collapsed model the errors are those of the mean sample, and the scale is named there
    message = (
        f"The likelihood does not fit the data: its scale is fixed at {scale:g}, and the errors are {error:.3g} (root "
        "mean square)."
    )
    evidence = {"scale": scale, "root_mean_squared_error": error, "ratio": scale / error}
    settings, weighs = ["model.likelihood.sigma=learned"], scale
    remedy = "Have the scale learned, or set it to the size of the errors."
    if case.beta is not None and case.beta != 1 and case.beta_effective is not None:
        weighs = case.beta_effective ** (
            0.5 if kind == "gaussian" else 1.0
        )  # the scale with the same balance at beta 1
        evidence |= {"beta_effective": case.beta_effective, "scale_at_beta_1": weighs}
        message += f" With beta = {case.beta:g} it weighs as a scale of {weighs:.3g} does."
        settings.append("objective.beta=1.0")
        remedy = "Have the scale learned at beta = 1, or set it to the size of the errors."
    if 1 / SCALE_RATIO <= weighs / error <= SCALE_RATIO:
        message += " That makes up for it in training, but ELBO and likelihood are reported for the wrong scale."
    else:
        which, consequence = ("larger", "little") if weighs > error else ("smaller", "much")
        message += f" A {which} scale than the errors makes details of x count too {consequence} against the rate."
    return Finding("likelihood-misfit", "moderate", message, remedy, evidence, tuple(settings))


def _unscaled(case: Case) -> Finding | None:
    """Inputs of a size that networks do not take well."""
    data = case.data
    if data is None:
        return None
    far = max(abs(data.low), abs(data.high))
    narrow, wide = data.spreads or (1.0, 1.0)
    evidence = {"low": data.low, "high": data.high}
    if far > FAR:
        message = f"The inputs are not scaled: they go from {data.low:.4g} to {data.high:.4g}."
    elif not data.is_image and wide > SPREAD_RATIO * narrow:
        message = (
            f"The features are not on one scale: their standard deviations go from {narrow:.3g} to {wide:.3g}, so that "
            "the error of the widest is all that counts."
        )
        evidence |= {"narrowest": narrow, "widest": wide}
    else:
        return None
    scale = "unit" if data.is_image else "standard"
    remedy = "Scale them" + (", or give images as 8-bit values (uint8)." if data.is_image else ".")
    return Finding("unscaled-inputs", "severe", message, remedy, evidence, (f"data.scale={scale}",))


# --- the course of the training ---------------------------------------------------------------------------------------


def _over_fitting(case: Case) -> Finding | None:
    """A loss that is much lower on the training part than on what was held out."""
    gap = _loss_gap(case)
    if gap is None or gap[0] <= ELBO_GAP:
        return None
    relative, train, held_out = gap
    evidence = {"train": train, "held_out": held_out, "relative_gap": relative}
    message = f"The model over-fits: its loss is {train:.4g} on training samples and {held_out:.4g} on held-out ones."
    rise = _validation_rise(case)
    if rise is not None:
        lowest, epoch, last = rise
        evidence |= {"lowest_valid": lowest, "last_valid": last, "best_epoch": epoch}
        message += (
            f" On the validation part it was lowest at epoch {epoch:.3g} ({lowest:.4g}) and has risen to {last:.4g} "
            "since."
        )
    settings = ["training.patience=10", "training.optimizer.weight_decay=0.0001"]
    if not case.of("valid"):
        settings.insert(0, "data.validation=0.1")
    remedy = (
        "Stop at the lowest validation loss, get more data, or take a smaller network, with dropout or weight decay."
    )
    return Finding("over-fitting", "moderate", message, remedy, evidence, tuple(settings))


def _late_warm_up(case: Case) -> Finding | None:
    """A coefficient that reaches its end when the run does."""
    if case.cyclical or not case.rises or case.settles <= LATE:
        return None
    message = (
        f"The warm-up is as long as the run: {case.coefficient} reaches its end at {case.settles:.0%} of it, so that "
        "the model was hardly ever trained on the objective that it is judged by, and no earlier step can be the best."
    )
    return Finding(
        "warm-up-too-long",
        "moderate",
        message,
        "End it after a third of the run, or train longer.",
        {"settles": case.settles, "planned_steps": float(case.planned)},
        (f"{case.coefficient}.until=0.3",),
    )


def _course(case: Case) -> Finding | None:
    """Training that has not come to rest, or has gone astray."""
    lower = f"training.optimizer.lr={(case.learning_rate or 1e-3) / 3:.2g}"
    if case.state == "diverged":
        message = "The training diverged: the loss became NaN or infinite."
        remedy = "Take a smaller learning rate, and clip the gradients."
        return Finding("diverging", "severe", message, remedy, {}, (lower, "training.clip_norm=1.0"))
    quarters = _quarters(case)
    if quarters is None:
        return None
    first, *_, third, last = quarters
    lowest, fallen = min(quarters), max(first - min(quarters), 1e-12)
    evidence = {"first_quarter": first, "third_quarter": third, "last_quarter": last}
    if last - lowest > RISING * fallen and last - lowest > 0.05 * abs(lowest):
        message = f"The training is going astray: the loss was {lowest:.4g} and has risen to {last:.4g}."
        remedy = "Take a smaller learning rate, let it fall to the end, and clip the gradients."
        settings = (lower, "training.clip_norm=1.0")
        return Finding("diverging", "severe", message, remedy, evidence | {"lowest": lowest}, settings)
    falling = (third - last) / abs(last) if abs(last) > 0.1 * fallen else (third - last) / fallen
    if case.state == "running" or falling <= STILL_FALLING:
        return None
    message = (
        f"The training has not converged: the loss still fell by {falling:.1%} from the third quarter of the run to "
        "the last."
    )
    longer = (
        f"training.epochs={round(2 * _epochs(case)) or 1}" if _epochs(case) else f"training.steps={2 * case.planned}"
    )
    remedy = "Train longer; `latentia resume RUN --epochs N` goes on where it stopped."
    return Finding("not-converged", "moderate", message, remedy, evidence | {"relative_fall": falling}, (longer,))


_CHECKS: tuple[Callable[[Case], Finding | None], ...] = (
    _collapse,
    _unscaled,
    _course,
    _misfit,
    _over_fitting,
    _memorising,
    _too_small,
    _dead_codes,
    _late_warm_up,
    _inactive,
)


# --- reading figures --------------------------------------------------------------------------------------------------


def _number(values: Mapping[str, Any] | None, key: str) -> float | None:
    """A figure, where it is there and finite."""
    value = None if values is None else values.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < float("inf"):
        return None
    return float(value)


def _rate(case: Case) -> float | None:
    """The rate that was measured, else the last that was logged."""
    measured = _number(case.measured, "rate")
    if measured is not None:
        return measured
    logged = [rate for row in case.of("train") if (rate := _number(row, "rate")) is not None]
    return logged[-1] if len(logged) >= FEWEST_ROWS else None


def _left(case: Case) -> float | None:
    """The fraction of the data's variance that is missing from the reconstructions."""
    mse = _number(case.measured, "mse")
    if mse is None or case.data is None or not case.data.variance:
        return None
    return mse / case.data.variance


def _mse_gap(case: Case) -> tuple[float, float, float] | None:
    """How many times larger the mse is on held-out samples than on training ones, and both."""
    train, held_out = _number(case.train, "mse"), _number(case.held_out, "mse")
    return None if not train or held_out is None else (held_out / train, train, held_out)


def _loss_gap(case: Case) -> tuple[float, float, float] | None:
    """How much higher the loss is on held-out samples, relative to the distortion or mse, and both losses."""
    train, held_out = _number(case.train, "elbo"), _number(case.held_out, "elbo")
    if case.has_prior and train is not None and held_out is not None:
        size = max(abs(_number(case.train, "distortion") or 0.0), _number(case.train, "rate") or 0.0, 1e-12)
        return (train - held_out) / size, -train, -held_out
    gap = _mse_gap(case)
    return None if gap is None else ((gap[0] - 1) / (GAP - 1) * ELBO_GAP, gap[1], gap[2])


def _validation_rise(case: Case) -> tuple[float, float, float] | None:
    """The lowest validation loss, its epoch, and what the last ones have risen to, where they have.

    A rise is measured against the curve's own height, as losses of densities may be zero or negative, and none of the
    last three may be the lowest, so that one bad evaluation is no rise.
    """
    rows = _losses(case, "valid")
    if len(rows) < 4:
        return None
    lowest, epoch = min(rows)
    last = min(loss for loss, _ in rows[-3:])
    height = statistics.fmean(loss for loss, _ in rows) - lowest
    return (lowest, epoch, last) if last - lowest > RISE * height else None


def _quarters(case: Case) -> list[float] | None:
    """The mean training loss in each quarter of the run, once the warm-up is over."""
    rows = _losses(case, "train") if case.settles < 1 else []
    if len(rows) < FEWEST_ROWS:
        return None
    ends = [round(part * len(rows) / 4) for part in range(5)]
    return [statistics.fmean(loss for loss, _ in rows[ends[part] : ends[part + 1]]) for part in range(4)]


def _losses(case: Case, split: str) -> list[tuple[float, float]]:
    """Loss and epoch of the rows of a part, once the warm-up is over."""
    settled = [row for row in case.of(split) if row.get("step", 0) > case.settles * case.planned]
    return [(loss, _number(row, "epoch") or 0.0) for row in settled if (loss := _number(row, "loss")) is not None]


def _epochs(case: Case) -> float:
    return (_number(case.rows[-1], "epoch") or 0.0) if case.rows else 0.0


def _round(number: int) -> int:
    """Up to a number that people would write: a power of two, or half-way to the next.

    Example:
        >>> _round(21), _round(30), _round(33)
        (24, 32, 48)
    """
    size = 2
    while size < number:
        if size * 3 // 2 >= number:
            return size * 3 // 2
        size *= 2
    return size
