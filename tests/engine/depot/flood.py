"""A sandbox that floods. Its first line of input says how; it says "ready" once it has done its worst, goes on, and ends with its input.

family      "unix" for the depot's socket, "tcp" for the relay
processes   that flood, each with as many
connections open at once
opened      connections in all, of all processes, before it is ready
answers     heads of answers, likewise
opening     what each connection begins with
drips       what each connection then says over and over, in turn; {n} is a number that no other has
reads       whether answers are read
"""

import collections
import json
import os
import resource
import select
import socket
import sys

REPORT = 200


def connect(order):
    if order["family"] == "unix":
        made, address = socket.socket(socket.AF_UNIX), "/run/palisade/depot.sock"
    else:
        made, address = socket.socket(), ("127.0.0.1", 7878)
    made.setblocking(False)
    # One that is still under way is as good; one that was not to be had is tried again.
    if made.connect_ex(address) not in (0, 115):
        made.close()
        return None
    return made


def flood(order, me, stop, reports):
    held = collections.deque()
    opened = answers = turn = 0
    told = (0, 0)
    while not select.select([stop], [], [], 0)[0]:
        if len(held) < order["connections"] and (made := connect(order)):
            opened += 1
            held.append([made, order["opening"].encode()])
        # All of them where there is something to say, and else a few: most of the time goes into new ones.
        for _ in range(len(held) if order["drips"] and len(held) == order["connections"] else min(len(held), 4)):
            one = held.popleft()
            try:
                if order["reads"]:
                    got = one[0].recv(1 << 18)
                    answers += got.count(b"HTTP/1.1 ")
                    if not got:
                        one[0].close()
                        continue
            except BlockingIOError:
                pass
            except OSError:
                one[0].close()
                continue
            try:
                if not one[1] and order["drips"]:
                    turn += 1
                    one[1] = order["drips"][turn % len(order["drips"])].replace("{n}", f"{me}-{turn}").encode()
                if one[1]:
                    one[1] = one[1][one[0].send(one[1]) :]
            except BlockingIOError:
                pass
            except OSError:
                one[0].close()
                continue
            held.append(one)
        if opened + answers >= sum(told) + REPORT or not opened % REPORT or len(held) == order["connections"]:
            if (opened, answers) != told:
                os.write(reports, b"%d %d\n" % (opened - told[0], answers - told[1]))
                told = (opened, answers)
    os._exit(0)


def main():
    order = json.loads(sys.stdin.readline())
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    stop, stopping = os.pipe()
    reported, reports = os.pipe()
    for me in range(order["processes"]):
        if not os.fork():
            os.close(stopping)
            os.close(0)
            flood(order, me, stop, reports)
    os.close(reports)
    opened = answers = 0
    ready = False
    rest = b""
    while True:
        found = select.select([reported, 0], [], [])[0]
        if 0 in found:
            print(opened, "connections,", answers, "answers", flush=True)
            return
        got = os.read(reported, 1 << 16)
        if not got:
            sys.exit("every process ended")
        *lines, rest = (rest + got).split(b"\n")
        for line in lines:
            opened, answers = opened + int(line.split()[0]), answers + int(line.split()[1])
        if not ready and opened >= order["opened"] and answers >= order["answers"]:
            ready = True
            print("ready", flush=True)


main()
