"""The sender: hands over to transports what the muzzle lets out, and records what became of it.

``sender`` is the loop; ``claims`` takes what is due, ``door`` decides for the last time, ``parcels`` builds the bytes,
``records`` writes down the answers, ``schedule`` knows when to try again.
"""
