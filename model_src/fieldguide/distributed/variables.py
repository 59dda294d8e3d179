"""Variables of the environment that say more about trainings on several devices, and what each shows.

Read in November 2026 in NCCL's user guide (docs.nvidia.com/deeplearning/nccl/user-guide/docs/env.html) and PyTorch's
pages on ProcessGroupNCCL, torchrun and logging (docs.pytorch.org/docs/stable).
"""

from dataclasses import dataclass

DATE = "2026-11"
NCCL = "NCCL's user guide"
TORCH = "PyTorch's documentation"


@dataclass(frozen=True)
class Variable:
    """One variable, a value to try, what that shows or changes, who documents it."""

    name: str
    value: str
    shows: str
    source: str
    tries: bool = False  # it changes what is done: for a test, not to be kept


VARIABLES = (
    Variable("NCCL_DEBUG", "WARN or INFO", "WARN: errors in words; INFO: devices, ways between them, versions", NCCL),
    Variable("NCCL_DEBUG_SUBSYS", "INIT,NET,COLL", "which parts INFO talks about: start, network, each call", NCCL),
    Variable("NCCL_DEBUG_FILE", "nccl.%h.%p", "a file for each machine and process instead of one mixed output", NCCL),
    Variable("NCCL_SOCKET_IFNAME", "eth0 or ^docker", "which network cards are used; the usual cure where ranks don't "
             "meet", NCCL),
    Variable("NCCL_IB_DISABLE", "1", "without InfiniBand: is it the InfiniBand?", NCCL, True),
    Variable("NCCL_P2P_DISABLE", "1", "GPUs don't write into each other: is it NVLink or PCIe?", NCCL, True),
    Variable("NCCL_SHM_DISABLE", "1", "no shared memory: is /dev/shm too small (containers)?", NCCL, True),
    Variable("TORCH_DISTRIBUTED_DEBUG", "DETAIL", "compares calls and shapes of all ranks, names parameters without "
             "gradients; slow", TORCH),
    Variable("TORCH_CPP_LOG_LEVEL", "INFO", "what the processes say when they meet, with the line above", TORCH),
    Variable("TORCH_NCCL_DESYNC_DEBUG", "1", "at a time-out: which rank called something else", TORCH),
    Variable("TORCH_NCCL_TRACE_BUFFER_SIZE", "2000", "the flight recorder keeps so many calls; newer: TORCH_FR_BUFFER_SIZE", TORCH),
    Variable("TORCH_NCCL_DUMP_ON_TIMEOUT", "1", "writes the flight recorder's calls at a time-out", TORCH),
    Variable("TORCH_NCCL_BLOCKING_WAIT", "1", "a wait ends with an error in the line that waits", TORCH, True),
    Variable("TORCH_NCCL_ASYNC_ERROR_HANDLING", "3", "after an error: 0 nothing, 1 abort and end, 2 abort alone, 3 end "
             "(default)", TORCH),
    Variable("TORCH_NCCL_HEARTBEAT_TIMEOUT_SEC", "600", "when a watchdog that hangs itself ends the process", TORCH),
    Variable("CUDA_LAUNCH_BLOCKING", "1", "an error on the GPU comes in the line that caused it; slow", TORCH, True),
    Variable("TORCHELASTIC_ERROR_FILE", "error.json", "where @record writes a rank's error; torchrun sets it", TORCH),
    Variable("GLOO_SOCKET_IFNAME", "lo or eth0", "which network card gloo uses, on CPUs", TORCH),
    Variable("OMP_NUM_THREADS", "1", "threads of a process on the CPU; torchrun sets 1 unless you do", TORCH),
)  # fmt: skip
