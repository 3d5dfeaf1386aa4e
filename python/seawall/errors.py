"""Every exception that Seawall raises on purpose, under one parent.

Messages read like advice: they name the field, its value and what to do. A refusal by the venue is not an
exception but an event of kind ``REJECTED``.
"""

__all__ = [
    "BusyError",
    "CommandError",
    "ConfigError",
    "JournalError",
    "MissingExtraError",
    "PolicyError",
    "ScenarioError",
    "SeawallError",
    "SnapshotError",
    "VectorError",
]


class SeawallError(Exception):
    """Parent of every exception of this package."""


class ConfigError(SeawallError, ValueError):
    """A venue configuration that cannot work, or a venue profile that is not there."""


class ScenarioError(SeawallError, ValueError):
    """A scenario that cannot work or is not there, or a world that cannot be built from it."""


class CommandError(SeawallError, ValueError):
    """An array that does not hold commands: wrong dtype, record size, shape or memory layout."""


class SnapshotError(SeawallError, ValueError):
    """Bytes that are not a snapshot of a venue: cut short, damaged, or of another version."""


class JournalError(SeawallError, ValueError):
    """Bytes that are not a journal of a venue, or a journal that cannot be begun or gone on with."""


class PolicyError(SeawallError, RuntimeError):
    """A policy that was asked in circles, or whose answer cannot be used. What it raises itself is passed on."""


class VectorError(SeawallError, ValueError):
    """A conformance vector that is not in the documented form."""


class BusyError(SeawallError, RuntimeError):
    """A second call reached a venue or a world while another thread was using it."""


class MissingExtraError(SeawallError, ImportError):
    """An optional library is not installed; the message names the extra that brings it."""
