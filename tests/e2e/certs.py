"""Certificates for tests: a CA, and what can be wrong with what it signs.

    ca = Authority(folder, "ca")                      # folder/ca.pem, folder/ca.key
    ca.issue("server", days=(-2, -1))                 # folder/server.pem, folder/server.key: expired
"""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

USES = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}


def name_of(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """A certificate authority; `signer` None: of its own."""

    def __init__(self, folder, name, signer=None):
        self.folder, self.name = folder, name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.subject = name_of(name)
        basic = x509.BasicConstraints(ca=True, path_length=None)
        self._write(name, self.key, (signer or self)._sign(self.subject, self.key, (-1, 30), [(basic, True)]))

    @property
    def pem(self):
        return self.folder / f"{self.name}.pem"

    def _sign(self, subject, key, days, extensions):
        now = datetime.datetime.utcnow()
        builder = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(self.subject)
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now + datetime.timedelta(days=days[0]))
            .not_valid_after(now + datetime.timedelta(days=days[1]))
        )  # fmt: skip
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self.key, hashes.SHA256())

    def _write(self, name, key, *certificates):
        pem = b"".join(c.public_bytes(serialization.Encoding.PEM) for c in certificates)
        (self.folder / f"{name}.pem").write_bytes(pem)
        (self.folder / f"{name}.key").write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )

    def issue(self, name, hosts=("localhost", "127.0.0.1"), days=(-1, 30), use="server", rsa_bits=None):
        """A certificate and its key: (path, path). With this authority's own behind it when it is
        signed by another."""
        key = rsa.generate_private_key(65537, rsa_bits) if rsa_bits else ec.generate_private_key(ec.SECP256R1())
        names = [x509.IPAddress(ipaddress.ip_address(h)) if h[0].isdigit() else x509.DNSName(h) for h in hosts]
        extensions = [(x509.SubjectAlternativeName(names), False), (x509.ExtendedKeyUsage([USES[use]]), False)]
        self._write(name, key, self._sign(name_of(name), key, days, extensions))
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"
