"""What every test relies on: one thread for each worker, no colours, no windows, repeatable examples."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before PyTorch is imported; the workers share the cores
os.environ["MPLBACKEND"] = "Agg"
for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"):
    os.environ.pop(name, None)

from hypothesis import HealthCheck, settings  # noqa: E402

settings.register_profile(
    "latentia",
    deadline=None,  # a machine under load is no failure
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("latentia")
