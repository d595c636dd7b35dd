#!/bin/sh
# Starts Sanylau from this folder:  sh start.sh
# It looks for a Python that this folder has the parts for, and gives everything else to start.py.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 3
for python in python3 python3.14 python3.13 python3.12 python3.11 python; do
    if "$python" -I "$here/start.py" --fits 2>/dev/null; then
        exec "$python" -I "$here/start.py" "$@"
    fi
done
if command -v python3 >/dev/null; then
    exec python3 -I "$here/start.py" "$@" # it says which Python it wants, and which one is here
fi
echo "start.sh: Python 3.11 or later is needed, and there is none on this computer" >&2
exit 3
