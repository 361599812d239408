"""Giving a model away: as ONNX graphs that run without PyTorch, and as one HTML page."""

from latentia._lazy import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "OnnxExport": "onnx",
        "PageExport": "html",
        "export_onnx": "onnx",
        "export_page": "html",
    },
)
