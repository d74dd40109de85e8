"""A kernel that is kept for many runs: each finds it as if it had just been started for it."""

import os
import queue
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from loyalty_helpers.runner.kernels import started_kernel

READY = 10.0  # seconds that a kernel may take to forget its last run; else a new one is started
# A kernel that has never run a cell is what is left: names, numbers, variables, folder, widgets.
FORGET = """
import os, sys
os.environ.clear()
os.environ.update({variables!r})
os.chdir({folder!r})
if "ipywidgets" in sys.modules:
    sys.modules["ipywidgets"].Widget.close_all()
get_ipython().reset(new_session=True)
"""


class KeptKernel:
    """Lends one kernel to one run after the other; starting one takes longer than most runs."""

    def __init__(self) -> None:
        self._held, self._manager = ExitStack(), None
        self._busy: Callable[[int], bool] = lambda _: False

    def __enter__(self) -> "KeptKernel":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the kernel, if there is one; the next run starts another."""
        self._manager = None
        self._held.close()

    @contextmanager
    def lent(
        self,
        folder: Path,
        variables: Mapping[str, str] | None = None,
        *,
        busy: Callable[[int], bool] = lambda _: False,
    ) -> Iterator[Any]:
        """The kernel, for one run; the arguments are those of `started_kernel`."""
        self._busy = busy
        if not self._forgets(folder, os.environ | dict(variables or {})):
            self.close()
            kernel = started_kernel(folder, variables, busy=lambda pid: self._busy(pid))
            self._manager = self._held.enter_context(kernel)
        try:
            yield self._manager
        except BaseException:  # such as Ctrl-C: it may still be at something
            self.close()
            raise

    def _forgets(self, folder: Path, variables: Mapping[str, str]) -> bool:
        """Whether there is a kernel, and it has put everything back to its beginning."""
        from jupyter_core.utils import run_sync

        if self._manager is None or not run_sync(self._manager.is_alive)():
            return False
        client = self._manager.last_client
        try:
            asked = client.execute(
                FORGET.format(variables=dict(variables), folder=str(folder)),
                silent=True,
                store_history=False,
            )
            while True:
                answer = run_sync(client.get_shell_msg)(timeout=READY)
                if answer["parent_header"].get("msg_id") == asked:
                    return bool(answer["content"]["status"] == "ok")
        except queue.Empty:  # it is still at something
            return False
        finally:
            client.stop_channels()  # the next run makes one of its own, with the same identity
