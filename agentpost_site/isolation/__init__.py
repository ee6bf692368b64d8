"""The proof of the walls: what ``manage.py verify_isolation`` tries, and what it demands.

``proof`` runs everything; ``ground`` is the throw-away database it runs in, ``world`` the tenants that fill it,
``discovery`` what there is to be tried. Each other module tries one way across a wall and returns an ``Area``.
"""
