import pytest

from lsc import Starter


@pytest.fixture
def lsc(tmp_path):
    """Starts lsc processes; see lsc.py."""
    starter = Starter(tmp_path)
    yield starter
    starter.close()
