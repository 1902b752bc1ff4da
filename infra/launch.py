"""Becomes a server: gives up root, ties its life to the parent's, then turns into the program.

    python launch.py PARENT_PID DEATH_SIGNAL IDENTITY UID GID -- PROGRAM ARGUMENT...

A program of its own because none of this may run between fork and exec of a parent that has threads.
PostgreSQL refuses to run as root, so root becomes somebody else, in one of two ways:

- `namespace`: a user namespace in which root goes by another number. PostgreSQL sees no root, the files stay
  root's, and it works even where no other user could reach them (a clone in root's home).
- `user`: setuid, for containers that allow no user namespaces.
"""

import ctypes
import os
import sys
from pathlib import Path

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1


def enter_namespace(uid: int, gid: int) -> None:
    """Go by another uid in a user namespace of this process alone (Linux)."""
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    _call("unshare", CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{uid} {outer_uid} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{gid} {outer_gid} 1", encoding="ascii")


def become_user(uid: int, gid: int) -> None:
    """Become another user for good."""
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def die_with(parent: int, death_signal: int) -> None:
    """Ask the kernel for a signal when the parent is gone (Linux); elsewhere the next start ends the orphan.

    Comes after any change of user: that would take the request back.
    """
    if not sys.platform.startswith("linux"):
        return
    _call("prctl", PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit("the parent was gone before the server began")


def _call(name: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*map(ctypes.c_ulong, arguments)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def main(arguments: list[str]) -> None:
    parent, death_signal, identity, uid, gid, _, *command = arguments
    if identity == "namespace":
        enter_namespace(int(uid), int(gid))
    elif identity == "user":
        become_user(int(uid), int(gid))
    die_with(int(parent), int(death_signal))
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main(sys.argv[1:])
