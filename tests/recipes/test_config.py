"""The config: read, written, overridden, and refused in words that name the setting."""

from __future__ import annotations

import math
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentia.errors import ConfigError
from latentia.maths.schedules import Linear
from latentia.recipes.config import Config, make_config, override, read_config, to_toml
from latentia.recipes.presets import PRESETS

VAE = PRESETS["vae"].config()
CONV = PRESETS["conv-vae"].config()
AE = PRESETS["ae"].config()

NOISE = re.compile(r"pydantic|ValidationError|Input should|input should|\[type=|errors\.|Traceback|mlp\.hidden|<class")


def refusal(values: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        make_config(values)
    message = str(caught.value)
    assert not NOISE.search(message) and "\n" not in message
    return message


def refused(assignments: list[str], config: Config = VAE) -> str:
    with pytest.raises(ConfigError) as caught:
        override(config, assignments)
    message = str(caught.value)
    assert not NOISE.search(message)
    return message


# --- reading and writing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_written_as_toml_is_read_back_equal(name: str, tmp_path: Path) -> None:
    config = PRESETS[name].config()
    path = tmp_path / "config.toml"
    path.write_text(to_toml(config), encoding="utf-8")
    assert read_config(path) == config and config.preset == name


def test_every_setting_is_written() -> None:
    def keys(values: Any, prefix: str = "") -> set[str]:
        if not isinstance(values, dict):
            return {prefix}
        return {key for name, value in values.items() for key in keys(value, f"{prefix}.{name}")}

    written = tomllib.loads(to_toml(AE))
    assert keys(written) == keys(AE.model_dump())
    assert written["model"]["prior"] == written["training"]["clip_norm"] == "none"


def test_schedules_survive_writing() -> None:
    config = override(VAE, ['objective.beta={name="linear", start=0.0, end=4.0, until=0.3}'])
    assert make_config(tomllib.loads(to_toml(config))) == config
    assert config.objective.beta == Linear(start=0.0, end=4.0, until=0.3)  # type: ignore[union-attr]


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbfseed = 3\n")
    assert read_config(path).seed == 3


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"seed = ", "is not a TOML file"),
        (b"\xff\xfe", "is not a TOML file"),
        (b"seed = " + b"9" * 5000, "is not a TOML file"),
        (b"seed = " + b"[" * 5000, "is not a TOML file"),
        (b"seed = 1\nseed = 2", "is not a TOML file"),
        (b"sede = 1", "unknown setting sede. Did you mean 'seed'?"),
    ],
)
def test_a_bad_file_is_named(content: bytes, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=re.escape(complaint)) as caught:
        read_config(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read the config .*absent\.toml: No such file"):
        read_config(tmp_path / "absent.toml")
    with pytest.raises(ConfigError, match="cannot read the config"):
        read_config(tmp_path)


def test_none_is_written_for_what_is_unset_only_where_something_may_be() -> None:
    assert make_config({"model": {"prior": "none"}}).model.prior is None
    assert make_config({"training": {"clip_norm": "none"}}).training.clip_norm is None
    assert make_config({"data": {"source": "none"}}).data.source == "none"
    assert "training.batch_size" in refusal({"training": {"batch_size": "none"}})


def test_a_part_without_a_name_is_the_default_one() -> None:
    config = make_config({"model": {"encoder": {"hidden": [7]}, "likelihood": {}}, "objective": {"beta": 4.0}})
    assert config.model.encoder.name == "mlp" and config.model.likelihood.name == "bernoulli"
    assert config.objective.name == "elbo" and config.objective.beta == 4.0


def test_a_config_does_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        VAE.seed = 3
    before = to_toml(VAE)
    override(VAE, ["model.latent_dim=3", "model.encoder.name=conv"])
    assert to_toml(VAE) == before


def test_an_argument_is_named_in_place_of_its_key() -> None:
    arguments = {"training.epochs": "epochs", "seed": "seed"}
    with pytest.raises(ConfigError, match=r"^epochs must be less than or equal to 1000000, not 1e\+300$"):
        override(VAE, ["training.epochs=1e300"], arguments)
    with pytest.raises(ConfigError, match=r"^--set: training.steps must be greater than 0"):
        override(VAE, ["training.steps=0"], arguments)


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"modle": {}}, "the config has an unknown setting modle. Did you mean 'model'?"),
        ({"model": {"latent_dims": 2}}, "an unknown setting model.latent_dims. Did you mean 'model.latent_dim'?"),
        ({"model": {"encoder": {"name": "mlp", "hiden": [3]}}}, "encoder.hiden. Did you mean 'model.encoder.hidden'?"),
        ({"training": {"optimizer": {"lrr": 1.0}}}, "optimizer.lrr. Did you mean 'training.optimizer.lr'?"),
        (
            {"objective": {"beta": {"name": "linear", "start": 0, "end": 1, "unti": 1}}},
            "unknown setting objective.beta.unti. Did you mean 'objective.beta.until'?",
        ),
        ({"model": {"encoder": {"name": "mlp", "mlp": 1}}}, "unknown setting model.encoder.mlp."),
        ({"model": {"encoder": {"name": "conv", "hidden": [3]}}}, "model.encoder.hidden. It belongs to name = 'mlp'."),
        ({"model": {"prior": {"components": 3}}}, "model.prior.components. It belongs to name = 'gaussian-mixture'."),
        ({"objective": {"l1": 1.0}}, "objective.l1. It belongs to name = 'autoencoder'."),
        ({"a": 1, "b": 2, "c": 3}, "unknown setting a. (and 2 more)"),
        (
            {"model": {"encoder": {"name": "mpl"}}},
            "model.encoder.name has no 'mpl': use mlp, conv, residual, residual-mlp, conv-stack. Did you mean 'mlp'?",
        ),
        (
            {"objective": {"beta": {"name": "linaer"}}},
            "objective.beta.name has no 'linaer': use constant, linear, cosine, cyclical. Did you mean 'linear'?",
        ),
        ({"objective": {"beta": {"start": 1.0}}}, "objective.beta needs a name"),
        ({"objective": {"beta": "high"}}, "objective.beta must be a number or a table with a name, not 'high'"),
        ({"objective": {"beta": {"name": "linear", "start": 0}}}, "objective.beta.end is missing"),
        ({"model": {"encoder": "mlp"}}, "must be a table with a name, not 'mlp': write it as model.encoder.name"),
        ({"model": {"encoder": 3}}, "model.encoder must be a table of settings, not 3"),
        ({"model": [1]}, "model must be a table of settings, not [1]"),
        ({"data": {"binarize": "dynamik"}}, "not 'dynamik'. Did you mean 'dynamic'?"),
        ({"training": {"optimizer": {"name": "sgd"}}}, "training.optimizer.name must be 'adam' or 'adamw', not 'sgd'"),
        ({"model": {"encoder": {"kernel": 4, "name": "conv"}}}, "model.encoder: kernel must be an odd number"),
        ({"objective": {"beta": -1.0}}, "objective: beta must be at least 0"),
        ({1: 2}, "1"),
        ({"model": {("a",): 2}}, "model"),
    ],
)  # fmt: skip
def test_an_error_names_the_dotted_key(values: Any, complaint: str) -> None:
    assert complaint in refusal(values)


