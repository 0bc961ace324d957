"""Bodies that came compressed: gzip and zstd, unpacked only up to the limit of a body."""

import gzip
import io

import zstandard

from paceline.errors.failure import PacelineError
from paceline.wire.operation import SIZE_LIMITS

ACCEPTED = "gzip, zstd"
"""What a peer may send; told in the `Accept-Encoding` header of a refusal (RFC 9110 §12.5.3)."""

MAX_UNPACKED = max(SIZE_LIMITS.values())


def unpacked(body: bytes, content_encoding: str) -> bytes:
    """The body as it was before compression.

    Raises
    ------
    PacelineError
        `invalid_attribute` (field Content-Encoding) when the coding is unknown or the body broken,
        `frame_too_large` when it unpacks to more than a body may have.
    """
    coding = content_encoding.strip().lower()
    if not body or coding in ("", "identity"):
        return body
    try:
        if coding == "gzip":
            with gzip.GzipFile(fileobj=io.BytesIO(body)) as packed:
                plain = packed.read(MAX_UNPACKED + 1)
        elif coding == "zstd":
            with zstandard.ZstdDecompressor().stream_reader(body) as packed_zstd:
                plain = packed_zstd.read(MAX_UNPACKED + 1)
        else:
            raise PacelineError(
                "invalid_attribute",
                f"Content-Encoding '{content_encoding}' is unknown; send {ACCEPTED} or none",
                field="Content-Encoding",
            )
    except (OSError, EOFError, zstandard.ZstdError) as error:
        raise PacelineError(
            "invalid_attribute",
            f"the body is not valid {coding}: {error}",
            field="Content-Encoding",
        ) from None
    if len(plain) > MAX_UNPACKED:
        raise PacelineError(
            "frame_too_large", f"the body unpacks to more than {MAX_UNPACKED} bytes"
        )
    return plain
