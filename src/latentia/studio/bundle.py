"""The form of the answers with arrays: that of :mod:`latentia.exploration.bundle`, which the exported page shares."""

from latentia.exploration.bundle import pack as pack
from latentia.exploration.bundle import plain as plain
from latentia.exploration.bundle import unpack as unpack
