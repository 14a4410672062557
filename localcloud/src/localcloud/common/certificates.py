"""The local cloud's own certificate authority, and how its processes come to trust it.

SDKs send tokens by HTTPS only. The authority is made with a state folder and is trusted by the environment of the local
cloud's processes alone. It can vouch for loopback only, and its key is forgotten once it has signed the one certificate
that all services show.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from localcloud.common.names import LOOPBACK

# What names the file with a service's certificate and its key; a service without it speaks plain HTTP.
SERVER_CERTIFICATE = "LOCALCLOUD_SERVER_CERTIFICATE"
# Of Java's trust stores by convention. It holds no secret.
STORE_PASSWORD = "changeit"  # noqa: S105
LIFETIME = timedelta(days=3650)
RENEWED_BEFORE = timedelta(days=30)
HOST_NAME = "localhost"


@dataclass(frozen=True)
class Certificates:
    """The files in a folder."""

    folder: Path

    @property
    def authority(self) -> Path:
        """The authority's certificate, as PEM."""
        return self.folder / "authority.pem"

    @property
    def server(self) -> Path:
        """The services' certificate and its key, as PEM, readable by its owner only."""
        return self.folder / "server.pem"

    @property
    def bundle(self) -> Path:
        """The authority among the usual ones, as PEM."""
        return self.folder / "bundle.pem"

    @property
    def trust_store(self) -> Path:
        """The authority's certificate for a JVM, as PKCS #12."""
        return self.folder / "authority.p12"

    def server_environment(self) -> dict[str, str]:
        """Return what makes a service of the local cloud speak TLS."""
        return {SERVER_CERTIFICATE: str(self.server)}

    def trust_environment(self) -> dict[str, str]:
        """Return what makes Python, boto3 and Node trust the authority beside the usual ones."""
        return {
            **dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE"), str(self.bundle)),
            "NODE_EXTRA_CA_CERTS": str(self.authority),
        }

    def java_options(self) -> tuple[str, ...]:
        """Return what makes a JVM trust the authority, and no other."""
        return (
            f"-Djavax.net.ssl.trustStore={self.trust_store}",
            "-Djavax.net.ssl.trustStoreType=PKCS12",
            f"-Djavax.net.ssl.trustStorePassword={STORE_PASSWORD}",
        )


def make_certificates(folder: Path, environment: Mapping[str, str] = os.environ) -> Certificates:
    """Return the certificates of a folder, made now if it has none or they end within a month.

    Args:
        folder: is created if it is not there.
        environment: may name a file with the usual authorities, as one behind a company's proxy does.
    """
    files = Certificates(folder)
    if _lasts(files):
        return files
    folder.mkdir(parents=True, exist_ok=True)
    signing, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _authority(signing)
    usual = environment.get("SSL_CERT_FILE") or environment.get("REQUESTS_CA_BUNDLE") or certifi.where()
    files.server.touch(mode=0o600)
    files.server.write_bytes(_private(key) + _pem(_server(key, signing, authority)))
    files.bundle.write_bytes(Path(usual).read_bytes() + b"\n" + _pem(authority))
    files.trust_store.write_bytes(_trust_store(authority))
    # The last one, so that what an interruption leaves behind is made again.
    files.authority.write_bytes(_pem(authority))
    return files


def _lasts(files: Certificates) -> bool:
    try:
        authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    except (OSError, ValueError):
        return False
    return authority.not_valid_after_utc - datetime.now(UTC) > RENEWED_BEFORE


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = _name("d2c local cloud")
    vouched = [x509.IPAddress(ip_network(LOOPBACK)), x509.DNSName(HOST_NAME)]
    return (
        _builder(name, name, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(vouched, None), critical=True)
        .sign(key, hashes.SHA256())
    )


def _server(
    key: ec.EllipticCurvePrivateKey, signing: ec.EllipticCurvePrivateKey, authority: x509.Certificate
) -> x509.Certificate:
    names = [x509.IPAddress(ip_address(LOOPBACK)), x509.DNSName(HOST_NAME)]
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key())
    return (
        _builder(_name(HOST_NAME), authority.subject, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(issuer, critical=False)
        .sign(signing, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _trust_store(authority: x509.Certificate) -> bytes:
    protection = serialization.BestAvailableEncryption(STORE_PASSWORD.encode())
    return pkcs12.serialize_java_truststore([pkcs12.PKCS12Certificate(authority, b"authority")], protection)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
