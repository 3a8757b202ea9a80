"""What the supervisor knows about a part, and the child process it makes of it."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from postroom.kit.processes import READY_VARIABLE, Command, dying_with_us

Show = Callable[[str, str], None]

LINE_LIMIT_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Part:
    """One program to keep running.

    ``make_command`` may block and is asked before every start. ``is_ready`` tells whether the running program serves;
    where it is None, the program says so itself (``kit.processes.say_ready``).
    ``stop_signal`` asks it to end, ``death_signal`` is what the kernel sends it when the supervisor is gone.
    It starts only while the parts it ``needs`` are ready. A part with ``is_needed`` is a task, run to its end before
    anything else starts, or left out when it is not needed.
    """

    name: str
    make_command: Callable[[], Command]
    is_ready: Callable[[], bool] | None
    stop_signal: int = signal.SIGTERM
    death_signal: int = signal.SIGKILL
    stop_timeout_s: float = 15
    needs: frozenset[str] = frozenset()
    is_needed: Callable[[], bool] | None = None


class Child:
    """A running part: its process, and the lines it prints."""

    def __init__(self, part: Part, process: asyncio.subprocess.Process, show: Show, voice: int) -> None:
        self.part = part
        self._process = process
        self._voice = voice
        self._printing = asyncio.create_task(self._print(show))

    @classmethod
    async def start(cls, part: Part, show: Show) -> "Child":
        """Start ``part`` in a process group of its own and pass each line it prints to ``show``."""
        command = await asyncio.to_thread(part.make_command)
        voice, far_end = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *command.arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                limit=LINE_LIMIT_BYTES,
                env={**command.environment, READY_VARIABLE: str(far_end)},
                pass_fds=(far_end,),
                cwd=None if command.uid is None else "/",
                user=command.uid,
                group=command.gid,
                extra_groups=None if command.uid is None else [],
                start_new_session=True,  # Ctrl-C is for the supervisor, which stops everybody in order
                preexec_fn=dying_with_us(part.death_signal),
            )
        except BaseException:
            os.close(voice)
            raise
        finally:
            os.close(far_end)
        return cls(part, process, show, voice)

    @property
    def is_alive(self) -> bool:
        """Whether the process has not ended yet."""
        return self._process.returncode is None

    @property
    def has_succeeded(self) -> bool:
        """Whether the process has ended well."""
        return self._process.returncode == 0

    async def wait(self) -> str:
        """Wait for the end and say how it came; nothing the process started survives it."""
        code = await self._process.wait()
        self._signal_group(signal.SIGKILL)
        await self._printing
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"

    async def hear_ready(self) -> bool:
        """Wait until the process says that it is up; False when it ends without a word."""
        loop = asyncio.get_running_loop()
        said = asyncio.Event()
        loop.add_reader(self._voice, said.set)
        try:
            await said.wait()
        finally:
            loop.remove_reader(self._voice)
        return bool(os.read(self._voice, 1))

    def close(self) -> None:
        """Forget the process, after its end."""
        os.close(self._voice)

    async def stop(self) -> None:
        """Ask the process to end, and after ``stop_timeout_s`` seconds make it."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(self.part.stop_signal)
        try:
            await asyncio.wait_for(self._process.wait(), self.part.stop_timeout_s)
        except TimeoutError:
            self.kill()
            await self._process.wait()

    def kill(self) -> None:
        """End the process and all it started, at once."""
        self._signal_group(self.part.death_signal)

    def _signal_group(self, signum: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signum)

    async def _print(self, show: Show) -> None:
        stream = self._process.stdout
        assert stream is not None
        while True:
            try:
                line = await stream.readline()
            except ValueError:  # longer than the limit; the reader has dropped it
                continue
            if not line:
                return
            show(self.part.name, line.decode(errors="replace").rstrip())
