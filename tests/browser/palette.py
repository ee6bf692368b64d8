"""Small pictures: screens hold few colours, and 256 of them are enough."""

import base64
import struct
import zlib

from playwright.sync_api import Page

SIGNATURE = b"\x89PNG\r\n\x1a\n"
QUANTISE = """async (url) => {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const pixels = new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer);
    const counts = new Map();
    for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) || 0) + 1);
    const palette = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, 256).map(([colour]) => colour);
    const parts = (colour) => [colour & 255, (colour >> 8) & 255, (colour >> 16) & 255];
    const known = palette.map(parts);
    const places = new Map(palette.map((colour, place) => [colour, place]));
    const nearest = (colour) => {
        const [r, g, b] = parts(colour);
        let best = 0, least = Infinity;
        known.forEach(([red, green, blue], place) => {
            const distance = (r - red) ** 2 + (g - green) ** 2 + (b - blue) ** 2;
            if (distance < least) [best, least] = [place, distance];
        });
        places.set(colour, best);
        return best;
    };
    const indices = Uint8Array.from(pixels, (colour) => places.get(colour) ?? nearest(colour));
    let text = "";
    for (let at = 0; at < indices.length; at += 8192) {
        text += String.fromCharCode(...indices.subarray(at, at + 8192));
    }
    return {width: image.width, height: image.height, palette: known.flat(), indices: btoa(text)};
}"""


def shrunk(picture: bytes, page: Page) -> bytes:
    """Return a PNG with a palette (RFC 2083) that looks the same; the page, any, does the counting."""
    url = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    found = page.evaluate(QUANTISE, url)
    width, height, indices = found["width"], found["height"], base64.b64decode(found["indices"])
    rows = b"".join(b"\0" + indices[at : at + width] for at in range(0, width * height, width))
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"PLTE", bytes(found["palette"])), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return SIGNATURE + b"".join(map(_chunk, chunks))


def _chunk(named: tuple[bytes, bytes]) -> bytes:
    name, content = named
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
