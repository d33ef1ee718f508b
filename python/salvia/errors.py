"""Failures whose text the user sees as the job's FailureReason."""


class UserError(Exception):
    """Something that the user has to change; told without a traceback."""


class BadRequest(Exception):
    """A request that the model cannot answer: 400."""
