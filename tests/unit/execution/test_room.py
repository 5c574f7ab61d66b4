"""Room for what is bought: the floor, and twice every clip under way."""

from fakes import FakeDisk, buy

from runner.execution.room import Room, expected_bytes

FLOOR = 1000


def test_there_is_room_for_twice_every_clip_under_way_beside_the_floor() -> None:
    request = buy("a").request
    assert request is not None
    one = expected_bytes(request)
    assert one > 100_000
    disk = FakeDisk(free=FLOOR + 2 * one)
    room = Room(disk, FLOOR)
    assert room.lacking(request) == ""
    disk.free -= 1
    assert "--min-free" in room.lacking(request)
    disk.free += 1
    room.expect("another", request)
    assert room.lacking(request) != ""
    disk.free += 2 * one
    assert room.lacking(request) == ""
    room.settled("another")
    disk.free -= 2 * one
    assert room.lacking(request) == ""
