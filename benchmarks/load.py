"""Adjusts over raw sockets from a process of its own: a client that costs next to nothing.

`python -m benchmarks.load URL CONNECTIONS ADJUSTMENTS` prints how many a second were answered.
"""

import socket
import sys
import threading
import time
from uuid import uuid4

from benchmarks.world import ACCOUNT_ID

HEAD = (
    f"POST /v2/loyalty/accounts/{ACCOUNT_ID}/adjust HTTP/1.1\r\n"
    "Host: 127.0.0.1\r\nAuthorization: Bearer local-token\r\n"
    "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n"
)


def adjust(port: int, adjustments: int) -> None:
    """One connection, one adjustment after the other, each with a key of its own."""
    run = uuid4().hex
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for n in range(adjustments):
            body = f'{{"idempotency_key":"{run}-{n}","adjust_points":{{"points":1}}}}'
            connection.sendall((HEAD.format(len(body)) + body).encode())
            assert answered(connection).startswith(b"HTTP/1.1 200 ")


def answered(connection: socket.socket) -> bytes:
    """Read one answer to its end."""
    data = b""
    while True:
        data += connection.recv(65536)
        head, end, body = data.partition(b"\r\n\r\n")
        if end and len(body) >= int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0]):
            return data


def main() -> None:
    port, connections, adjustments = int(sys.argv[1].rsplit(":")[-1]), *map(int, sys.argv[2:])
    adjust(port, 50)  # warm-up
    each = adjustments // connections
    threads = [threading.Thread(target=adjust, args=(port, each)) for _ in range(connections)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(connections * each / (time.perf_counter() - start))


if __name__ == "__main__":
    main()
