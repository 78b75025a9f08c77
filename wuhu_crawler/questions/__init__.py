"""Saved questions: what analysts ask again and again, each a documented SQL file over the views.

A file has a header of comments (title, description, parameters, columns) and one query. Ours lie in this folder, users have
folders of their own (docs/questions.md). `wuhu ask`, the exploring pages and the Python interface ask them from here. Knows the
database and errors only; prints nothing.
"""

from .answers import answer
from .parameters import values
from .question import KINDS, Parameter, Question, Value
from .shelf import OURS, folders_of, load
from .wording import runnable, statement

__all__ = ["KINDS", "OURS", "Parameter", "Question", "Value", "answer", "folders_of", "load", "runnable", "statement", "values"]
