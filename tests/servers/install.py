"""Install the real programs that the integration tests use, where this system lets us; say what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

# program -> Debian package
WANTED = {
    "age": "age",
    "chromium": "chromium",
    "danted": "dante-server",
    "faketime": "faketime",
    "dnsmasq": "dnsmasq-base",
    "firefox-esr": "firefox-esr",
    "ip": "iproute2",
    "kwriteconfig5": "libkf5config-bin",
    "microsocks": "microsocks",
    "mkfs.ext4": "e2fsprogs",
    "nc": "netcat-openbsd",
    "ncat": "ncat",
    "nft": "nftables",
    "nginx": "nginx-light",
    "obfs4proxy": "obfs4proxy",
    "proxychains4": "proxychains4",
    "snowflake-client": "snowflake-client",
    "sshd": "openssh-server",
    "strace": "strace",
    "tinyproxy": "tinyproxy-bin",
    "tmux": "tmux",
    "tor": "tor",
    "tor-gencert": "tor",
    "zbarimg": "zbar-tools",
}
FOLDERS = os.pathsep.join(["/usr/sbin", "/usr/local/sbin", "/sbin", os.environ.get("PATH", "")])


def missing() -> list[str]:
    return [program for program in WANTED if shutil.which(program, path=FOLDERS) is None]


def main() -> int:
    lacking = missing()
    if lacking and shutil.which("apt-get") and os.geteuid() == 0:
        packages = [WANTED[program] for program in lacking]
        # The programs are wanted, not their services: nothing may start by itself.
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        for command in (
            ["apt-get", "update", "-q"],
            ["apt-get", "install", "-q", "-y", "--no-install-recommends", *packages],
        ):
            subprocess.run(command, env=environment, check=False, stdout=subprocess.DEVNULL)
        lacking = missing()
    for program in lacking:
        print(
            f"not here: {program} (Debian package {WANTED[program]}); its tests are skipped", file=sys.stderr
        )
    return 1 if lacking and os.environ.get("CI") else 0


if __name__ == "__main__":
    sys.exit(main())
