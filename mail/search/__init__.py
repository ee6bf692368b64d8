"""Search without a database: text to words, a mail to what is indexed of it, a query to what is looked up.

Both sides cut and fold text by the same code (``words``), so that what was written is what is found.
"""

from mail.search.compiling import Compiled, compiled
from mail.search.entries import Indexed, code_of, vector
from mail.search.highlighting import Highlighter
from mail.search.mistakes import mistakes
from mail.search.query import Query, Term, parse_query

__all__ = [
    "Compiled",
    "Highlighter",
    "Indexed",
    "Query",
    "Term",
    "code_of",
    "compiled",
    "mistakes",
    "parse_query",
    "vector",
]
