"""The OpenAPI document and the API agree: generated requests, right and wrong, find nothing (schemathesis, all checks)."""

from __future__ import annotations

import schemathesis
from hypothesis import HealthCheck, Phase, settings

from tests.support.shop import Shop