@pytest.mark.parametrize("value", ["12", 1.5, 12.0, True, None, [12], {}, math.nan])
@pytest.mark.parametrize(
    "key", ["seed", "model.latent_dim", "training.batch_size", "model.encoder.hidden", "model.prior.components"]
)
def test_what_is_no_whole_number_is_refused(key: str, value: Any) -> None:
    if (key, value) == ("model.latent_dim", None):
        return  # which is allowed: the encoder's feature map is the latents
    values: Any = value if key != "model.encoder.hidden" else [value]
    for name in reversed(key.split(".")):
        values = {name: values}
    if "prior" in key:
        values["model"]["prior"]["name"] = "gaussian-mixture"
    assert f"the config: {key}" in refusal(values)


@pytest.mark.parametrize("value", ["1", True, [1.0], math.nan, math.inf, -math.inf, -1.0, 10**400])
@pytest.mark.parametrize("key", ["training.optimizer.lr", "training.epochs", "objective.free_bits", "data.validation"])
def test_what_is_no_number_in_range_is_refused(key: str, value: Any) -> None:
    values: Any = value
    for name in reversed(key.split(".")):
        values = {name: values}
    assert f"the config: {key}" in refusal(values)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"seed": -1}, "seed must be greater than or equal to 0, not -1"),
        ({"seed": 2**63}, "seed must be less than"),
        ({"model": {"latent_dim": 0}}, "model.latent_dim must be greater than or equal to 1, not 0"),
        ({"model": {"encoder": {"name": "mlp", "hidden": [3, 0]}}}, "model.encoder.hidden[1] must be greater than or"),
        ({"model": {"encoder": {"name": "mlp", "hidden": "3"}}}, "model.encoder.hidden must be a valid list, not '3'"),
        ({"model": {"encoder": {"name": "mlp", "dropout": "x"}}}, "model.encoder.dropout must be a valid number,"),
        ({"model": {"encoder": {"name": "mlp", "dropout": [0.1, 2]}}}, "model.encoder.dropout[1] must be less than 1"),
        ({"model": {"posterior": {"logvar_bounds": [1.0]}}}, "model.posterior.logvar_bounds: list should have at"),
        ({"training": {"epochs": 0}}, "training.epochs must be greater than 0, not 0"),
        ({"training": {"steps": 3, "epochs": 4}}, "give exactly one of training.epochs and training.steps"),
        ({"training": {"epochs": "none"}}, "give exactly one of training.epochs and training.steps"),
        ({"data": {"validation": 1.0}}, "data.validation must be less than 1"),
        ({"training": {"batch_size": "x" * 500}}, "training.batch_size must be a valid integer, not 'xxx"),
    ],
)  # fmt: skip
def test_what_is_out_of_range_is_refused(values: Any, complaint: str) -> None:
    message = refusal(values)
    assert complaint in message and " more)" not in message and len(message) < 200


