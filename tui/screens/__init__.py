"""What the person sees: home, consent, results, help."""
