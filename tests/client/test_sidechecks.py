"""The impossible address: an error is a refusal, however it comes; a page from nowhere is made up."""

from __future__ import annotations

import pytest

from client.model import Content
from client.sidechecks import made_up


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 502 Bad Gateway\r\n",
        b"\r\nHTTP/1.0 404 Not Found\r\n\r\n<html>",
        b"http/1.1 503 no\r\n",
        b"\x15\x03\x01\x00\x02\x02\x28",
    ],
)
def test_an_error_inside_the_tunnel_is_a_refusal(answer: bytes) -> None:
    assert made_up(answer) is Content.REFUSED


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 200 OK\r\n", b" \r\n<html>", b"HTTP/1.1 302 Found\r\n", b"hello", b"HTTP/1.1\r\n"]
)
def test_anything_else_from_nowhere_is_made_up(answer: bytes) -> None:
    assert made_up(answer) is Content.ALTERED