@pytest.mark.parametrize("values", [[1], None, "x", 3])
def test_a_config_is_a_table(values: Any) -> None:
    assert refusal(values) == "the config is not a table of settings"


@pytest.mark.parametrize("value", ["\ud800", "\udcff.npy"])
def test_what_could_not_be_written_is_refused(value: str) -> None:
    assert "cannot be written down" in refusal({"data": {"source": value}})


def test_a_number_of_thousands_of_digits_is_refused() -> None:  # Python does not print it
    assert "not a number of so many digits" in refusal({"training": {"steps": 10**5000}})
    assert "seed must be less than" in refusal({"seed": 10**5000})
    assert "training.batch_size must be a valid integer" in refusal({"training": {"batch_size": [10**5000]}})


def test_steps_alone_take_the_place_of_epochs() -> None:
    training = make_config({"training": {"steps": 7}}).training
    assert training.steps == 7 and training.epochs is None


# --- overriding -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("assignment", "path", "value"),
    [
        ("model.latent_dim=2", "model.latent_dim", 2),
        (" model.latent_dim = 2 ", "model.latent_dim", 2),
        ("training.optimizer.lr=5e-4", "training.optimizer.lr", 5e-4),
        ("training.optimizer.lr=1", "training.optimizer.lr", 1.0),
        ("data.dequantize=true", "data.dequantize", True),
        ("data.source=mnist", "data.source", "mnist"),
        ('data.source="mnist"', "data.source", "mnist"),
        ("data.source=a=b.npy", "data.source", "a=b.npy"),
        ("data.source='C:\\new\\x.npy'", "data.source", "C:\\new\\x.npy"),
        ("data.source=C:\\new\\x.npy", "data.source", "C:\\new\\x.npy"),
        ("model.encoder.hidden=[256, 64]", "model.encoder.hidden", [256, 64]),
        ("model.encoder.dropout=[0.1]", "model.encoder.dropout", [0.1]),
        ("model.encoder.dropout=0.1", "model.encoder.dropout", 0.1),
        ("model.prior=none", "model.prior", None),
        ("training.clip_norm=2", "training.clip_norm", 2.0),
        ("objective.beta=4", "objective.beta", 4.0),
        ("objective.beta={name='linear', start=0, end=1}", "objective.beta", Linear(start=0, end=1)),
        ("preset=none", "preset", None),
    ],
)  # fmt: skip
def test_values_are_typed(assignment: str, path: str, value: Any) -> None:
    found: Any = override(VAE, [assignment])
    for name in path.split("."):
        found = getattr(found, name)
    assert found == value and type(found) is type(value)


