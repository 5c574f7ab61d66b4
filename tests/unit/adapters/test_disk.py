"""Which disks are this machine's own."""

from pathlib import Path

import pytest

from runner.adapters.disk import network_of

LOCAL = "25 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw"


def mounts(folder: Path, *rows: str) -> Path:
    path = folder / "mountinfo"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "ceph", "glusterfs"])
def test_a_folder_below_the_mount_of_a_network_file_system_is_on_it(tmp_path: Path, kind: str) -> None:
    told = mounts(tmp_path, LOCAL, f"40 25 0:40 / {tmp_path}/share rw - {kind} server:/films rw")
    assert network_of(tmp_path / "share/project/.shotrunner", told) == kind
    assert network_of(tmp_path / "shared", told) == ""


@pytest.mark.parametrize("kind", ["ext4", "btrfs", "xfs", "tmpfs", "overlay", "apfs", "fuse.ntfs-3g", "9p"])
def test_a_disk_of_this_machine_is_none(tmp_path: Path, kind: str) -> None:
    told = mounts(tmp_path, LOCAL, f"40 25 0:40 / {tmp_path} rw - {kind} /dev/sdb1 rw")
    assert network_of(tmp_path / "project", told) == ""


def test_the_nearest_mount_decides_and_of_two_on_one_place_the_later(tmp_path: Path) -> None:
    share = f"40 25 0:40 / {tmp_path}/a\\040b rw - nfs4 server:/films rw"
    disk = f"41 40 8:16 / {tmp_path}/a\\040b/local rw - ext4 /dev/sdb1 rw"
    above = f"42 40 8:16 / {tmp_path}/a\\040b rw - ext4 /dev/sdc1 rw"
    assert network_of(tmp_path / "a b/project", mounts(tmp_path, share, disk, LOCAL)) == "nfs4"
    assert network_of(tmp_path / "a b/local/project", mounts(tmp_path, share, disk, LOCAL)) == ""
    assert network_of(tmp_path / "a b/project", mounts(tmp_path, LOCAL, share, above)) == ""


def test_a_link_to_a_share_is_the_share(tmp_path: Path) -> None:
    (tmp_path / "share").mkdir()
    (tmp_path / "state").symlink_to("share")
    told = mounts(tmp_path, LOCAL, f"40 25 0:40 / {tmp_path}/share rw - nfs4 server:/films rw")
    assert network_of(tmp_path / "state", told) == "nfs4"


def test_a_system_that_does_not_tell_is_taken_to_be_local(tmp_path: Path) -> None:
    assert network_of(tmp_path, tmp_path / "absent") == ""
    assert network_of(tmp_path, mounts(tmp_path, "garbage", "", "1 2 3")) == ""
