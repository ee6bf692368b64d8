"""The deliverer: takes what is due, posts it outside any transaction, and writes down what came of it.

Any number of processes on any number of hosts share the work. ``claims`` and ``records`` talk to the database,
``outcomes``, ``lines`` and ``requests`` decide without it, ``deliverer`` runs them in one event loop.
"""
