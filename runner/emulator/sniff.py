"""What a file is, by its first bytes; what it is called and declared as does not count. Pure."""

HEAD_BYTES = 16

# First bytes: (offset, bytes) that must all stand there, media type, suffix. bmp is lawful for models, not for uploads.
_MAGIC: tuple[tuple[tuple[tuple[int, bytes], ...], str, str], ...] = (
    (((0, b"\xff\xd8\xff"),), "image/jpeg", ".jpg"),
    (((0, b"\x89PNG\r\n\x1a\n"),), "image/png", ".png"),
    (((0, b"GIF87a"),), "image/gif", ".gif"),
    (((0, b"GIF89a"),), "image/gif", ".gif"),
    (((0, b"RIFF"), (8, b"WEBP")), "image/webp", ".webp"),
    (((0, b"RIFF"), (8, b"WAVE")), "audio/wav", ".wav"),
    (((0, b"ID3"),), "audio/mpeg", ".mp3"),
    (((0, b"\xff\xfb"),), "audio/mpeg", ".mp3"),
    (((0, b"\xff\xf3"),), "audio/mpeg", ".mp3"),
    (((0, b"\xff\xf2"),), "audio/mpeg", ".mp3"),
    (((0, b"\xff\xfa"),), "audio/mpeg", ".mp3"),
    (((0, b"fLaC"),), "audio/flac", ".flac"),
    (((0, b"OggS"),), "audio/ogg", ".ogg"),
    (((4, b"ftypM4A"),), "audio/mp4", ".m4a"),
    (((4, b"ftypqt"),), "video/quicktime", ".mov"),
    (((4, b"ftyp"),), "video/mp4", ".mp4"),
    (((0, b"\x1a\x45\xdf\xa3"),), "video/webm", ".webm"),
)


def sniff(head: bytes) -> tuple[str, str] | None:
    """Media type and suffix by the first HEAD_BYTES bytes; None for a type that is not taken."""
    for marks, media_type, suffix in _MAGIC:
        if all(head[offset : offset + len(mark)] == mark for offset, mark in marks):
            return media_type, suffix
    return None
