"""Connections that break in all ways under load, for a moment; `make soak` does it for minutes."""

import pytest

from soak_websocket import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_soak(lsc, tmp_path, kind):
    KINDS[kind](lsc, "e2e", lambda rounds: rounds < 4, tmp_path / kind, round_size=12).run()
