"""Wire formats without any I/O: bytes in, bytes out. A test forbids `async` and `socket` here."""
