"""A playground that is served in a thread, and a page without a browser, for the tests."""

import contextlib
import json
import re
import struct
import threading
import time
from http.client import HTTPConnection

import numpy as np
from websockets.sync.client import connect

from chainrule.playground.server import listen, make_server

PAGE = {"/": b"<!doctype html><title>a page</title>", "/assets/main.js": b"1;"}


class Served:
    """A running server: its port, the cookie of a browser that was let in, and what goes on inside."""

    def __init__(self, page=PAGE):
        self.listening = listen(0)
        self.port = self.listening.getsockname()[1]
        self.addresses = []
        self.server, self.pages, self.guard = make_server(self.listening, page, self.addresses.append)
        self.thread = threading.Thread(target=self.server.run, args=([self.listening],), daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        self.cookie = self.let_in()

    def let_in(self):
        """A browser follows the address of the terminal."""
        response = self.ask(self.addresses[-1].partition(str(self.port))[2])
        return re.match(r"[^;]+", response.getheader("set-cookie"))[0]

    def ask(self, path="/", method="GET", headers=None, body=None):
        """One request; `headers` None is what our own page would send."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            cookie = {"Cookie": self.cookie} if hasattr(self, "cookie") else {}
            connection.putrequest(method, path, skip_host=headers is not None, skip_accept_encoding=True)
            for name, value in (cookie if headers is None else headers).items():
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            response.text = response.read().decode()
            return response
        finally:
            connection.close()

    def headers(self, **changes):
        """What our own page sends with a request for a live connection, but for `changes`; None leaves one out."""
        usual = {"Host": f"127.0.0.1:{self.port}", "Origin": f"http://127.0.0.1:{self.port}", "Cookie": self.cookie}
        return {name: value for name, value in (usual | changes).items() if value is not None}

    @contextlib.contextmanager
    def page(self, **settings):
        """A page that has begun with these settings."""
        origin = f"http://127.0.0.1:{self.port}"
        address = f"ws://127.0.0.1:{self.port}/live"
        with connect(address, origin=origin, additional_headers={"Cookie": self.cookie}, max_size=None) as socket:
            page = Page(socket)
            page.first = page.begin(**settings)
            yield page

    def threads(self):
        """How many trainings there are."""
        return sum(thread.name == "playground training" for thread in threading.enumerate())

    def close(self):
        self.server.should_exit = True
        self.thread.join(10)
        self.listening.close()


class Page:
    """What a page does: it asks, and takes in what it is told."""

    def __init__(self, socket):
        self.socket = socket
        self.ready = False

    def ask(self, what, **more):
        self.socket.send(json.dumps({"do": what, **more}))

    def begin(self, **settings):
        self.ask("begin", settings=settings)
        self.begun = self.hear("begun")
        return self.frame()

    def hear(self, *kinds, timeout=15):
        """The next message of one of these kinds."""
        while True:
            message = unpacked(self.socket.recv(timeout=timeout))
            if message["is"] in kinds:
                return message
            if message["is"] == "frame":
                self.ask("ready")

    def frame(self):
        self.ask("ready")
        return self.hear("frame")

    def frame_when(self, wanted):
        """The first frame for which `wanted` holds."""
        while not wanted(frame := self.frame()):
            pass
        return frame

    def do(self, what, steps, **more):
        """An order, and the frame in which it has been carried out."""
        self.ask(what, **more)
        return self.frame_when(lambda frame: frame["steps"] == steps and not frame["running"])

    def take(self, what):
        """A file."""
        self.ask("take", what=what)
        return self.hear("file", "error")["content"].tobytes()


def unpacked(message):
    """A message as a dictionary, its arrays by their names."""
    if isinstance(message, str):
        return json.loads(message)
    (length,) = struct.unpack("<I", message[:4])
    header = json.loads(message[4 : 4 + length])
    kinds = {"f4": np.float32, "u1": np.uint8, "i4": np.int32}
    for name, (kind, shape, offset) in header.pop("arrays").items():
        count = int(np.prod(shape))
        header[name] = np.frombuffer(message, kinds[kind], count, 4 + length + offset).reshape(shape)
    return header
