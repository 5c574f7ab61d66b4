"""The length an MP3 says of itself, in the first frame that encoders leave silent for it (Xing, Info)."""

from fractions import Fraction
from pathlib import Path

RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}  # by version: 1, 2, 2.5
WINDOW = 1_048_576  # how far behind the last ID3 tag the first frame is looked for


def announced_seconds(path: Path) -> Fraction | None:
    """Seconds of sound the encoder wrote down, encoder delay included; None if it wrote nothing."""
    with path.open("rb") as file:
        position = 0
        while (tag := file.read(10)).startswith(b"ID3") and len(tag) == 10:
            length = 0
            for byte in tag[6:10]:
                length = length << 7 | byte & 0x7F
            position += 10 + length + (10 if tag[5] & 0x10 else 0)
            file.seek(position)
        file.seek(position)
        head = file.read(WINDOW).lstrip(b"\0")[:256]
    if len(head) < 4:
        return None
    version, rate, mono = head[1] >> 3 & 3, head[2] >> 2 & 3, head[3] >> 6 == 3
    if version not in RATES or rate == 3:
        return None
    # The mark stands behind the side information, whose length depends on version and channels (ISO 11172-3, 2.4.1.7).
    side = (17 if mono else 32) if version == 3 else (9 if mono else 17)
    mark = head[4 + side : 4 + side + 12]
    if mark[:4] not in (b"Xing", b"Info") or len(mark) < 12 or not mark[7] & 1:
        return None
    frames = int.from_bytes(mark[8:12], "big")
    return Fraction(frames * (1152 if version == 3 else 576), RATES[version][rate])
