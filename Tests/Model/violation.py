# The result of a failing conversation.


class Violation(Exception):
    """The daemon broke a promise. The first line says which, without details that differ from run to run."""
