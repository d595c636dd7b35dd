"""Measurements of the real program against bare clients, on a farm of loopback proxies with known truth."""
