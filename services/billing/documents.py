"""Bytes of documents that were handed out or sent, kept for ever under their hash."""

from hashlib import sha256

from services.billing.running import Connection

_KEEP = "INSERT INTO document (sha256, media_type, content) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"


async def keep(connection: Connection, content: bytes, media_type: str) -> bytes:
    """Keep the bytes, and return their SHA-256, by which they are found."""
    digest = sha256(content).digest()
    await connection.execute(_KEEP, digest, media_type, content)
    return digest
