"""A blackout played on loopback, with real servers and the real checker.

    ca          two certificate authorities in memory: the honest one and the interceptor's
    serving     runs a handler on a loopback port and takes everything back on leave
    asking      HTTP and SOCKS read from the server's side
    origin      the site that candidates must lead to
    relays      how bytes move through a proxy: freely, slowly, up to a point, or changed
    proxies     proxies that do what they should; `udp` their UDP part
    hostile     servers that do what censors, portals and broken machines do
    parts       what a part is, and the shorthands of the cast
    cast        the table: who plays, and which verdict is right
    stage       all of it, started and stopped together

No server here reaches, or listens on, anything but loopback.
"""
