import http.server
import os
import ssl
import stat
import subprocess
import sys
import threading

import pytest
from cryptography import x509

from localcloud.common import certificates
from localcloud.common.certificates import make_certificates
from localcloud.common.names import LOOPBACK

PYTHON = "import sys, {0}; {1}(sys.argv[1])"
# Each tells by its status whether it trusts a server, by its environment alone.
PROGRAMS = {
    "ssl": [sys.executable, "-c", PYTHON.format("urllib.request", "urllib.request.urlopen")],
    "requests": [sys.executable, "-c", PYTHON.format("requests", "requests.get")],
    "httpx": [sys.executable, "-c", PYTHON.format("httpx", "httpx.get")],
    "node": ["node", "-e", "fetch(process.argv[1]).catch(() => process.exit(1))"],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_certificates(tmp_path_factory.mktemp("certificates"), {})


@pytest.fixture(scope="module")
def address(made):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(made.server)
    server = http.server.ThreadingHTTPServer((LOOPBACK, 0), http.server.SimpleHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"https://{LOOPBACK}:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_trust_a_service_by_their_environment_alone(program, made, address):
    plain = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    for environment, trusts in ((plain | made.trust_environment(), True), (plain, False)):
        ended = subprocess.run(
            [*PROGRAMS[program], address], env=environment, capture_output=True, check=False
        )
        assert (ended.returncode == 0) is trusts, ended.stderr


def test_the_usual_authorities_stay_trusted(made, tmp_path):
    usual = len(ssl.create_default_context(cafile=certificates.certifi.where()).get_ca_certs())
    assert len(ssl.create_default_context(cafile=str(made.bundle)).get_ca_certs()) == usual + 1


def test_the_authorities_of_the_users_own_environment_stay_trusted(made, tmp_path):
    other = make_certificates(tmp_path, {"SSL_CERT_FILE": str(made.authority)})
    assert other.bundle.read_text().startswith(made.authority.read_text())


def test_the_key_is_readable_for_its_owner_only_and_no_other_key_is_kept(made):
    kept = {path.name: path for path in made.folder.iterdir() if b"PRIVATE KEY" in path.read_bytes()}
    assert list(kept) == ["server.pem"]
    assert stat.S_IMODE(kept["server.pem"].stat().st_mode) == 0o600


def test_the_authority_vouches_for_loopback_only(made):
    authority = x509.load_pem_x509_certificate(made.authority.read_bytes())
    allowed = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert allowed.critical
    assert [str(name.value) for name in allowed.value.permitted_subtrees] == ["127.0.0.1/32", "localhost"]


def test_certificates_are_kept_until_they_are_about_to_end(made, monkeypatch):
    before = made.authority.read_bytes()
    assert make_certificates(made.folder).authority.read_bytes() == before
    monkeypatch.setattr(certificates, "RENEWED_BEFORE", certificates.LIFETIME)
    assert make_certificates(made.folder).authority.read_bytes() != before
