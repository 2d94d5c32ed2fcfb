"""What can be wrong with the input of the generators."""

from __future__ import annotations

__all__ = ["CodegenError", "DescriptionError", "FacadeError", "FormatterError", "OverrideError"]


class CodegenError(Exception):
    """Generation cannot go on; the message names the place."""


class DescriptionError(CodegenError):
    """A description says something the generator has no form for."""


class OverrideError(CodegenError):
    """An override matches nothing, or changes nothing: it is out of date."""


class FacadeError(CodegenError):
    """An async class has a member that no facade can stand for."""


class FormatterError(CodegenError):
    """The formatter is missing, has another version than the pinned one, or refuses the text."""
