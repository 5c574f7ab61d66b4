"""What is to be known of the disk that a folder lies on: its room, and whether it is this machine's own."""

import os
import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")  # Linux; other systems do not say, and are taken to be local
# File systems on which other machines may write at the same time, whose locks and syncs are a promise of somebody else's.
NETWORK = re.compile(r"nfs\d?|cifs|smb\d?|smbfs|ncpfs|afs|coda|ceph|lustre|gpfs|beegfs|glusterfs|ocfs2|gfs2|davfs")
REMOTE_FUSE = re.compile(r"fuse\.(sshfs|s3fs|rclone|glusterfs|davfs2?|gcsfuse|goofys|curlftpfs|ceph(-fuse)?)")


class Disk:
    """The disk that a folder lies on. Fulfils `execution.ports.Disk`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def free_bytes(self) -> int:
        """Bytes that a user without privileges may still write. Raises OSError."""
        found = os.statvfs(self._folder)
        return found.f_bavail * found.f_frsize


def network_of(folder: Path, mounts: Path | None = None) -> str:
    """The network file system that a folder lies on, `nfs4` say; empty for a local disk, and where nobody can tell."""
    try:
        rows = (mounts or MOUNTS).read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ""
    place, longest, found = folder.resolve(), -1, ""
    for row in rows:  # proc_pid_mountinfo(5): mount point is the fifth field, the type the first behind ` - `
        before, _, behind = row.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not behind:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[4]))
        if place.is_relative_to(point) and len(point.parts) >= longest:  # of two on one place the later lies above
            longest, found = len(point.parts), behind.split(" ")[0]
    return found if NETWORK.fullmatch(found) or REMOTE_FUSE.fullmatch(found) else ""
