"""How attention grew over the epochs, as one picture per image."""

from __future__ import annotations
