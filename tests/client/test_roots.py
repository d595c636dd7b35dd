import ssl
from pathlib import Path

import pytest

from client import roots
from client.drill.ca import Authority
from transports.types import Rejected


def test_only_the_bundled_roots_are_trusted_and_the_name_is_checked() -> None:
    context = roots.make_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.cert_store_stats()["x509_ca"] > 50


def test_extra_roots_stand_beside_the_bundled_ones(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("# корень\n" + Authority("Test Root").pem, "utf-8")
    extra = roots.read_extra(str(path))
    plain, more = roots.make_context(), roots.make_context(extra)
    assert more.cert_store_stats()["x509_ca"] == plain.cert_store_stats()["x509_ca"] + 1


@pytest.mark.parametrize(
    "content", [b"", b"rubbish", b"\x00\xff", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END"]
)
def test_what_is_no_pem_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(content)
    with pytest.raises(Rejected, match="--target-ca"):
        roots.read_extra(str(path))


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(Rejected, match="--target-ca"):
            roots.read_extra(str(path))


async def test_the_context_is_made_once() -> None:
    load = roots.loader()
    assert await load() is await load()
