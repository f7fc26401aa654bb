"""RFC 6455 and RFC 7692 at the level of frames: the cases of ws_cases.py, all on a few connections
at a time, and the page of their results."""

import pytest

import ws_conformance
from test_websocket import certificates  # noqa: F401  (a fixture)
from ws_cases import all_cases


@pytest.mark.parametrize("plugin,side", ws_conformance.SIDES)
def test_conformance(lsc, plugin, side):
    seen, wrong = ws_conformance.run(lsc, plugin, side)
    assert not wrong, "\n".join(f"{id}: {problem}" for id, problem in wrong.items())
    shown = ws_conformance.committed(plugin, side)
    stale = {id: words for id, words in seen.items() if shown.get(id) != words}
    assert not stale, f"the page is stale, run scripts/websocket-conformance: {stale}"


@pytest.mark.parametrize("side", ["client", "server"])
def test_conformance_over_tls(lsc, certificates, side):  # noqa: F811
    """What is sent an octet at a time is a TLS record an octet."""
    seen, wrong = ws_conformance.run(lsc, "input", side, certificates)
    assert not wrong and len(seen) > 100, "\n".join(f"{id}: {problem}" for id, problem in wrong.items())


def test_the_page_lists_the_cases():
    texts = ws_conformance.page([{}] * len(ws_conformance.SIDES)).splitlines()
    sent = [line.split(" | ")[:3] for line in texts]
    shown = [line.split(" | ")[:3] for line in ws_conformance.PAGE.read_text().splitlines()]
    assert shown == sent and len(all_cases()) >= 600, "run scripts/websocket-conformance"
