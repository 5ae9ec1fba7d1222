"""All manners of a slow, limited remote cart service: who sends, when, how often, and what is said meanwhile.

Web workers write what is wanted and a line in the queue, in one transaction (`front`). One elected dispatcher per
access key takes the carts in turn (`dispatcher`), at the pace the key allows (`turns`, `paced`), and writes what came
of it. The embedded provider never comes here.
"""

from __future__ import annotations

from flask_ecscart.dispatch.front import Front, QueueFull, Seen
from flask_ecscart.dispatch.remote import Parts, Remote, Status
from flask_ecscart.dispatch.runner import Runner

__all__ = ["Front", "Parts", "QueueFull", "Remote", "Runner", "Seen", "Status"]
