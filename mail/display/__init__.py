"""A message as a person looks at it: pure, from what a stranger wrote to what a browser may be given."""

from mail.display.frames import Framed, framed

__all__ = ["Framed", "framed"]
