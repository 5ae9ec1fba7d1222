"""Flask-ECSCart: an Amazon ECS shopping cart for Flask sites and the pages that embed them.

`ECSCart` puts the cart on a Flask app; `ECSClient` speaks the ECS protocol without Flask. The rest are the
words (`model`) and the errors (`errors`) both use.
"""

from __future__ import annotations

from flask_ecscart import errors, model
from flask_ecscart.ecs.client import ECSClient
from flask_ecscart.errors import *  # noqa: F403 - the error tree is public as a whole
from flask_ecscart.extension import ECSCart
from flask_ecscart.model import *  # noqa: F403 - so are the words

__all__ = ["ECSCart", "ECSClient"]
__all__ += errors.__all__
__all__ += model.__all__
