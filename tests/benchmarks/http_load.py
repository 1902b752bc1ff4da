"""A load generator in a process of its own: so many connections, each sending its next request when answered.

    python http_load.py PORT CONNECTIONS SECONDS RUN [RATE [CREDENTIAL]]

Prints one JSON object: requests, seconds, rate and latency percentiles. Every request closes a task nobody closed.
With a rate, all connections together send no more than so many requests a second.
"""

import asyncio
import json
import sys
import time
from itertools import count

import uvloop

TASK = {
    "title": "Настройка прав доступа", "category": "regular", "worked_minutes": 10,
    "started_at": "2026-03-02T09:00:00+03:00", "closed_at": "2026-03-02T10:00:00+03:00",
    "confirmed_at": "2026-03-02T10:00:00+03:00", "confirmed_by": "client@example.com",
}  # fmt: skip
BODY = json.dumps(TASK, ensure_ascii=False).encode()


class Connection(asyncio.Protocol):
    """One client: the next request leaves when the answer to the last one is in."""

    def __init__(
        self, number: int, run: str, port: int, latencies: list[float], interval: float, credential: str
    ) -> None:
        self.number, self.run, self.port, self.latencies, self.interval = number, run, port, latencies, interval
        self.shown = f"Authorization: Bearer {credential}\r\n" if credential else ""
        self.tasks = count()
        self.answer = b""
        self.stopping = False
        self.stopped = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.send()

    def send(self) -> None:
        task = f"{self.run}-{self.number}-{next(self.tasks)}"
        head = (
            f"POST /v1/accounts/acc-{self.number}/tasks/{task}/close HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Content-Type: application/json\r\nIdempotency-Key: {task}\r\n{self.shown}"
            f"Content-Length: {len(BODY)}\r\n\r\n"
        )
        self.sent_at = time.perf_counter()
        self.transport.write(head.encode() + BODY)

    def data_received(self, data: bytes) -> None:
        self.answer += data
        head, found, rest = self.answer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(rest) < length:
            return
        if not head.startswith(b"HTTP/1.1 201"):
            self.stopped.set_exception(RuntimeError(self.answer.decode(errors="replace")))
            return
        self.latencies.append(time.perf_counter() - self.sent_at)
        self.answer = b""
        if self.stopping:
            self.stopped.set_result(None)
        elif self.interval:
            wait = max(0.0, self.sent_at + self.interval - time.perf_counter())
            asyncio.get_running_loop().call_later(wait, self.go_on)
        else:
            self.send()

    def go_on(self) -> None:
        """Send the next request, unless it is time to stop."""
        if self.stopping:
            self.stopped.set_result(None)
        else:
            self.send()


async def main(port: int, connections: int, seconds: float, run: str, rate: float, credential: str = "") -> None:
    latencies: list[float] = []
    loop = asyncio.get_running_loop()
    interval = connections / rate if rate else 0.0
    clients = [Connection(number, run, port, latencies, interval, credential) for number in range(connections)]
    began = time.perf_counter()
    for client in clients:
        await loop.create_connection(lambda client=client: client, "127.0.0.1", port)
    await asyncio.sleep(seconds)
    for client in clients:
        client.stopping = True
    await asyncio.gather(*(client.stopped for client in clients))
    took = time.perf_counter() - began
    latencies.sort()
    figures = {"requests": len(latencies), "seconds": took, "rate": len(latencies) / took}
    for percent in (50, 99):
        figures[f"p{percent}_ms"] = latencies[len(latencies) * percent // 100] * 1000
    print(json.dumps(figures))


if __name__ == "__main__":
    _, port, connections, seconds, run, *rate = sys.argv
    uvloop.run(main(int(port), int(connections), float(seconds), run, *map(float, rate[:1] or [0.0]), *rate[1:]))
