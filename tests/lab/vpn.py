"""A VPN for the person's place: a TUN device that is the way out, and this program, which passes its packets on.

Answers come by the ordinary interface: a diagnosis sees only where its packets go out. `dead` passes nothing on.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import sys
from typing import Final

from tests.lab import build, places

DEVICE: Final = "tun0"
_TUNSETIFF: Final = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_COMMANDS: Final = (
    "sysctl -q -w net.ipv4.conf.all.rp_filter=0",
    "sysctl -q -w net.ipv4.conf.eth0.rp_filter=0",
    f"ip link set {DEVICE} up",
    f"ip -4 route add default via {places.GATEWAY} dev eth0 metric 100",
    f"ip -4 route replace default dev {DEVICE} src {places.PERSON}",
)


def main(*, dead: bool) -> None:
    """Set it up and pass packets on until it is killed; the device goes with this program."""
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, _TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), _IFF_TUN | _IFF_NO_PI))
    for command in _COMMANDS:
        build.run(command.split())
    print("up", flush=True)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as out:
        out.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
        while True:
            packet = os.read(tun, 65536)
            if not dead and packet[0] >> 4 == 4:
                out.sendto(packet, (socket.inet_ntoa(packet[16:20]), 0))


if __name__ == "__main__":
    main(dead="dead" in sys.argv)
