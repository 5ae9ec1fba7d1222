"""Flask-ECSCart: an Amazon ECS shopping cart for Flask sites and the pages that embed them."""

from __future__ import annotations
