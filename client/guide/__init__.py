"""From what works to a working program: which way is recommended and why, and its steps in the person's language."""
