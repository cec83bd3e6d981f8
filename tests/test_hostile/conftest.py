"""Files that are small on the disk and ask for much."""

import struct
import zlib

import pytest


def png(width, height, data=b'', depth=8, color=0):
    """A PNG that declares any size."""

    def chunk(name, content):
        check = zlib.crc32(name + content)
        return struct.pack('>I', len(content)) + name + content + struct.pack(
            '>I', check
        )  # fmt: skip

    header = struct.pack('>IIBBBBB', width, height, depth, color, 0, 0, 0)
    return (
        b'\x89PNG\r\n\x1a\n'
        + chunk(b'IHDR', header)
        + chunk(b'IDAT', zlib.compress(data))
        + chunk(b'IEND', b'')
    )


@pytest.fixture(scope='session')
def png_bomb():
    """10^10 pixels in some bytes."""
    return png(100_000, 100_000)


@pytest.fixture(scope='session')
def eps_bomb():
    """PostScript, for which Pillow would start Ghostscript."""
    return (
        b'%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n'
        b'(escaped) (w) file closefile\n%%EOF\n'
    )
