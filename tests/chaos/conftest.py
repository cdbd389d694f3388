"""The harness is modules beside the tests, which are no package; they go by names of their own."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
