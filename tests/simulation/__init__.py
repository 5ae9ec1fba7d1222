"""Seeded schedules of the real carts, settling and dispatching code: time, store and network are simulated.

Every step in the store, in Redis and on the network is a point where a seeded scheduler lets another thread go on,
kills or pauses a process, or loses an answer. `python -m tests.simulation --help` runs many by hand.
"""
