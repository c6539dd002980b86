"""Huffman-coded strings (RFC 7541, section 5.2 and appendix B)."""

from __future__ import annotations

from itertools import count

from epp.http2.errors import ErrorCode, Http2ConnectionError

# The code is canonical: of one length, codes follow each other in the order of their symbols, and
# a longer one continues where the shorter ones ended. So the lengths are all there is to know.
_EOS = 256
_BY_LENGTH: dict[int, tuple[int, ...]] = {
    5: tuple(b"012aceiost"),
    6: tuple(b" %-./3456789=A_bdfghlmnpru"),
    7: tuple(b":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz"),
    8: tuple(b"&*,;XZ"),
    10: tuple(b'!"()?'),
    11: tuple(b"'+|"),
    12: tuple(b"#>"),
    13: tuple(b"\0$@[]~"),
    14: tuple(b"^}"),
    15: tuple(b"<`{"),
    19: (92, 195, 208),
    20: (128, 130, 131, 162, 184, 194, 224, 226),
    21: (153, 161, 167, 172, 176, 177, 179, 209, 216, 217, 227, 229, 230),
    22: (
        *(129, 132, 133, 134, 136, 146, 154, 156, 160, 163, 164, 169, 170),
        *(173, 178, 181, 185, 186, 187, 189, 190, 196, 198, 228, 232, 233),
    ),
    23: (
        *(1, 135, 137, 138, 139, 140, 141, 143, 147, 149, 150, 151, 152, 155, 157),
        *(158, 165, 166, 168, 174, 175, 180, 182, 183, 188, 191, 197, 231, 239),
    ),
    24: (9, 142, 144, 145, 148, 159, 171, 206, 215, 225, 236, 237),
    25: (199, 207, 234, 235),
    26: (192, 193, 200, 201, 202, 205, 210, 213, 218, 219, 238, 240, 242, 243, 255),
    27: (
        *(203, 204, 211, 212, 214, 221, 222, 223, 241, 244),
        *(245, 246, 247, 248, 250, 251, 252, 253, 254),
    ),
    28: (
        *(2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 15, 16, 17, 18, 19),
        *(20, 21, 23, 24, 25, 26, 27, 28, 29, 30, 31, 127, 220, 249),
    ),
    30: (10, 13, 22, _EOS),
}

_MAX_PADDING_BITS = 7


def _codes() -> dict[str, int]:
    """Return each symbol by its code, written as zeros and ones."""
    codes, code, length = {}, 0, 0
    for longer, symbols in _BY_LENGTH.items():
        code <<= longer - length
        length = longer
        for symbol in symbols:
            codes[format(code, f"0{length}b")] = symbol
            code += 1
    return codes


def _steps() -> tuple[list[tuple[int, int]], frozenset[int]]:
    """Return a machine that reads four bits at a time, and the states in which a string may end.

    A state is what has been read of a code so far. Step `state * 16 + bits` is the next state and
    the symbol that came out, -1 for none: the shortest code has five bits, so there is never more
    than one.
    """
    codes = _codes()
    names = sorted({code[:n] for code in codes for n in range(len(code))}, key=len)
    states = dict(zip(names, count()))
    steps = []
    for name in names:
        for bits in range(16):
            read, symbol = name, -1
            for bit in format(bits, "04b"):
                read += bit
                if read in codes:
                    read, symbol = "", codes[read]
            steps.append((states[read], symbol))
    endings = (states["1" * n] for n in range(_MAX_PADDING_BITS + 1))
    return steps, frozenset(endings)


_STEPS, _ENDINGS = _steps()


def decode(data: bytes) -> bytes:
    """Return what `data` stands for."""
    state, decoded = 0, bytearray()
    steps = _STEPS
    try:
        for byte in data:
            state, symbol = steps[state << 4 | byte >> 4]
            if symbol >= 0:
                decoded.append(symbol)
            state, symbol = steps[state << 4 | byte & 15]
            if symbol >= 0:
                decoded.append(symbol)
    except ValueError as error:  # the end-of-string symbol is no byte
        raise Http2ConnectionError(
            ErrorCode.COMPRESSION_ERROR, "a string within a string"
        ) from error
    if state not in _ENDINGS:
        raise Http2ConnectionError(
            ErrorCode.COMPRESSION_ERROR, "a string that ends within a letter"
        )
    return bytes(decoded)


def _broken(reason: str) -> Http2ConnectionError:
    return Http2ConnectionError(ErrorCode.COMPRESSION_ERROR, reason)
