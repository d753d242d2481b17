"""Kernels that begin with the long imports done: each is forked from one process that did them.

Importing torch, pandas and scikit-learn takes a kernel some five seconds, a tenth of the book.
"""

import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping
from importlib.metadata import entry_points
from multiprocessing.process import BaseProcess
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import LocalProvisioner

FORKS = sys.platform == "linux"  # elsewhere libraries that were imported do not bear it
NAME = "srlab-fork"  # of the entry point below jupyter_client's
LAUNCHER = "ipykernel_launcher"
PRELOADED = (
    "srlab.book.forkserver",
    "ipykernel.kernelapp",
    "plotly.graph_objects",
    "sklearn.manifold",
    "srlab.checkpoints.load",
    "srlab.figures.embeddings",
    "srlab.representation.embedding",
    "srlab.studies.study",
    "srlab.training.recipes",
)


def fork_kernels() -> None:
    """From now on this process forks its Python kernels, where the system can.

    An installation older than pyproject.toml does not know how, and starts them as ever.
    """
    if FORKS and NAME in entry_points(group="jupyter_client.kernel_provisioners").names:
        os.environ["JUPYTER_DEFAULT_PROVISIONER_NAME"] = NAME


class ForkProvisioner(LocalProvisioner):
    """Starts a kernel as `ipykernel` would, but in a fork; kernels of other Pythons as ever."""

    process: Any = None

    async def launch_kernel(self, cmd: list[str], **options: Any) -> KernelConnectionInfo:
        """A fork that goes on as the kernel for which `cmd` is the command line."""
        if LAUNCHER not in cmd or cmd[0] != sys.executable:
            return await super().launch_kernel(cmd, **options)
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([*PRELOADED])
        arguments = cmd[cmd.index(LAUNCHER) + 1 :]
        environment = {**options["env"], "JPY_PARENT_PID": str(os.getpid())}
        process = context.Process(
            target=_go_on, args=(arguments, environment, options.get("cwd") or os.getcwd())
        )
        process.start()
        self.process = _Popen(process)
        self.pid = self.pgid = process.pid
        return self.connection_info


class _Popen:
    """What a provisioner asks of its process, answered by one of multiprocessing's."""

    stdin = stdout = stderr = None

    def __init__(self, process: BaseProcess) -> None:
        self._process = process
        self.kill, self.terminate = process.kill, process.terminate

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self) -> int | None:
        self._process.join()
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self._process.pid is not None:
            os.kill(self._process.pid, number)


def _go_on(arguments: list[str], environment: Mapping[str, str], folder: str) -> None:
    """Be that kernel, in a session of its own as every kernel."""
    from ipykernel.kernelapp import IPKernelApp

    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    multiprocessing.set_start_method(None, force=True)  # the system's, as elsewhere
    IPKernelApp.launch_instance(argv=arguments)