def test_nothing_else_changes() -> None:
    assert override(VAE, []) == VAE
    before, after = VAE.model_dump(), override(VAE, ["training.optimizer.lr=0.5"]).model_dump()
    assert after["training"]["optimizer"].pop("lr") == 0.5
    before["training"]["optimizer"].pop("lr")
    assert before == after


def test_later_assignments_win() -> None:
    assert override(VAE, ["seed=1", "seed=2"]).seed == 2


def test_a_new_name_brings_its_own_defaults() -> None:
    encoder = override(VAE, ["model.encoder.name=conv"]).model.encoder
    assert encoder.name == "conv" and encoder.channels == [32, 64]
    config = override(CONV, ["model.encoder.name=mlp", "model.encoder.hidden=[5]", "model.decoder.name=mlp"])
    assert config.model.encoder.hidden == [5] and config.model.decoder.hidden == [400]  # type: ignore[union-attr]
    assert config.model.encoder.activation == "relu"  # not conv-vae's leaky-relu
    assert override(AE, ["objective.name=elbo", "objective.beta=2"]).objective.beta == 2.0  # type: ignore[union-attr]


def test_the_same_name_keeps_the_settings() -> None:
    assert override(CONV, ["model.encoder.name=conv"]) == CONV


def test_a_name_that_chooses_no_other_part_keeps_the_settings() -> None:
    optimizer = override(VAE, ["training.optimizer.lr=0.5", "training.optimizer.name=adamw"]).training.optimizer
    assert optimizer.name == "adamw" and optimizer.lr == 0.5


def test_a_name_must_not_undo_an_earlier_assignment() -> None:
    message = refused(["model.encoder.hidden=[5]", "model.encoder.name=residual-mlp"])
    assert "model.encoder.hidden" in message and "give the name before the rest" in message


def test_an_unset_part_is_begun_by_its_name() -> None:
    config = override(AE, ["model.prior.name=gaussian-mixture", "model.prior.components=3"])
    assert config.model.prior is not None and config.model.prior.components == 3  # type: ignore[union-attr]
    assert "It belongs to name = 'gaussian-mixture'" in refused(["model.prior.components=3"], AE)


def test_a_schedule_can_be_written_key_by_key() -> None:
    keys = ["objective.beta.name=linear", "objective.beta.start=0", "objective.beta.end=4"]
    assert override(VAE, keys).objective.beta == Linear(start=0.0, end=4.0)  # type: ignore[union-attr]
    assert "objective.beta needs a name" in refused(["objective.beta.end=4"])
    keys = ["objective.capacity.name=linear", "objective.capacity.start=0", "objective.capacity.end=25"]
    assert override(VAE, keys).objective.capacity == Linear(start=0.0, end=25.0)  # type: ignore[union-attr]


def test_steps_and_epochs_take_each_others_place() -> None:
    steps = override(VAE, ["training.steps=7"])
    assert steps.training.steps == 7 and steps.training.epochs is None
    epochs = override(steps, ["training.epochs=2"])
    assert epochs.training.epochs == 2.0 and epochs.training.steps is None
    assert override(VAE, ["training.epochs=none", "training.steps=7"]) == steps
    assert override(VAE, ["training.steps=7", "training.epochs=none"]) == steps


@pytest.mark.parametrize("order", [1, -1])
def test_steps_and_epochs_exclude_each_other(order: int) -> None:
    message = refused(["training.steps=7", "training.epochs=2"][::order])
    assert "training.steps" in message and "training.epochs" in message and "exclude each other" in message
    assert "give exactly one" in refused(["training.epochs=none"])


