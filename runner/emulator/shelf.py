"""The clips on disk: put there when they are done, taken away when nobody can ask for them any more."""

from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from runner.emulator.disk import Disk, Full
from runner.emulator.job import Job
from runner.emulator.store import Store, Unusable
from runner.emulator.switches import Switches


class Shelf:
    """Clips of completed tasks in `folder`, which is its own. Those whose link is dead stay until their room is wanted."""

    def __init__(self, folder: Path, store: Store, disk: Disk, switches: Switches, now: Callable[[], float]) -> None:
        self._folder, self._store, self._disk = folder, store, disk
        self._switches, self._now = switches, now
        self._oldest: deque[Job] = deque()  # first what was done first
        disk.giver(self._let_go)

    def path(self, job: Job) -> Path:
        """Where the clip of a completed task lies."""
        return self._folder / f"{job.task.id}.mp4"

    def part(self, job: Job) -> Path:
        """Where it is written."""
        return self.path(job).with_suffix(".mp4.part")

    def put(self, job: Job) -> None:
        """Takes the part in as the clip of the job, which is yet to be saved. Raises Full, and removes the part then."""
        part = self.part(job)
        size = part.stat().st_size
        try:
            self._disk.take(size)
        except Full:
            part.unlink()
            raise
        part.replace(self.path(job))
        job.clip_bytes = size
        self._oldest.append(job)

    def restore(self, jobs: Iterable[Job]) -> None:
        """Begins with the clips of these jobs that are still there; whatever else lies in the folder goes."""
        known = set()
        for job in sorted((job for job in jobs if job.clip_bytes), key=lambda job: job.task.ended_at or 0):
            path = self.path(job)
            job.clip_bytes = path.stat().st_size if path.is_file() else 0
            if job.clip_bytes:
                known.add(path.name)
                self._disk.used += job.clip_bytes  # also beyond a bound that was wider before
                self._oldest.append(job)
        for path in self._folder.iterdir():
            if path.name not in known:
                path.unlink()

    def tidy(self) -> None:
        """Takes away clips of tasks nobody knows any more."""
        while self._oldest and self._gone(self._oldest[0]):
            self._drop(self._oldest.popleft())

    def _let_go(self) -> bool:
        if not self._oldest or not self._expired(self._oldest[0]):
            return False
        self._drop(self._oldest.popleft())
        return True

    def _gone(self, job: Job) -> bool:
        return (job.task.ended_at or 0) + self._switches.task_s <= self._now()

    def _expired(self, job: Job) -> bool:
        dead = max(job.links.values(), default=0) + self._switches.link_s <= self._now()
        return self._gone(job) or (dead and not self._switches.fresh_links)

    def _drop(self, job: Job) -> None:
        self._disk.give(job.clip_bytes)
        job.clip_bytes = 0
        with suppress(Unusable):  # the clip goes all the same, and the next start finds it gone
            self._store.save(job)
        self.path(job).unlink(missing_ok=True)
        self.path(job).with_suffix(".jpg").unlink(missing_ok=True)  # its poster
