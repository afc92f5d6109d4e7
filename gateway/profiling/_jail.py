"""Confine this process for good, then become the interpreter that runs an answer.

Started by `sandbox.py` as a script, isolated from site-packages: it may import the standard library only.
`_jail.py PROGRAM CPU_S MEMORY_BYTES OUTPUT_BYTES READABLE...` runs a program; with `--report` for the program
it writes a JSON list of the layers that this system lacks.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import resource
import struct
import sys

LIBC = ctypes.CDLL(None, use_errno=True)

# linux/sched.h: a user namespace of its own, without network interfaces or shared System V objects.
CLONE_NEWUSER, CLONE_NEWNET, CLONE_NEWIPC = 0x10000000, 0x40000000, 0x08000000

# linux/prctl.h
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2

# linux/landlock.h (numbers are the same on every architecture); the first version knew 13 rights to files, the
# second adds moving between folders, the third truncation, the fifth device control.
LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446
LANDLOCK_VERSION, LANDLOCK_PATH_BENEATH = 1, 1
FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
EXECUTE, READ_FILE, READ_DIR = 1, 4, 8

# linux/filter.h and linux/seccomp.h
LOAD_WORD, JUMP_IF_EQUAL, JUMP_IF_AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
OFFSET_NUMBER, OFFSET_ARCHITECTURE = 0, 4
ALLOW, FAIL_WITH_EPERM = 0x7FFF0000, 0x00050001
X32_NUMBERS = 0x40000000

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
#: System calls that an answer has no use for, by machine and by what they do.
CALLS = {
    "any": {
        "clone3": (435,),
        "pidfd_send_signal, pidfd_getfd": (424, 438),
        "io_uring": (425,),
        "fchmodat2, setxattrat, removexattrat, file_setattr": (452, 463, 466, 469),
    },
    "x86_64": {
        "fork, vfork, clone": (57, 58, 56),
        "kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo": (62, 200, 234, 129, 297),
        "ptrace, process_vm_readv, process_vm_writev": (101, 310, 311),
        "socket, socketpair": (41, 53),
        "shmget, semget, msgget, mq_open": (29, 64, 68, 240),
        "unshare, setns, bpf": (272, 308, 321),
        "modes, owners, times and attributes of files": (
            *(90, 91, 268, 92, 93, 94, 260),
            *(132, 235, 261, 280),
            *(188, 189, 190, 197, 198, 199),
        ),
    },
    "aarch64": {
        "clone": (220,),
        "kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo": (129, 130, 131, 138, 240),
        "ptrace, process_vm_readv, process_vm_writev": (117, 270, 271),
        "socket, socketpair": (198, 199),
        "shmget, semget, msgget, mq_open": (194, 190, 186, 180),
        "unshare, setns, bpf": (97, 268, 280),
        "modes, owners, times and attributes of files": (52, 53, 54, 55, 88, 5, 6, 7, 14, 15, 16),
    },
}


def limit(cpu_s: int, memory_bytes: int, output_bytes: int) -> list[str]:
    """Lower the resource limits; name those that this system does not accept."""
    wanted = {
        "RLIMIT_CPU": cpu_s,
        "RLIMIT_AS": memory_bytes,
        "RLIMIT_FSIZE": output_bytes,
        "RLIMIT_NOFILE": 32,
        "RLIMIT_NPROC": 0,
        "RLIMIT_CORE": 0,
    }
    refused = []
    for name, value in wanted.items():
        try:
            resource.setrlimit(getattr(resource, name), (value, value))
        except (ValueError, OSError):
            refused.append(name)
    return refused


def leave_namespaces() -> bool:
    """Leave the network and the user's privileges behind."""
    unshare = getattr(LIBC, "unshare", None)
    return unshare is not None and unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC) == 0


def restrict_files(readable: list[str]) -> bool:
    """Deny every file but `readable` trees, and those only for reading (Landlock, Linux 5.13)."""
    if sys.platform != "linux":
        return False
    version = LIBC.syscall(LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), LANDLOCK_VERSION)
    if version < 1:
        return False
    handled = ctypes.create_string_buffer(struct.pack("Q", (1 << FILE_RIGHTS[min(version, 5)]) - 1), 8)
    ruleset = LIBC.syscall(LANDLOCK_CREATE_RULESET, handled, ctypes.c_size_t(8), 0)
    for path in readable:
        allow_reading(ruleset, path)
    LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    restricted: bool = LIBC.syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0) == 0
    os.close(ruleset)
    return restricted


def allow_reading(ruleset: int, path: str) -> None:
    """Except a file, or a folder and all below it, from what a ruleset denies; a missing path is left out."""
    if not os.path.exists(path):  # noqa: PTH110  (pathlib is not worth its import time here)
        return
    rights = EXECUTE | READ_FILE | (READ_DIR if os.path.isdir(path) else 0)  # noqa: PTH112  (as above)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, descriptor), 12)
    LIBC.syscall(LANDLOCK_ADD_RULE, ruleset, LANDLOCK_PATH_BENEATH, rule, 0)
    os.close(descriptor)


def restrict_calls() -> bool:
    """Deny starting processes, signals, sockets and the like (seccomp)."""
    machine = platform.machine()
    if sys.platform != "linux" or machine not in ARCHITECTURES:
        return False
    denied = [number for group in ("any", machine) for calls in CALLS[group].values() for number in calls]
    program = ctypes.create_string_buffer(filter_program(ARCHITECTURES[machine], denied))
    length = (len(program) - 1) // 8
    header = struct.pack("HxxxxxxP", length, ctypes.addressof(program))
    LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    return bool(LIBC.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0) == 0)


def filter_program(architecture: int, denied: list[int]) -> bytes:
    """Return the classic BPF program that fails the calls given, and all of a foreign architecture, with EPERM."""
    count = len(denied)
    steps = [
        (LOAD_WORD, 0, 0, OFFSET_ARCHITECTURE),
        (JUMP_IF_EQUAL, 0, count + 3, architecture),
        (LOAD_WORD, 0, 0, OFFSET_NUMBER),
        (JUMP_IF_AT_LEAST, count + 1, 0, X32_NUMBERS),
        *((JUMP_IF_EQUAL, count - place, 0, number) for place, number in enumerate(denied)),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, FAIL_WITH_EPERM),
    ]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def confine(limits: list[int], readable: list[str]) -> list[str]:
    """Put every layer in force that this system has; name the others."""
    # Namespaces come before the filter, which denies `unshare`.
    layers = {"namespaces": leave_namespaces()}
    refused = limit(*limits)
    layers["files (Landlock)"] = restrict_files(readable)
    layers["system calls (seccomp)"] = restrict_calls()
    return [*refused, *(name for name, present in layers.items() if not present)]


def main(program: str, limits: list[int], readable: list[str]) -> None:
    """Confine this process, then run the program or report what is missing."""
    missing = confine(limits, readable)
    if program == "--report":
        sys.stdout.write(json.dumps(missing))
        return
    arguments = [sys.executable, "-I", "-S", "-B", "-X", "utf8", program]
    os.execve(sys.executable, arguments, {})  # noqa: S606  (becoming the interpreter is what this is for)


if __name__ == "__main__":
    main(sys.argv[1], [int(value) for value in sys.argv[2:5]], sys.argv[5:])