@pytest.mark.parametrize(
    ("assignment", "complaint"),
    [
        ("modl.latent_dim=2", "there is no setting 'modl.latent_dim'. Did you mean 'model.latent_dim'?"),
        ("model.latnt_dim=2", "there is no setting 'model.latnt_dim'. Did you mean 'model.latent_dim'?"),
        (
            "training.optimiser.lr=3",
            "there is no setting 'training.optimiser.lr'. Did you mean 'training.optimizer.lr'?",
        ),
        ("training.optimizer.lrr=3", "setting training.optimizer.lrr. Did you mean 'training.optimizer.lr'?"),
        ("model.encoder.hiden=[3]", "setting model.encoder.hiden. Did you mean 'model.encoder.hidden'?"),
        ("model.encoder.channels=[3]", "setting model.encoder.channels. It belongs to name = 'conv'."),
        ("Model.Latent_dim=2", "Did you mean 'model.Latent_dim'?"),
        ("model.LATENT_DIM=2", "Did you mean 'model.latent_dim'?"),
        ("sede=2", "there is no setting 'sede'. Did you mean 'seed'?"),
        ("seed.x=2", "'seed' has no settings of its own"),
        ("training.steps.x=2", "'training.steps' has no settings of its own"),
        ("model.encoder.hidden.x=2", "'model.encoder.hidden' has no settings of its own"),
        ("data.name=x", "there is no setting 'data.name'"),
        ("name=x", "there is no setting 'name'"),
        ("model.encoder.name=mpl", "model.encoder.name has no 'mpl'"),
        ("model.encoder=mlp", "model.encoder must be a table with a name, not 'mlp': write it as model.encoder.name"),
        ("model.encoder.hidden=400", "model.encoder.hidden must be a valid list, not 400: write it as [400]"),
        ("model.encoder.hidden=400,200", "must be a valid list, not '400,200': write it as [400,200]"),
        ("data.dequantize=yes", "data.dequantize must be a valid boolean, not 'yes'"),
        ("seed=1\nx = 2", "seed must be a valid integer, not '1\\nx = 2'"),
        ("seed=" + "9" * 5000, "seed must be a valid integer"),
        ("seed=" + "[" * 5000, "seed must be a valid integer"),
        ("seed=inf", "seed must be a"),
        ("objective.beta=nan", "objective.beta must be a finite number"),
    ],
)
def test_a_bad_assignment_names_its_key(assignment: str, complaint: str) -> None:
    assert complaint in refused([assignment])


@pytest.mark.parametrize("assignment", ["", "x", "=3", "a..b=3", ".=3", "model.latent_dim", "model.=3", " =3"])
def test_what_is_no_assignment_is_shown_how_to_be_one(assignment: str) -> None:
    assert refused([assignment]) == f"'{assignment}' is not an assignment: write --set section.setting=value"


# --- whatever a user writes ends in a config or a ConfigError ---------------------------------------------------------

KEYS = [
    "preset", "seed", "data", "model", "objective", "training", "source", "binarize", "latent_dim", "encoder",
    "decoder", "posterior", "prior", "likelihood", "hidden", "channels", "dropout", "norm", "sigma", "scale", "beta",
    "capacity", "start", "end", "until", "cycles", "low", "high", "epochs", "steps", "optimizer", "lr", "lr_schedule",
    "clip_norm", "logvar_bounds", "levels", "components", "kernel",
]  # fmt: skip
NAMES = [
    "mlp",
    "conv",
    "residual",
    "gaussian",
    "bernoulli",
    "linear",
    "cyclical",
    "cosine",
    "elbo",
    "autoencoder",
    "none",
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, 1, -1, 10**400, 2**63]),
    st.floats(),
    st.sampled_from(NAMES),
    st.text(max_size=5),
    st.sampled_from(["\ud800", "\x00", "\n", '"""']),
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
        st.dictionaries(st.one_of(st.text(max_size=4), st.integers(), st.none()), inner, max_size=2),
        st.tuples(st.sampled_from(NAMES), st.dictionaries(st.sampled_from(KEYS), inner, max_size=3)).map(
            lambda pair: {"name": pair[0], **pair[1]}
        ),
    ),
    max_leaves=12,
)
SECTIONS = {
    "data": ["source", "binarize", "threshold", "validation", "split_seed"],
    "model": ["latent_dim", "encoder", "decoder", "posterior", "prior", "likelihood"],
    "objective": ["name", "beta", "capacity", "free_bits", "l1"],
    "training": ["epochs", "steps", "optimizer", "lr_schedule", "ema", "threads", "device"],
}
CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        **{name: st.dictionaries(st.sampled_from(keys), TREES, max_size=3) for name, keys in SECTIONS.items()},
        "seed": SCALARS,
        "preset": SCALARS,
    },
)


