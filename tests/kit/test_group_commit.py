"""The group commit: groups form while a commit runs, nobody hears "stored" too early, and failures reach their own."""

import asyncio
from collections.abc import Sequence

import pytest

from postroom.kit.group_commit import GroupCommit, QueueFull


class Disk:
    """Commits when told to, and remembers what it was given."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.gate = asyncio.Event()
        self.broken = False

    async def commit(self, items: Sequence[int]) -> None:
        self.groups.append(list(items))
        await self.gate.wait()
        if self.broken:
            raise OSError("the disk is gone")


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_what_arrives_during_a_commit_makes_up_the_next_one() -> None:
    async def scenario() -> list[list[int]]:
        disk = Disk()
        commits = GroupCommit(disk.commit, group_size=3)
        first = asyncio.create_task(commits.put(0))
        await _settle()
        others = [asyncio.create_task(commits.put(number)) for number in range(1, 6)]
        await _settle()
        assert not first.done()
        disk.gate.set()
        await asyncio.gather(first, *others)
        return disk.groups

    assert asyncio.run(scenario()) == [[0], [1, 2, 3], [4, 5]]


def test_a_failed_commit_is_told_to_everybody_in_it_and_the_next_one_goes_on() -> None:
    async def scenario() -> None:
        disk = Disk()
        disk.gate.set()
        disk.broken = True
        commits = GroupCommit(disk.commit)
        answers = await asyncio.gather(commits.put(1), commits.put(2), return_exceptions=True)
        assert [type(answer) for answer in answers] == [OSError, OSError]
        disk.broken = False
        await commits.put(3)
        assert disk.groups == [[1, 2], [3]]

    asyncio.run(scenario())


def test_a_full_queue_refuses_instead_of_growing() -> None:
    async def scenario() -> None:
        disk = Disk()
        commits = GroupCommit(disk.commit, capacity=2)
        waiting = [asyncio.create_task(commits.put(0))]
        await _settle()
        waiting += [asyncio.create_task(commits.put(number)) for number in (1, 2)]
        await _settle()
        with pytest.raises(QueueFull):
            await commits.put(3)
        disk.gate.set()
        await asyncio.gather(*waiting)
        await commits.put(4)

    asyncio.run(scenario())


def test_a_caller_who_leaves_disturbs_nobody_and_drain_waits_for_the_rest() -> None:
    async def scenario() -> None:
        disk = Disk()
        commits = GroupCommit(disk.commit)
        leaver = asyncio.create_task(commits.put(1))
        stayer = asyncio.create_task(commits.put(2))
        await _settle()
        leaver.cancel()
        await _settle()
        draining = asyncio.create_task(commits.drain())
        await _settle()
        assert not draining.done()
        disk.gate.set()
        await draining
        assert stayer.done()
        assert stayer.exception() is None

    asyncio.run(scenario())


def test_a_crowd_that_comes_again_is_committed_together_and_a_lone_one_is_not_kept_waiting() -> None:
    async def scenario() -> list[int]:
        sizes: list[int] = []

        async def commit(items: Sequence[int]) -> None:
            sizes.append(len(items))
            await asyncio.sleep(0.004)

        commits = GroupCommit(commit)

        async def come_again(number: int) -> None:
            for _ in range(20):
                await commits.put(number)
                await asyncio.sleep(0.0001 * (number % 8))

        await asyncio.gather(*(come_again(number) for number in range(32)))
        crowd = sizes[5:-5]
        began = asyncio.get_running_loop().time()
        await commits.put(0)
        assert asyncio.get_running_loop().time() - began < 0.1
        return crowd

    crowd = asyncio.run(scenario())
    assert sum(crowd) / len(crowd) > 20, "not two half crowds in turns"
