"""Makes raw system calls and prints one JSON object: name -> errno (0 for success). Standard library only.

Arguments are chosen so that a kernel without a filter answers something else than EPERM wherever it can:
a bad address, a closed descriptor, an unknown command.
"""

import ctypes
import json
import mmap
import os
import platform
import signal

libc = ctypes.CDLL(None, use_errno=True)
ARM = platform.machine() == "aarch64"
BAD = 1  # no address that can be mapped, no descriptor with a meaning here
CLOSED = 999
CREAT, SUID = os.O_CREAT | os.O_WRONLY, 0o4000


def number(x86_64, aarch64):
    return aarch64 if ARM else x86_64


def call(nr, *args):
    """errno of one call, each argument as a full register."""
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(nr), *[ctypes.c_ulong(arg & (1 << 64) - 1) for arg in args])
    return (result, 0) if result >= 0 else (result, ctypes.get_errno())


def text(value):
    buffer = ctypes.create_string_buffer(value.encode())
    KEPT.append(buffer)
    return ctypes.addressof(buffer)


def alone(nr, *args):
    """errno of one call made by a process of its own, which takes what the call changed with it."""
    pid = os.fork()
    if pid == 0:
        os._exit(call(nr, *args)[1])
    _, status = os.waitpid(pid, os.WUNTRACED)
    if os.WIFSTOPPED(status):  # it is traced by us now
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return 0
    return os.waitstatus_to_exitcode(status)


