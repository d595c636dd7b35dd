"""Which ports and protocols still cross the border, asked of a helper's beacon or of public hosts."""
