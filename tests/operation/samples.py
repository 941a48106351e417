"""Constants of the operation tests."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CANARY = "Zq7X-María-Quispe-09876543"
"""An invented person: whatever shows it where it should not has leaked."""
