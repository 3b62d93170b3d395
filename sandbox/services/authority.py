"""Keys and certificates of the sandbox: a root, the platform's seal and the time-stamping authority.

Every certificate says SANDBOX in its name, by which the product refuses them in production.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.services.keys import write_private

_Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_LIFE = timedelta(days=3650)


class Authority:
    """The files of one instance in `directory`; made on first use and the same ever after."""

    def __init__(self, directory: Path) -> None:
        self.seal_key, self.seal_certificate = directory / "seal-key.pem", directory / "seal.pem"
        self.tsa_key, self.tsa_certificate = directory / "tsa-key.pem", directory / "tsa.pem"
        self.roots = directory / "roots.pem"

    def ensure(self) -> None:
        """Make what is missing."""
        if self.roots.exists():
            return
        root_key = ec.generate_private_key(ec.SECP256R1())
        root = _certificate("SANDBOX root", root_key, None)
        seal_key = ec.generate_private_key(ec.SECP256R1())
        seal = _certificate("SANDBOX platform seal", seal_key, (root, root_key))
        # The stand-in's library signs its time-stamps with RSA only.
        tsa_key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
        tsa = _certificate("SANDBOX time-stamping", tsa_key, (root, root_key), stamps=True)
        _write_key(self.seal_key, seal_key)
        _write_key(self.tsa_key, tsa_key)
        write_private(self.seal_certificate, _pem(seal))
        write_private(self.tsa_certificate, _pem(tsa))
        write_private(self.roots, _pem(root))


def _certificate(
    name: str, key: _Key, issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None, *, stamps: bool = False
) -> x509.Certificate:
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "SANDBOX, worth nothing"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _LIFE)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=issuer is None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if stamps:
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    signer = issuer[1] if issuer else key
    return made.sign(signer, hashes.SHA256())


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _write_key(file: Path, key: _Key) -> None:
    write_private(file, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())
