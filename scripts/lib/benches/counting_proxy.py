"""A proxy before the engine's socket that counts what a program asks for. Only for runs in which nothing is timed."""

import asyncio
import collections
import contextlib
import re
import threading

# A client writes a request's head in one piece.
REQUEST = re.compile(rb"(?:^|\n)(GET|HEAD|POST|PUT|DELETE) (\S+) HTTP/1\.[01]\r\n")


def kind(method, target):
    """GET /v1.41/containers/0a1b…/stats?stream=1 becomes GET containers/*/stats."""
    path, _, query = target.decode(errors="replace").partition("?")
    parts = [part for part in path.split("/") if part and not re.fullmatch(r"v1\.\d+", part)]
    # An engine's ids and our names stand second.
    if len(parts) > 1 and parts[0] in ("containers", "exec", "images", "volumes") and parts[1] not in ("json", "create", "prune"):
        parts[1] = "*"
    stream = " (stream)" if parts[-1:] == ["stats"] and "stream=0" not in query and "stream=false" not in query else ""
    return f"{method.decode()} {'/'.join(parts)}{stream}"


class CountingProxy:
    def __init__(self, engine, path):
        self.engine, self.path = engine, path
        self.requests = collections.Counter()
        self.answered = 0
        self.loop = asyncio.new_event_loop()
        # Connections that are cut off at the end are no news.
        self.loop.set_exception_handler(lambda *_: None)
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        self.server = asyncio.run_coroutine_threadsafe(asyncio.start_unix_server(self.serve, self.path), self.loop).result()
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self.drop(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()

    async def drop(self):
        """Lets go of the connections that streams still hold."""
        self.server.close()
        while rest := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in rest:
                task.cancel()
            await asyncio.wait(rest)

    def take(self):
        """What was counted since the last time: requests by kind, and bytes that the engine sent."""
        requests, answered = self.requests, self.answered
        self.requests, self.answered = collections.Counter(), 0
        return requests, answered

    def asked(self, data):
        self.requests.update(kind(*found) for found in REQUEST.findall(data))

    def answer(self, data):
        self.answered += len(data)

    async def serve(self, reader, writer):
        theirs, to_engine = await asyncio.open_unix_connection(self.engine)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await asyncio.gather(pump(reader, to_engine, self.asked), pump(theirs, writer, self.answer))


async def pump(source, sink, count):
    try:
        while data := await source.read(1 << 16):
            count(data)
            sink.write(data)
            await sink.drain()
    finally:
        with contextlib.suppress(OSError, RuntimeError):
            sink.write_eof()
