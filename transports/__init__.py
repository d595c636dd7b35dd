"""Ways out: each module opens one kind of endpoint; engines and wire codecs live here too.

    types, failure, trace, net    the words, the names of failures, timing, the surroundings of a try
    stream                        TCP and TLS as one kind of byte stream
    wire/                         SOCKS and HTTP/1.1 without I/O
    direct, http_connect, socks4, socks5, auto      plain proxies
    shadowsocks, vmess, vless, …  share links; sing-box opens them (singbox, singbox_engine)
    tor_bridge, telegram          lines that are recognised
    registry                      one line per transport: add a file, add a line

This package knows neither candidates nor verdicts nor screens, and imports nothing of ours.
"""