def ends_well(make: Any, *arguments: Any) -> None:
    try:
        config = make(*arguments)
    except ConfigError as error:
        message = str(error)
    else:
        message = "fine"
        assert make_config(tomllib.loads(to_toml(config))) == config  # whatever is accepted can be repeated
    assert message and "Input should" not in message and "[type=" not in message


@given(st.one_of(TREES, CONFIGS, st.dictionaries(st.sampled_from(KEYS), TREES)))
@settings(max_examples=400)
def test_any_tree_is_a_config_or_refused(values: Any) -> None:
    ends_well(make_config, values)


def test_an_optional_part_is_begun_by_any_of_its_settings() -> None:
    config = override(Config(), ["model.condition.encoder=false", "model.condition.decoder=true"])
    assert config.model.condition is not None
    assert (config.model.condition.encoder, config.model.condition.decoder) == (False, True)
    assert override(config, ["model.condition=none"]).model.condition is None
    with pytest.raises(ConfigError, match=r"Did you mean 'model\.condition\.decoder'"):
        override(config, ["model.condition.decoders=true"])


def read_bytes(path: Path, content: bytes) -> Config:
    path.write_bytes(content)
    return read_config(path)


@given(content=st.one_of(st.binary(max_size=60), st.text(max_size=60).map(str.encode)))
@settings(max_examples=100)
def test_any_file_is_a_config_or_refused(content: bytes, tmp_path: Path) -> None:
    ends_well(read_bytes, tmp_path / "config.toml", content)


@given(
    name=st.sampled_from(list(PRESETS)),
    start=st.floats(0, 1),
    length=st.integers(0, 12),
    text=st.one_of(st.text(max_size=6), st.sampled_from(["=", "[", '"', "\n", "nan", "-1", "[[x]]\n", "1e999"])),
)  # fmt: skip
@settings(max_examples=200)
def test_a_config_with_a_slip_is_a_config_or_refused(
    name: str, start: float, length: int, text: str, tmp_path: Path
) -> None:
    whole = to_toml(PRESETS[name].config())
    at = int(start * len(whole))
    ends_well(read_bytes, tmp_path / "config.toml", (whole[:at] + text + whole[at + length :]).encode())


PATHS = [
    "seed", "preset", "data.source", "data.validation", "model", "model.latent_dim", "model.encoder",
    "model.encoder.name", "model.encoder.hidden", "model.encoder.dropout", "model.prior", "model.prior.name",
    "model.prior.components", "model.likelihood.name", "model.likelihood.scale", "objective.name", "objective.beta",
    "objective.beta.name", "objective.beta.end", "objective.capacity", "training.epochs", "training.steps",
    "training.optimizer.lr", "training",
]  # fmt: skip
VALUES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [*NAMES, "none", "true", "[1, 2]", "[0.5]", "{}", '{name="linear", start=0, end=1}', "1e400", "-0.0"]
    ),
    st.integers().map(str),
    st.floats().map(str),
    st.dates().map(str),
)
ASSIGNMENTS = st.one_of(
    st.text(max_size=20),
    st.builds("{}={}".format, st.sampled_from(PATHS), VALUES),
    st.builds("{}.{}={}".format, st.sampled_from(PATHS), st.sampled_from([*KEYS, "name"]), VALUES),
    st.builds("{}={}".format, st.lists(st.sampled_from(KEYS), max_size=4).map(".".join), VALUES),
)


@given(st.sampled_from([VAE, CONV, AE]), st.lists(ASSIGNMENTS, max_size=4))
@settings(max_examples=400)
def test_any_assignments_give_a_config_or_are_refused(config: Config, assignments: list[str]) -> None:
    ends_well(override, config, assignments)


def test_none_within_a_list_survives_toml() -> None:
    config = make_config({"model": {"decoder": {"name": "transposed-stack", "layers": [{"channels": 4}, {}]}}})
    written = to_toml(config)
    assert 'channels = "none"' in written and make_config(tomllib.loads(written)) == config
    other = override(config, ['model.decoder.layers=[{channels=3}, {channels="none", kernel=2}]'])
    assert [layer.channels for layer in other.model.decoder.layers] == [3, None]  # type: ignore[union-attr]
