# What a run of the model test can find.


class Violation(Exception):
    """The daemon did not keep its word. The first line says what, without what differs from run to run."""
