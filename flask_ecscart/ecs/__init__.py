"""The client of an ECS cart service: typed calls in, signed XML over HTTP, `Cart` or an error out. Knows no Flask."""

from __future__ import annotations

from flask_ecscart.ecs.client import ECSClient, ECSProvider
from flask_ecscart.ecs.transport import Reply, RequestsTransport, Transport

__all__ = ["ECSClient", "ECSProvider", "Reply", "RequestsTransport", "Transport"]
