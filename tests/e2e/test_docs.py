"""The configs in the docs are good, and the page on WebSocket leaves nothing out."""

import re
import subprocess

import pytest

from lsc import ROOT, program
from test_websocket import certificates  # noqa: F401  (a fixture)

DOCS = sorted((ROOT / "docs").glob("*.md")) + [ROOT / "README.md"]


def configs(path):
    """The indented blocks of a page that are whole sections of a config."""
    for block in re.findall(r"(?:^(?: {4}.*)?\n)+", path.read_text(), re.M):
        text = re.sub(r"^ {4}", "", block, flags=re.M).strip()
        if re.match(r"(input|filter|output) \{", text):
            yield text


EVERY = [pytest.param(text, id=f"{p.name}-{i}") for p in DOCS for i, text in enumerate(configs(p))]


@pytest.mark.parametrize("text", EVERY)
def test_a_config_of_the_docs(certificates, tmp_path, text):  # noqa: F811
    for section, least in (("input", "input { stdin { } }"), ("output", "output { stdout { } }")):
        if not re.search(rf"^{section} ", text, re.M):
            text += "\n" + least
    config = tmp_path / "pipeline.conf"
    config.write_text(text.replace("/etc/lsc/", f"{certificates}/"))
    names = {name: "secret" for name in re.findall(r"\$\{(\w+)\}", text)}
    run = subprocess.run([program(), "-t", "-f", config], env=names, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "warning" not in run.stderr


def test_pages_have_configs():
    assert len([p for p in EVERY if p.id.startswith("websocket.md")]) >= 4


# Of Benthos' page on its websocket input, and what came later in it and in Bento.
BENTHOS = """
    url proxy_url open_message open_message_type open_messages headers max_message_size
    connection.max_retries auto_replay_nacks
    tls.enabled tls.skip_cert_verify tls.enable_renegotiation tls.root_cas tls.root_cas_file
    tls.client_certs[].cert tls.client_certs[].key tls.client_certs[].cert_file
    tls.client_certs[].key_file tls.client_certs[].password
    oauth.enabled oauth.consumer_key oauth.consumer_secret oauth.access_token oauth.access_token_secret
    basic_auth.enabled basic_auth.username basic_auth.password
    jwt.enabled jwt.private_key_file jwt.signing_method jwt.claims jwt.headers
""".split()
# Of Logstash's page, and of version 4.0.5.
LOGSTASH = """
    mode url add_field codec enable_metric id tags type retry_initial retry_max retry_reset debug_status
""".split()


def settings():
    text = subprocess.run([program(), "--plugin-help", "input/websocket"], capture_output=True, text=True).stdout
    return set(re.findall(r"^  ([a-z][\w.]*):", text, re.M))


def test_every_field_of_benthos_and_of_logstash_has_its_place():
    page = (ROOT / "docs/websocket.md").read_text()
    rows = dict(re.findall(r"^\| `([\w.\[\]]+)`(?: \(Bento\))? \| ([^|]*) \|", page, re.M))
    known = settings()
    for field in BENTHOS:
        ours = re.findall(r"`(\w+)", rows[field])
        assert set(ours) <= known and (ours or field.endswith(".enabled")), field
    assert set(LOGSTASH) <= known
    assert all(f"`{name}`" in page for name in LOGSTASH)
