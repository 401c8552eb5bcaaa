"""What the playground's page costs: frames a second, what training keeps of its speed, first paint, weight.

    python -m benchmarks.playground

It needs the built page, playwright and Chromium, and a machine that does nothing else.
"""

import gzip
import shutil
import statistics
import sys
import threading
import time

from playwright.sync_api import sync_playwright

import chainrule as cr
from chainrule.playground.building import make_network, make_optimizer
from chainrule.playground.data import make_problem
from chainrule.playground.pictures import Viewer
from chainrule.playground.server import listen, make_server, read_page
from chainrule.playground.settings import parse

SETTINGS = {"data": "rings", "samples": 1430, "layers": ["8", "8"]}  # of which 1,001 to learn from
FRAGMENT = "data=rings&samples=1430&layers=8-8&pace=full"
SECONDS = 6
ROUNDS = 3


def speed_without_a_page():
    """Steps a second of `train` alone."""
    settings = parse(SETTINGS)
    problem = make_problem(settings)
    network, _ = make_network(settings, problem)
    steps_per_epoch = -(-len(problem.train[0]) // settings.batch)
    start = time.perf_counter()
    epochs = 0
    while time.perf_counter() - start < SECONDS:
        cr.train(network, problem.train, epochs=2000, optimizer=make_optimizer(settings), progress=False)
        epochs += 2000
    return epochs * steps_per_epoch / (time.perf_counter() - start)


def count_frames(monitor):
    """Let `monitor` count the frames that are worked out: the next one is, when the page has drawn the last."""
    original = Viewer.frame

    def counted(self, moment, sample):
        monitor.append((time.perf_counter(), moment.steps))
        return original(self, moment, sample)

    Viewer.frame = counted


def visit(context, address, frames):
    """First paint in milliseconds, frames and steps a second of one page at full speed."""
    page = context.new_page()
    page.goto(f"{address}#{FRAGMENT}")
    page.wait_for_selector(".tile")
    page.wait_for_timeout(1000)
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_timeout(1000)
    frames.clear()
    page.wait_for_timeout(1000 * SECONDS)
    (first, steps), (last, more) = frames[0], frames[-1]
    figures = paint, (len(frames) - 1) / (last - first), (more - steps) / (last - first)
    page.close()
    return figures


def main():
    page = read_page()
    weight = sum(len(gzip.compress(content)) for content in page.values())
    print(f"page weight        {weight / 1000:8.1f} kB gzipped, {len(page)} files")
    alone = statistics.median(speed_without_a_page() for _ in range(ROUNDS))
    addresses, frames = [], []
    count_frames(frames)
    with listen(0) as listening:
        server, _, _ = make_server(listening, page, addresses.append)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        with sync_playwright() as playwright:
            path = shutil.which("chromium") or sys.exit("Chromium is not installed")
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            visits = [
                visit(browser.new_context(viewport={"width": 1280, "height": 800}), addresses[-1], frames)
                for _ in range(ROUNDS)
            ]
            browser.close()
        server.should_exit = True
        thread.join()
    paint, rate, speed = (statistics.median(figures) for figures in zip(*visits, strict=True))
    print(f"first paint        {paint:8.0f} ms")
    print(f"frames             {rate:8.1f} a second")
    print(f"training alone     {alone:8,.0f} steps a second")
    print(f"with the page      {speed:8,.0f} steps a second, {speed / alone:.0%}")


if __name__ == "__main__":
    main()
