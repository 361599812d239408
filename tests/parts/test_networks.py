"""Networks: exact sizes for every image, parameter counts of known architectures, gradients, refusals."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from latentia.errors import ConfigError
from latentia.parts.networks.convolutional import ConvDecoder, ConvEncoder, ConvMapDecoder
from latentia.parts.networks.layers import activation_layer, halvings, image_norm, vector_norm
from latentia.parts.networks.mlp import MLP
from latentia.parts.networks.residual import Doubling, ResidualDecoder, ResidualEncoder, ResidualMLP
from latentia.parts.networks.stacks import ConvStackEncoder, TransposedStackDecoder

ACTIVATIONS = ["relu", "leaky-relu", "gelu", "silu", "tanh", "elu"]
SIDES = st.integers(1, 40)


def parameters(*modules: nn.Module) -> int:
    return sum(p.numel() for module in modules for p in module.parameters())


# --- sizes ------------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(height=SIDES, width=SIDES, layers=st.integers(1, 4), kernel=st.sampled_from([1, 3, 5]))
def test_convolutions_mirror_every_height_and_width(height: int, width: int, layers: int, kernel: int) -> None:
    channels = [2, 3, 2, 3][:layers]
    encoder = ConvEncoder((2, height, width), channels, kernel=kernel)
    decoder = ConvDecoder((5,), (3, height, width), channels[::-1], kernel=kernel)
    x = torch.rand(2, 2, height, width)
    seen = [x.shape[2:]]
    for module in encoder.layers:
        x = module(x)
        if isinstance(module, nn.Conv2d):
            seen.append(x.shape[2:])
    assert encoder.out_features == x[0].numel() == channels[-1] * math.prod(seen[-1])
    mirrored = [torch.Size(decoder.start_shape[1:])]
    h = decoder.linear(torch.rand(2, 5)).unflatten(1, decoder.start_shape)
    for module in decoder.layers:
        h = module(h)
        if isinstance(module, nn.ConvTranspose2d):
            mirrored.append(h.shape[2:])
    assert mirrored == seen[::-1]
    assert h.shape == (2, 3, height, width)
    assert decoder(torch.rand(2, 5)).shape == (2, 3, height, width)


@settings(max_examples=25, deadline=None)
@given(height=SIDES, width=SIDES, stages=st.integers(1, 3), norm=st.sampled_from(["group", "batch", "none"]))
def test_residual_networks_fit_every_height_and_width(height: int, width: int, stages: int, norm: str) -> None:
    channels = [4, 2, 6][:stages]
    encoder = ResidualEncoder((1, height, width), channels, 1, norm=norm)
    decoder = ResidualDecoder((3,), (2, height, width), channels[::-1], 1, norm=norm)
    h = encoder(torch.rand(2, 1, height, width))
    assert h.shape == (2, encoder.out_features)
    assert encoder.out_features == channels[-1] * math.prod(halvings(height, width, stages)[-1])
    assert decoder(torch.rand(2, 3)).shape == (2, 2, height, width)


@pytest.mark.parametrize("shape", [(1,), (7,), (1, 1, 1), (3, 5, 2)])
@pytest.mark.parametrize("kind", [MLP, ResidualMLP])
def test_fully_connected_networks_take_and_return_any_shape(kind: type[nn.Module], shape: tuple[int, ...]) -> None:
    x = torch.rand(4, *shape)
    features = kind(shape, [6, 5])
    assert features(x).shape == (4, 5) and features.out_features == 5
    assert kind(shape, [6, 5], out_shape=shape)(x).shape == x.shape


def test_an_mlp_without_hidden_layers_is_linear() -> None:
    x = torch.rand(3, 1, 2, 2)
    assert torch.equal(MLP((1, 2, 2), [])(x), x.flatten(1))
    assert parameters(MLP((1, 2, 2), [], (3,))) == 4 * 3 + 3


def test_a_latent_cube_is_flattened() -> None:
    assert ConvDecoder((4, 2, 2), (1, 9, 9), [8])(torch.rand(3, 4, 2, 2)).shape == (3, 1, 9, 9)
    assert MLP((4, 2, 2), [8], (6,))(torch.rand(3, 4, 2, 2)).shape == (3, 6)


def test_doubling_repeats_every_pixel() -> None:
    x = torch.rand(2, 3, 4, 5)
    expected = x.repeat_interleave(2, 2).repeat_interleave(2, 3)[..., :7, :10]
    assert torch.equal(Doubling(7, 10)(x), expected)


LAYERS = st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(0, 2))  # kernel, stride, padding


@settings(max_examples=60, deadline=None)
@given(height=SIDES, width=SIDES, sizes=st.lists(LAYERS, min_size=1, max_size=3))
def test_listed_convolutions_say_what_they_leave(height: int, width: int, sizes: list[tuple[int, int, int]]) -> None:
    layers = [{"channels": 2, "kernel": k, "stride": s, "padding": p} for k, s, p in sizes]
    try:
        encoder = ConvStackEncoder((3, height, width), layers)
    except ConfigError as error:
        assert "leaves nothing" in str(error)  # noqa: PT017 - not every list of layers fits every image
        return
    features = encoder.layers(torch.rand(2, 3, height, width))
    assert features.shape[1:] == encoder.out_shape and encoder.out_features == features[0].numel()
    assert torch.equal(encoder.eval()(x := torch.rand(2, 3, height, width)), encoder.layers(x).flatten(1))


@settings(max_examples=60, deadline=None)
@given(height=st.integers(1, 6), width=st.integers(1, 6), sizes=st.lists(LAYERS, min_size=1, max_size=3))
def test_listed_transposed_convolutions_are_held_to_their_output(
    height: int, width: int, sizes: list[tuple[int, int, int]]
) -> None:
    layers = [{"channels": 2, "kernel": k, "stride": s, "padding": p, "output_padding": s - 1} for k, s, p in sizes]
    plain: list[nn.Module] = [nn.ConvTranspose2d(2, 2, k, s, p, s - 1) for k, s, p in sizes]
    sides = [height, width]
    for k, s, p in sizes:
        sides = [(side - 1) * s - 2 * p + k + s - 1 for side in sides]
        if min(sides) < 1:
            return
    out_shape = nn.Sequential(*plain)(torch.rand(2, 2, height, width)).shape[1:]
    decoder = TransposedStackDecoder((2, height, width), out_shape, layers)
    assert decoder(torch.rand(2, 2, height, width)).shape[1:] == out_shape
    with pytest.raises(ConfigError, match="but the data need"):
        TransposedStackDecoder((2, height, width), (2, sides[0] + 1, sides[1]), layers)


@pytest.mark.parametrize("network", [ConvEncoder, ResidualEncoder])
def test_encoders_say_of_which_feature_map_their_features_are(network: type[nn.Module]) -> None:
    encoder = network((1, 9, 6), [8, 4])
    assert encoder.out_shape == (4, 3, 2) and encoder.out_features == 24
    maps = encoder.eval().layers(x := torch.rand(2, 1, 9, 6))  # type: ignore[operator]
    assert torch.equal(encoder(x).unflatten(1, (4, 3, 2)), maps)


# --- known architectures ----------------------------------------------------------------------------------------------


def test_an_mlp_computes_what_its_layers_say() -> None:
    network = MLP((1, 2, 2), [5, 3], (2,), activation="tanh")
    first, second, last = (module for module in network.layers if isinstance(module, nn.Linear))
    x = torch.rand(4, 1, 2, 2)
    h = torch.tanh(x.reshape(4, 4) @ first.weight.T + first.bias)
    h = torch.tanh(h @ second.weight.T + second.bias)
    torch.testing.assert_close(network(x), h @ last.weight.T + last.bias)


def test_layers_come_in_order() -> None:
    def names(network: nn.Module) -> list[str]:
        layers = network.layers
        assert isinstance(layers, nn.Sequential)
        return [type(layer).__name__ for layer in layers]

    assert names(MLP((4,), [3, 2], (1,), norm="batch", dropout=[0.2, 0.0])) == [
        *["Linear", "BatchNorm1d", "ReLU", "Dropout"],
        *["Linear", "BatchNorm1d", "ReLU"],
        "Linear",
    ]
    assert names(ConvEncoder((1, 8, 8), [2, 3], dropout=0.1, activation="leaky-relu")) == [
        *["Conv2d", "BatchNorm2d", "LeakyReLU", "Dropout2d"] * 2
    ]
    assert names(ConvDecoder((2,), (1, 8, 8), [3, 2])) == [
        "ConvTranspose2d",
        *["BatchNorm2d", "ReLU"],
        "ConvTranspose2d",
    ]
    assert names(ConvDecoder((2,), (1, 8, 8), [3], dropout=0.1)) == ["Dropout2d", "ConvTranspose2d"]


def test_the_last_hidden_layer_of_an_mlp_can_be_linear() -> None:
    network = MLP((1, 2, 2), [5, 3], activate_last=False)
    first, last = (module for module in network.layers if isinstance(module, nn.Linear))
    x = torch.randn(4, 1, 2, 2)
    h = torch.relu(x.reshape(4, 4) @ first.weight.T + first.bias) @ last.weight.T + last.bias
    torch.testing.assert_close(network(x), h)
    assert (network(x) < 0).any() and network.out_features == 3
    full = MLP((4,), [5, 3], norm="batch", dropout=0.1, activate_last=False)
    kinds = [type(layer).__name__ for layer in full.layers]
    assert kinds == ["Linear", "BatchNorm1d", "ReLU", "Dropout", "Linear", "BatchNorm1d", "Dropout"]


def test_listed_layers_are_normalised_and_activated_as_asked() -> None:
    def names(network: nn.Module) -> list[str]:
        return [type(layer).__name__ for layer in network.layers]  # type: ignore[union-attr]

    two = [{"channels": 4}, {"channels": 3}]
    assert names(ConvStackEncoder((1, 8, 8), two)) == ["Conv2d", "BatchNorm2d", "ReLU"] * 2
    bare = ConvStackEncoder((1, 8, 8), two, norm_last=False, activate_last=False, bias=True)
    assert names(bare) == ["Conv2d", "BatchNorm2d", "ReLU", "Conv2d"]
    assert parameters(bare) == (9 * 4 + 4) + 8 + (4 * 9 * 3 + 3)
    assert names(ConvStackEncoder((1, 8, 8), two, norm="none", activate_last=False)) == ["Conv2d", "ReLU", "Conv2d"]
    up = TransposedStackDecoder((3, 2, 2), (1, 5, 5), [{"channels": 4}, {}])
    assert names(up) == ["ConvTranspose2d", "BatchNorm2d", "ReLU", "ConvTranspose2d"]
    assert parameters(up) == 3 * 9 * 4 + 8 + (4 * 9 + 1)  # the last has a bias in any case


def test_leaky_relu_has_slope_a_fifth() -> None:
    assert activation_layer("leaky-relu")(torch.tensor(-1.0)).item() == pytest.approx(-0.2)


@pytest.mark.parametrize("channels", range(2, 70))
def test_groups_are_never_of_one_channel(channels: int) -> None:
    (norm,) = image_norm("group", channels)
    assert isinstance(norm, nn.GroupNorm)
    assert channels % norm.num_groups == 0 and channels // norm.num_groups > 1
    assert norm(torch.rand(2, channels, 1, 1)).abs().max() > 0  # a feature map of one pixel survives


# --- gradients, dropout, purity ---------------------------------------------------------------------------------------


NETWORKS = {
    "mlp": lambda **k: MLP((1, 6, 5), [8, 7], (4,), **k),
    "conv-encoder": lambda **k: ConvEncoder((1, 6, 5), [4, 6], norm="none", **k),
    "conv-decoder": lambda **k: ConvDecoder((1, 6, 5), (1, 6, 5), [6, 4], norm="none", **k),
    "residual-encoder": lambda **k: ResidualEncoder((1, 6, 5), [4, 6], 1, **k),
    "residual-decoder": lambda **k: ResidualDecoder((1, 6, 5), (1, 6, 5), [6, 4], 1, **k),
    "residual-mlp": lambda **k: ResidualMLP((1, 6, 5), [8, 7], 1, (4,), **k),
}
STACKS = {
    "conv-stack": lambda **k: ConvStackEncoder((1, 6, 5), [{"channels": 4}, {"channels": 3}], norm="none", **k),
    "transposed-stack": lambda **k: TransposedStackDecoder(
        (1, 6, 5), (2, 12, 10), [{"channels": 4, "stride": 1}, {"output_padding": 1}], norm="none", **k
    ),
}


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("name", [*NETWORKS, *STACKS])
def test_gradients_reach_every_parameter_and_inputs_stay(name: str, activation: str) -> None:
    torch.manual_seed(0)
    network = {**NETWORKS, **STACKS}[name](activation=activation).double()
    x = torch.rand(16, 1, 6, 5, dtype=torch.float64)
    before = x.clone()
    output = network(x)
    assert output.dtype == torch.float64
    (output * torch.randn(output.shape, dtype=torch.float64)).sum().backward()
    assert torch.equal(x, before)
    for parameter_name, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().max() > 0, parameter_name


@pytest.mark.parametrize("name", NETWORKS)
def test_dropout_acts_in_training_only(name: str) -> None:
    torch.manual_seed(0)
    network, x = NETWORKS[name](dropout=0.5), torch.rand(4, 1, 6, 5)
    assert not torch.equal(network(x), network(x))
    network.eval()
    assert torch.equal(network(x), network(x))


@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_vector_norms_normalise(norm: str) -> None:
    (layer,) = vector_norm(norm, 6)
    h = layer(3 + 2 * torch.randn(50, 6, dtype=torch.float32))
    dim = 0 if norm == "batch" else 1
    assert h.mean(dim).abs().max() < 1e-5 and (h.var(dim, correction=0) - 1).abs().max() < 1e-3


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", [ConvEncoder, ResidualEncoder])
def test_encoders_of_images_refuse_vectors(network: type[nn.Module]) -> None:
    with pytest.raises(ConfigError, match=r"images .* shape \(30,\).*mlp"):
        network((30,), [8])


@pytest.mark.parametrize("blocks", [0, 1, 2])
@pytest.mark.parametrize(("height", "width"), [(28, 28), (5, 7), (1, 1), (9, 8)])
def test_a_map_is_led_back_to_every_height_and_width(height: int, width: int, blocks: int) -> None:
    encoder = ConvEncoder((2, height, width), [3, 4])
    decoder = ConvMapDecoder(encoder.out_shape, (2, height, width), [4, 3], blocks=blocks, norm="none")
    x = torch.rand(3, 2, height, width)
    assert decoder(encoder(x).unflatten(1, encoder.out_shape)).shape == x.shape
    assert sum(isinstance(part, nn.Conv2d) for part in decoder.modules()) == 1 + 2 * blocks


@pytest.mark.parametrize("network", [ConvDecoder, ResidualDecoder])
def test_decoders_of_images_refuse_vectors(network: type[nn.Module]) -> None:
    with pytest.raises(ConfigError, match=r"images .* shape \(30,\).*mlp"):
        network((2,), (30,), [8])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MLP((4,), [8, 0]), "hidden must be whole numbers of at least 1"),
        (lambda: MLP((4,), [8], dropout=1.0), "less than 1"),
        (lambda: MLP((4,), [], dropout=-0.1), "at least 0"),
        (lambda: MLP((4,), [8, 8], dropout=[0.1]), "1 rates but there are 2"),
        (lambda: MLP((4,), [8], activation="rleu"), "Did you mean 'relu'"),
        (lambda: MLP((4,), [8], norm="group"), "none, batch and layer"),
        (lambda: MLP((4,), [1], norm="layer"), "single unit"),
        (lambda: ResidualMLP((4,), []), "at least 1 layer"),
        (lambda: ResidualMLP((4,), [8], 0), "blocks"),
        (lambda: ConvEncoder((1, 4, 4), []), "at least 1 layer"),
        (lambda: ConvEncoder((1, 4, 4), [2], kernel=4), "odd"),
        (lambda: ConvEncoder((1, 4, 4), [2], norm="layer"), "none, batch and group"),
        (lambda: ConvDecoder((1,), (1, 4, 4), [-2]), "channels must be"),
        (lambda: ConvMapDecoder((8,), (1, 8, 8), [4, 4]), "needs a feature map of 2 x 2 for 8 x 8 pixels"),
        (lambda: ConvMapDecoder((8, 4, 4), (1, 8, 8), [4, 4]), r"not latents of the shape \(8, 4, 4\)"),
        (lambda: ConvMapDecoder((8, 2, 2), (1, 8, 8), [4, 4], kernel=2), "odd"),
        (lambda: ResidualEncoder((1, 4, 4), [1]), "single unit"),
        (lambda: MLP((4,), [], activate_last=False), "needs a hidden layer"),
        (lambda: ConvStackEncoder((30,), [{"channels": 4}]), r"images .* shape \(30,\).*mlp"),
        (lambda: ConvStackEncoder((1, 4, 4), []), "at least 1 layer"),
        (lambda: ConvStackEncoder((1, 4, 4), [{"channels": 0}]), "channels must be"),
        (lambda: ConvStackEncoder((1, 4, 4), [{"channels": 2, "stride": 0}]), "kernel and stride must be"),
        (lambda: ConvStackEncoder((1, 4, 4), [{"channels": 2, "padding": -1}]), "padding must be at least 0"),
        (
            lambda: ConvStackEncoder((1, 4, 4), [{"channels": 2}, {"channels": 2, "kernel": 5}]),
            r"layers\[1\] of the encoder leaves nothing of 2 x 2 pixels.*smaller kernel than 5 or more padding than 1",
        ),
        (
            lambda: TransposedStackDecoder((4,), (1, 4, 4), [{}]),
            r"\(4,\).*latent_dim=none --set model\.posterior\.name=gaussian-map",
        ),
        (lambda: TransposedStackDecoder((4, 2, 2), (30,), [{}]), r"images .* shape \(30,\).*mlp"),
        (lambda: TransposedStackDecoder((4, 2, 2), (1, 4, 4), []), "at least 1 layer"),
        (lambda: TransposedStackDecoder((4, 2, 2), (1, 4, 4), [{}, {}]), r"layers\[0\] has no channels"),
        (
            lambda: TransposedStackDecoder((4, 2, 2), (1, 4, 4), [{"output_padding": 2}]),
            "output_padding must be at least 0 and less than the stride 2",
        ),
        (
            lambda: TransposedStackDecoder((4, 2, 2), (1, 4, 4), [{"channels": 3, "output_padding": 1}]),
            "has 3 channels, but the likelihood needs 1",
        ),
        (
            lambda: TransposedStackDecoder((4, 2, 2), (1, 4, 4), [{}]),
            r"make 1 x 3 x 3 of latents 4 x 2 x 2, but the data need 1 x 4 x 4.*--set data\.size=\[3,3\]",
        ),
        (
            lambda: TransposedStackDecoder((4, 1, 1), (1, 4, 4), [{"padding": 2}]),
            "leaves nothing: give it less padding",
        ),
        (lambda: ResidualDecoder((1,), (1, 4, 4), [2], dropout=2.0), "less than 1"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()
