"""A program under a terminal of its own: every byte that it writes with the time of its coming, and the screen that the bytes make.

Times are taken while it runs, screens are made afterwards, so that the emulator costs the measured program nothing.
"""

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
import typing
import unicodedata

# CSI with its parameters and its last letter; OSC, DCS, APC, PM and SOS to their end; any other escape.
SEQUENCE = re.compile(r"\x1b(?:\[([0-?]*)[ -/]*([@-~])|[\]PX^_].*?(?:\x07|\x1b\\)|[ -/]*[0-Z\\^-~])", re.DOTALL)
# What terminals answer at once, tmux too: programs that ask wait for it.
ANSWERS = {b"\x1b[c": b"\x1b[?1;2c", b"\x1b[6n": b"\x1b[1;1R"}


class Style(typing.NamedTuple):
    """How a cell looks: colours as None, a number of the palette, or (red, green, blue)."""

    fg: object = None
    bg: object = None
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underlined: bool = False
    reverse: bool = False


PLAIN = Style()
ON = {1: "bold", 2: "dim", 3: "italic", 4: "underlined", 7: "reverse"}
OFF = {22: ("bold", "dim"), 23: ("italic",), 24: ("underlined",), 27: ("reverse",)}


def restyled(style, parameters):
    """The style after an SGR sequence with these parameters."""
    numbers = [int(number) if number.isdigit() else 0 for number in parameters.replace(":", ";").split(";")]
    while numbers:
        number = numbers.pop(0)
        plane = "bg" if 40 <= number <= 49 or 100 <= number <= 107 else "fg"
        if number == 0:
            style = PLAIN
        elif number in ON:
            style = style._replace(**{ON[number]: True})
        elif number in OFF:
            style = style._replace(**dict.fromkeys(OFF[number], False))
        elif number in (38, 48) and numbers[:1] == [5]:
            style, numbers = style._replace(**{plane: (numbers + [0])[1]}), numbers[2:]
        elif number in (38, 48) and numbers[:1] == [2]:
            style, numbers = style._replace(**{plane: tuple(numbers[1:4])}), numbers[4:]
        elif number in (39, 49):
            style = style._replace(**{plane: None})
        elif 30 <= number <= 47:
            style = style._replace(**{plane: number % 10})
        elif 90 <= number <= 107:
            style = style._replace(**{plane: number % 10 + 8})
    return style


class Screen:
    """The grid that bytes make: as much of a terminal as full-screen programs use."""

    def __init__(self, columns, lines):
        self.columns, self.lines = columns, lines
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.rest, self.style = "", PLAIN
        self.x = self.y = 0
        self.clear(0, lines)

    def clear(self, first, last):
        if first == 0 and last == self.lines:
            self.chars, self.styles = [None] * last, [None] * last
        for line in range(first, last):
            self.chars[line], self.styles[line] = [" "] * self.columns, [PLAIN] * self.columns

    def text(self):
        return ["".join(line) for line in self.chars]

    def feed(self, data):
        text = self.rest + self.decoder.decode(data)
        at = 0
        while at < len(text):
            if text[at] != "\x1b":
                self.put(text[at])
                at += 1
                continue
            found = SEQUENCE.match(text, at)
            if not found:
                break
            if found[2]:
                self.control(found[1], found[2])
            at = found.end()
        self.rest = text[at:]

    def put(self, char):
        if char == "\r":
            self.x = 0
        elif char == "\n":
            self.y = min(self.y + 1, self.lines - 1)
        elif char == "\b":
            self.x = max(self.x - 1, 0)
        elif char >= " " and not unicodedata.combining(char) and self.x < self.columns:
            self.chars[self.y][self.x], self.styles[self.y][self.x] = char, self.style
            self.x += 1
            if unicodedata.east_asian_width(char) in "WF" and self.x < self.columns:
                self.chars[self.y][self.x] = ""
                self.x += 1

    def control(self, parameters, letter):
        numbers = [int(number) if number.isdigit() else 0 for number in parameters.split(";")]
        one = max(numbers[0], 1)
        if letter in "Hf":
            self.y, self.x = one - 1, max((numbers + [1])[1], 1) - 1
        elif letter in "AB":
            self.y += one if letter == "B" else -one
        elif letter in "CD":
            self.x += one if letter == "C" else -one
        elif letter == "G":
            self.x = one - 1
        elif letter == "d":
            self.y = one - 1
        elif letter == "J":
            self.clear(0, self.lines) if numbers[0] >= 2 else self.clear(self.y + 1, self.lines)
        elif letter == "K":
            first, last = (self.x, self.columns) if numbers[0] == 0 else (0, self.columns)
            self.chars[self.y][first:last] = [" "] * (last - first)
            self.styles[self.y][first:last] = [PLAIN] * (last - first)
        elif letter == "m":
            self.style = restyled(self.style, parameters)
        elif letter in "hl" and parameters == "?1049":
            self.clear(0, self.lines)
        self.x, self.y = min(max(self.x, 0), self.columns), min(max(self.y, 0), self.lines - 1)


class Terminal:
    """A program in a terminal of columns × lines, from its start to its end."""

    def __init__(self, command, columns, lines, env=None):
        self.size = columns, lines
        self.chunks = []
        size = struct.pack("HHHH", lines, columns, 0, 0)
        self.began = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                fcntl.ioctl(1, termios.TIOCSWINSZ, size)
                os.execvpe(command[0], command, {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(env or {})})
            except OSError as error:
                print(error, file=sys.stderr)
            os._exit(127)
        self.ended = False

    def read(self, seconds):
        """Takes what comes for so long, or until it ends; gives whether anything came."""
        until = time.perf_counter() + seconds
        came = False
        while (left := until - time.perf_counter()) > 0 and self.take(left):
            came = True
        return came

    def take(self, seconds):
        """Takes what comes first, if it comes in so long; gives whether it did."""
        if self.ended or not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.fd, 1 << 16)
        except OSError:
            data = b""
        if not data:
            self.ended = True
            return False
        self.chunks.append((time.perf_counter() - self.began, data))
        for asked, answer in ANSWERS.items():
            if asked in data:
                os.write(self.fd, answer)
        return True

    def write(self, data):
        """Types, and gives the time at which it did."""
        at = time.perf_counter() - self.began
        os.write(self.fd, data)
        return at

    def screens(self):
        """The screen after each piece of output, with the time of that piece; one screen, changed in place."""
        screen = Screen(*self.size)
        for at, data in self.chunks:
            screen.feed(data)
            yield at, screen

    def close(self):
        """Ends it: politely, then not."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not self.ended:
                os.kill(self.pid, number)
            until = time.perf_counter() + 3
            while time.perf_counter() < until:
                self.read(0.05)
                if os.waitpid(self.pid, os.WNOHANG)[0]:
                    os.close(self.fd)
                    return
                if self.ended:
                    time.sleep(0.01)
        os.waitpid(self.pid, 0)
        os.close(self.fd)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
