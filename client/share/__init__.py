"""Handing on a way that was proved: capsules, and the five ways that they travel."""
