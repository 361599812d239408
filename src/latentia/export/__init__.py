"""Giving a model away: as ONNX graphs that run without Latentia and without PyTorch."""

from latentia._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "OnnxExport": "onnx",
        "export_onnx": "onnx",
    },
)
