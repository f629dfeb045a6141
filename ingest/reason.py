"""What went wrong, in a line."""

from __future__ import annotations


def reason(error: BaseException | None) -> str:
    """The first line of what went wrong; of a JVM exception its innermost cause."""
    java = getattr(error, "java_exception", None)
    while java is not None and java.getCause() is not None:
        java = java.getCause()
    text = str(java.toString()) if java is not None else f"{type(error).__name__}: {error}"
    return text.strip().splitlines()[0][:500]