def cloned(flags):
    """errno of clone with these flags; a child that does come to be ends at once."""
    pid, error = call(number(56, 220), flags | signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0 and error == 0:
        os._exit(0)
    if pid > 0:
        os.waitpid(pid, 0)
    return error


def opened(flags, mode, name):
    fd, error = call(number(257, 56), -100 & (1 << 64) - 1, text(f"/tmp/{name}"), flags, mode)
    if fd >= 0:
        os.close(fd)
    return error


def socketed(family, kind, protocol):
    fd, error = call(number(41, 198), family, kind, protocol)
    if fd >= 0:
        os.close(fd)
    return error


def mode_of(name, mode):
    path = f"/tmp/{name}"
    open(path, "w").close()
    return call(number(268, 53), -100 & (1 << 64) - 1, text(path), mode)[1]


def made_node(name, mode, device=0):
    return call(number(259, 33), -100 & (1 << 64) - 1, text(f"/tmp/{name}"), mode, device)[1]


KEPT = []
PLAIN = {
    # name: (x86-64 number, aarch64 number, arguments)
    "io_uring_setup": (425, 425, (0, BAD)),
    "io_uring_enter": (426, 426, (CLOSED, 0, 0, 0, 0, 0)),
    "io_uring_register": (427, 427, (CLOSED, 0, 0, 0)),
    "userfaultfd": (323, 282, (1,)),
    "add_key": (248, 217, (BAD, BAD, 0, 0, 0)),
    "request_key": (249, 218, (BAD, BAD, 0, 0)),
    "keyctl": (250, 219, (9999,)),
    "ptrace_traceme": (101, 117, (0, 0, 0, 0)),
    "ptrace_seize": (101, 117, (0x4206, CLOSED, 0, 0)),
    "process_vm_readv": (310, 270, (os.getpid(), 0, 0, 0, 0, 0)),
    "process_vm_writev": (311, 271, (os.getpid(), 0, 0, 0, 0, 0)),
    "process_madvise": (440, 440, (CLOSED, 0, 0, 0, 0)),
    "pidfd_getfd": (438, 438, (CLOSED, 0, 0)),
    "kcmp": (312, 272, (os.getpid(), os.getpid(), 99, 0, 0)),
    "perf_event_open": (298, 241, (BAD, 0, -1, -1, 0)),
    "bpf": (321, 280, (9999, 0, 0)),
    "mount": (165, 40, (BAD, BAD, BAD, 0, 0)),
    "umount2": (166, 39, (BAD, 0)),
    "pivot_root": (155, 41, (BAD, BAD)),
    "chroot": (161, 51, (BAD,)),
    "open_tree": (428, 428, (CLOSED, BAD, 0)),
    "move_mount": (429, 429, (CLOSED, BAD, CLOSED, BAD, 0)),
    "fsopen": (430, 430, (BAD, 0)),
    "fsconfig": (431, 431, (CLOSED, 99, 0, 0, 0)),
    "fsmount": (432, 432, (CLOSED, 0, 0)),
    "fspick": (433, 433, (CLOSED, BAD, 0)),
    "mount_setattr": (442, 442, (CLOSED, BAD, 0, BAD, 32)),
    "setns": (308, 268, (CLOSED, 0)),
    "unshare_newuser": (272, 97, (0x10000000,)),
    "unshare_newns": (272, 97, (0x00020000,)),
    "unshare_files": (272, 97, (0x00000400,)),
    "open_by_handle_at": (304, 265, (CLOSED, BAD, 0)),
    "name_to_handle_at": (303, 264, (CLOSED, BAD, BAD, BAD, 0)),
    "fanotify_init": (300, 262, (1 << 30, 0)),
    "kexec_load": (246, 104, (0, 0, 0, 99)),
    "kexec_file_load": (320, 294, (CLOSED, CLOSED, 0, 0, 99)),
    "init_module": (175, 105, (BAD, 0, BAD)),
    "finit_module": (313, 273, (CLOSED, BAD, 0)),
    "delete_module": (176, 106, (BAD, 0)),
    "reboot": (169, 142, (0, 0, 0, 0)),
    "swapon": (167, 224, (BAD, 0)),
    "swapoff": (168, 225, (BAD,)),
    "acct": (163, 89, (BAD,)),
    "quotactl": (179, 60, (9999, BAD, 0, 0)),
    "quotactl_fd": (443, 443, (CLOSED, 9999, 0, 0)),
    "syslog": (103, 116, (99, 0, 0)),
    "settimeofday": (164, 170, (BAD, 0)),
    "clock_settime": (227, 112, (0, BAD)),
    "adjtimex": (159, 171, (BAD,)),
    "sethostname": (170, 161, (BAD, 1)),
    "setdomainname": (171, 162, (BAD, 1)),
    "vhangup": (153, 58, ()),
    "memfd_secret": (447, 447, (9999,)),
    "process_mrelease": (448, 448, (CLOSED, 0)),
    "mbind": (237, 235, (0, 0, 99, 0, 0, 0)),
    "move_pages": (279, 239, (0, 0, 0, 0, 0, 99)),
    "migrate_pages": (256, 238, (CLOSED, 0, 0, 0)),
    "lookup_dcookie": (212, 18, (0, 0, 0)),
    "mq_open": (240, 180, (BAD, 0, 0, 0)),
    "io_setup": (206, 0, (0, BAD)),
    "remap_file_pages": (216, 234, (0, 0, 1, 0, 0)),
    "clone3": (435, 435, (BAD, 8)),
    "openat2": (437, 437, (CLOSED, BAD, BAD, 0)),
    "personality_aslr_off": (135, 92, (0x0040000,)),
    "personality_read_implies_exec": (135, 92, (0x0400000,)),
    "personality_linux32": (135, 92, (8,)),
    "personality_query": (135, 92, (0xFFFFFFFF,)),
}
if not ARM:
    PLAIN |= {"iopl": (172, 0, (99,)), "ioperm": (173, 0, (1 << 20, 1, 1)), "modify_ldt": (154, 0, (99, 0, 0))}

seen = {name: alone(number(x86_64, aarch64), *args) for name, (x86_64, aarch64, args) in PLAIN.items()}
NAMESPACES = {"ns": 0x20000, "cgroup": 0x02000000, "uts": 0x04000000, "ipc": 0x08000000, "user": 0x10000000}
NAMESPACES |= {"pid": 0x20000000, "net": 0x40000000}
seen |= {f"clone_new{name}": cloned(flag) for name, flag in NAMESPACES.items()}
seen |= {"clone_newuser_newnet": cloned(0x50000000), "clone_plain": cloned(0)}

STREAM, DGRAM, RAW, CLOEXEC = 1, 2, 3, 0o2000000
seen |= {
    "socket_vsock": socketed(40, STREAM, 0),
    "socket_alg": socketed(38, 5, 0),
    "socket_packet": socketed(17, RAW, 0),
    "socket_can": socketed(29, RAW, 1),
    "socket_bluetooth": socketed(31, RAW, 0),
    "socket_tipc": socketed(30, STREAM, 0),
    "socket_netlink_audit": socketed(16, RAW, 9),
    "socket_netlink_netfilter": socketed(16, RAW, 12),
    "socket_netlink_generic": socketed(16, RAW, 16),
    "socket_sctp": socketed(2, STREAM, 132),
    "socket_mptcp": socketed(2, STREAM, 262),
    "socket_dccp": socketed(2, 6, 33),
    "socket_raw_any": socketed(2, RAW, 255),
    # The kernel reads the low half of the register; the filter must not be fooled by the other half.
    "socket_vsock_high_bits": socketed(40 | 1 << 32, STREAM, 0),
    "socket_unix": socketed(1, STREAM | CLOEXEC, 0),
    "socket_tcp": socketed(2, STREAM | CLOEXEC, 0),
    "socket_tcp6": socketed(10, STREAM | CLOEXEC, 6),
    "socket_udp": socketed(2, DGRAM | CLOEXEC, 17),
    "socket_netlink_route": socketed(16, RAW | CLOEXEC, 0),
}
seen |= {
    "create_suid": opened(CREAT, SUID | 0o755, "created-suid"),
    "create_suid_tmpfile": opened(os.O_TMPFILE | os.O_WRONLY, SUID | 0o755, ""),
    "chmod_suid": mode_of("moded-suid", SUID | 0o755),
    "chmod_suid_high_bits": mode_of("moded-suid", SUID | 0o755 | 1 << 32),
    "fchmodat2_suid": call(452, -100 & (1 << 64) - 1, text("/tmp/moded-suid"), SUID | 0o755, 0)[1],
    "mknod_suid": made_node("node-suid", 0o100000 | SUID | 0o755),
    "mknod_character": made_node("node-c", 0o020000 | 0o600, 0),
    "mknod_block": made_node("node-b", 0o060000 | 0o600, 0x801),
    "create_plain": opened(CREAT, 0o755, "created"),
    "create_setgid": opened(CREAT, 0o2755, "created-setgid"),
    "open_with_leftover_mode": opened(os.O_RDONLY, 0o7777, "created"),
    "chmod_plain": mode_of("moded", 0o751),
    "mkfifo": made_node("fifo", 0o010000 | 0o600),
    "mknod_file": made_node("file", 0o600),
}


def entered(code):
    """How a child ends that runs this machine code: its exit code, or minus the signal."""
    pid = os.fork()
    if pid == 0:
        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(code)
        ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


# getpid by the 32-bit gate (mov eax, 20; int 0x80; ret) and by the x32 table (mov eax, 0x40000027; syscall; ret).
if not ARM:
    seen |= {
        "entry_native": entered(b"\xb8\x27\x00\x00\x00\x0f\x05\xc3"),
        "entry_i386": entered(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3"),
        "entry_x32": entered(b"\xb8\x27\x00\x00\x40\x0f\x05\xc3"),
    }

suid = [name for name in os.listdir("/tmp") if os.lstat(f"/tmp/{name}").st_mode & SUID]
print(json.dumps({"calls": seen, "suid_files": suid}))
