"""Who is let in: our own page in a browser that was let in, and nobody else."""

import itertools

import pytest

pytest.importorskip("websockets")
pytest.importorskip("uvicorn")

from websockets.exceptions import InvalidHandshake, InvalidMessage
from websockets.sync.client import connect

from playground_server import PAGE, Served


@pytest.fixture(scope="module")
def served():
    server = Served()
    yield server
    server.close()


def forged(served):
    """Two hundred requests that are not our page's: one thing or several are wrong in each."""
    port, cookie = served.port, served.cookie
    hosts = [f"127.0.0.1:{port}", "evil.example", f"evil.example:{port}", "127.0.0.1", f"127.0.0.1.evil.example:{port}"]
    hosts += [f"0.0.0.0:{port}", f"[::1]:{port}", f"localhost:{port + 1}", f"127.0.0.1:{port}@evil.example", ""]
    origins = [f"http://127.0.0.1:{port}", None, "null", "http://evil.example", f"https://127.0.0.1:{port}"]
    name, _, secret = cookie.partition("=")
    cookies = [cookie, None, f"{name}=", f"{name}={secret[:-1]}", f"x{name}={secret}"]
    cases = [
        {"Host": host, "Origin": origin, "Cookie": one}
        for host, origin, one in itertools.product(hosts, origins, cookies)
    ]
    return [case for case in cases if case != {"Host": hosts[0], "Origin": origins[0], "Cookie": cookie}][:220]


def test_two_hundred_forged_live_connections_are_all_refused(served):
    cases = forged(served)
    assert len(cases) >= 200
    let_in = []
    for headers in cases:
        response = served.ask(
            "/live",
            headers={
                **{name: value for name, value in headers.items() if value is not None},
                "Connection": "Upgrade",
                "Upgrade": "websocket",
                "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
            },
        )
        if response.status < 400:
            let_in.append(headers)
    assert let_in == []
    assert served.pages.sessions == set()
    assert served.threads() == 0


def test_forged_requests_for_the_page_are_all_refused(served):
    ours = {
        "Host": f"127.0.0.1:{served.port}",
        "Origin": None,
        "Cookie": served.cookie,
    }  # a plain request has no origin
    for headers in forged(served):
        if headers == ours:
            continue
        response = served.ask("/", headers={name: value for name, value in headers.items() if value is not None})
        assert response.status in (400, 403, 421), headers
        assert "a page" not in response.text


def test_our_own_page_is_served_with_a_strict_policy(served):
    response = served.ask("/")
    assert (response.status, response.text) == (200, PAGE["/"].decode())
    policy = response.getheader("content-security-policy")
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert response.getheader("x-content-type-options") == "nosniff"
    assert response.getheader("cache-control") == "no-store"


def test_a_token_lets_one_browser_in_once(served):
    path = served.addresses[-1].partition(str(served.port))[2]
    host = {"Host": f"127.0.0.1:{served.port}"}
    first, second = served.ask(path, headers=host), served.ask(path, headers=host)
    assert (first.status, first.getheader("location")) == (303, "/")
    cookie = first.getheader("set-cookie")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert second.status == 403
    assert served.addresses[-1].partition(str(served.port))[2] != path


@pytest.mark.parametrize("query", ["?token=", "?token=abc", "?x=1", "?token=a&token=b", "?" + "a" * 5000])
def test_a_wrong_token_lets_nobody_in(served, query):
    response = served.ask(f"/{query}", headers={"Host": f"127.0.0.1:{served.port}"})
    assert response.status == 403


@pytest.mark.parametrize(
    "path",
    [
        "/live",
        "/assets/",
        "/assets/../server.py",
        "/assets/%2e%2e/server.py",
        "/etc/passwd",
        "//evil.example/",
        "/?url=x",
    ],
)
def test_no_route_takes_a_path_or_an_address(served, path):
    assert served.ask(path).status in (403, 404)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_nothing_can_be_sent(served, method):
    assert served.ask("/", method=method).status == 405


@pytest.mark.parametrize("extra", [{"Content-Length": "10000000000"}, {"Transfer-Encoding": "chunked"}])
def test_a_body_is_refused_before_it_is_read(served, extra):
    headers = {"Host": f"127.0.0.1:{served.port}", "Cookie": served.cookie, **extra}
    assert served.ask("/", headers=headers).status == 413


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_request_that_the_browser_calls_foreign_is_refused(served, site):
    headers = {"Host": f"127.0.0.1:{served.port}", "Cookie": served.cookie, "Sec-Fetch-Site": site}
    assert served.ask("/", headers=headers).status == 403


def test_two_hosts_are_none(served):
    with pytest.raises((InvalidHandshake, InvalidMessage)):
        connect(
            f"ws://127.0.0.1:{served.port}/live",
            origin=f"http://127.0.0.1:{served.port}",
            additional_headers=[("Cookie", served.cookie), ("Host", "evil.example")],
        )


def test_it_listens_on_this_machine_alone(served):
    assert served.listening.getsockname()[0] == "127.0.0.1"
