"""Networks: modules that map a tensor to a tensor and know no probability.

Any ``nn.Module`` of fitting shape can take their place. An encoder network maps ``x`` (B, *event) to features
(B, out_features), to which a posterior adds its own linear head (one whose features are a flattened feature map says so
by ``out_shape`` = (C, H, W), and the latents can be that map); a decoder network maps ``z`` (B, *latent) to the
parameters of a likelihood. Sizes are listed in the order in which the data flow through the network.
"""

from __future__ import annotations

from latentia._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "MLP": "mlp",
        "ConvEncoder": "convolutional",
        "ConvDecoder": "convolutional",
        "ConvMapDecoder": "convolutional",
        "ConvStackEncoder": "stacks",
        "TransposedStackDecoder": "stacks",
        "ResidualEncoder": "residual",
        "ResidualDecoder": "residual",
        "ResidualMLP": "residual",
    },
)
