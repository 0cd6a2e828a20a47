# SPDX-License-Identifier: Apache-2.0
"""Just enough of the shells of U-Boot and GRUB to run the scripts that we write for them.

Two loaders with a record, in a machine whose power can fail at every write: `UBootMachine` runs a
``boot.scr``, `GrubMachine` a ``grub.cfg``. What they start is raised as `Started`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import lru_cache

_TOKEN = re.compile(
    r"""[ \t]*(?:#[^\n]*)?(?:(\n|;|&&|\{|\}(?=\s|$))|((?:'[^']*'|"[^"]*"|\$\{[^}]*\}|[^\s;'"&{}])+))"""
)
_VARIABLE = re.compile(r"\$\{([A-Za-z0-9_]+)\}|\$([A-Za-z0-9_]+)")
_OPENERS = {"if": "fi", "for": "done"}


class Started(Exception):
    """A kernel runs."""


class Reset(Exception):
    """The board starts over."""


class PowerCut(Exception):
    """The power failed."""


class Returned(Exception):
    """A function of GRUB's is left."""


@lru_cache(maxsize=1024)
def tokens_of(text: str) -> tuple[str, ...]:
    """Split a script into words and separators; quotes stay."""
    found = []
    at = 0
    text = text.replace("\\\n", " ")
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            if text[at:].strip() and not text[at:].strip().startswith("#"):
                raise ValueError(f"not understood: {text[at : at + 60]!r}")
            break
        at = match.end()
        found.append(";" if match[1] in ("\n", ";") else match[1] or match[2])
    return tuple(found)


Code = tuple[tuple[object, ...], ...]


@lru_cache(maxsize=4096)
def parse(tokens: tuple[str, ...]) -> Code:
    """Turn a script into statements: commands, conditions, loops and blocks."""
    statements: list[tuple[object, ...]] = []
    at = 0
    while at < len(tokens):
        word = tokens[at]
        if word == ";":
            at += 1
        elif word == "if":
            at = _parse_if(tokens, at, statements)
        elif word == "for":
            do = _end_of(tokens, at + 1, ("do",))
            done = _end_of(tokens, do + 1, ("done",))
            body = parse(tokens[do + 1 : done])
            statements.append(("for", tokens[at + 1], tokens[at + 3 : do - 1], body))
            at = done + 1
        elif word in ("function", "menuentry"):
            at = _parse_block(tokens, at, statements)
        else:
            end = at
            while end < len(tokens) and tokens[end] != ";":
                end += 1
            line = tokens[at:end]
            parts, start = [], 0
            for index, token in enumerate((*line, "&&")):
                if token == "&&":
                    parts.append(line[start:index])
                    start = index + 1
            statements.append(("run", tuple(parts)))
            at = end
    return tuple(statements)


def _parse_if(tokens: tuple[str, ...], at: int, statements: list[tuple[object, ...]]) -> int:
    arms = []
    otherwise: Code = ()
    while True:
        then = _end_of(tokens, at + 1, ("then",))
        end = _end_of(tokens, then + 1, ("elif", "else", "fi"))
        arms.append((parse(tokens[at + 1 : then]), parse(tokens[then + 1 : end])))
        if tokens[end] != "elif":
            break
        at = end
    if tokens[end] == "else":
        fi = _end_of(tokens, end + 1, ("fi",))
        otherwise = parse(tokens[end + 1 : fi])
        end = fi
    statements.append(("if", tuple(arms), otherwise))
    return end + 1


def _parse_block(tokens: tuple[str, ...], at: int, statements: list[tuple[object, ...]]) -> int:
    opened = tokens.index("{", at)
    depth, end = 1, opened + 1
    while depth:
        depth += {"{": 1, "}": -1}.get(tokens[end], 0)
        end += 1
    name = tokens[at + 1 if tokens[at] == "function" else tokens.index("--id", at) + 1]
    statements.append((tokens[at], name, parse(tokens[opened + 1 : end - 1])))
    return end


def _end_of(tokens: tuple[str, ...], at: int, words: tuple[str, ...]) -> int:
    """Find a word at the same depth, where a command may begin."""
    depth = 0
    while True:
        begins = at == 0 or tokens[at - 1] in (";", "then", "else", "do")
        word = tokens[at]
        if depth == 0 and begins and word in words:
            return at
        if begins and word in _OPENERS:
            depth += 1
        elif begins and word in _OPENERS.values():
            depth -= 1
        at += 1


@dataclass
class Shell:
    """Runs scripts; commands say by a bool whether they went well."""

    commands: dict[str, Callable[[list[str]], bool]]
    variables: dict[str, str] = field(default_factory=dict)
    functions: dict[str, Code] = field(default_factory=dict)
    menu: dict[str, Code] = field(default_factory=dict)
    status: bool = True

    def run(self, text: str) -> bool:
        """Run a script."""
        return self.execute(parse(tokens_of(text)))

    def execute(self, code: Code) -> bool:
        """Run what was parsed."""
        for statement in code:
            match statement:
                case ("run", parts):
                    for words in parts:
                        self.status = self._command(words)
                        if not self.status:
                            break
                case ("if", arms, otherwise):
                    self._if(arms, otherwise)
                case ("for", name, tokens, body):
                    for word in [w for token in tokens for w in self.expand(token).split()]:
                        self.variables[name] = word
                        self.execute(body)
                case ("function", name, body):
                    self.functions[name] = body
                case ("menuentry", name, body):
                    self.menu[name] = body
        return self.status

    def _if(self, arms, otherwise: Code) -> None:
        for condition, body in arms:
            if self.execute(condition):
                self.execute(body)
                return
        self.status = True
        self.execute(otherwise)

    def _command(self, words: tuple[str, ...]) -> bool:
        values = [value for word in words for value in self._values(word)]
        name, arguments = values[0], values[1:]
        if name in self.functions:
            try:
                return self.execute(self.functions[name])
            except Returned as exc:
                return exc.args[0] == "0"
        return self.commands[name](arguments)

    def _values(self, word: str) -> list[str]:
        expanded = self.expand(word)
        # An empty variable without quotes is no word at all; one with blanks is several.
        if "'" in word or '"' in word:
            return [expanded]
        return expanded.split()

    def expand(self, word: str) -> str:
        """Take quotes away and put variables in."""
        if "$" not in word and "'" not in word and '"' not in word:
            return word
        parts = re.findall(r"'[^']*'|\"[^\"]*\"|[^'\"]+", word)
        return "".join(
            part[1:-1] if part[0] == "'" else _VARIABLE.sub(self._value, part.strip('"'))
            for part in parts
        )

    def _value(self, match: re.Match[str]) -> str:
        return self.variables.get(match[1] or match[2], "")


def evaluate(words: list[str], missing: Collection[str] = ()) -> bool:
    """The command ``test``."""
    if words[0] == "-s":
        return words[1] not in missing
    if "-o" in words:
        at = words.index("-o")
        return evaluate(words[:at]) or evaluate(words[at + 1 :])
    if words[0] == "-n":
        return words[1] != ""
    if words[0] == "-z":
        return words[1] == ""
    left, operator, right = words
    return {"=": left == right, "!=": left != right}[operator]


@dataclass
class Writes:
    """Copies of a record, and when the power fails.

    Attributes:
        copies: What is in each; None if its checksum is wrong.
        cut_at: At which write the power fails; -1 for never.
        torn: Whether that write leaves half of itself, or nothing.
        writable: Whether writing works at all.
    """

    copies: list[dict[str, str] | None]
    cut_at: int = -1
    torn: bool = True
    writable: bool = True
    done: int = 0

    def write(self, index: int, values: dict[str, str]) -> bool:
        """Write one copy."""
        if not self.writable:
            return False
        if self.done == self.cut_at:
            if self.torn:
                self.copies[index] = None
            raise PowerCut
        self.done += 1
        self.copies[index] = values
        return True


class UBootMachine:
    """A board whose U-Boot runs a script."""

    def __init__(self, uenv: dict[str, str], writes: Writes, missing: set[str]) -> None:
        self.uenv = uenv
        self.writes = writes
        self.missing = missing
        self.memory: object = None
        self.shell = Shell(
            {
                "setenv": self._setenv,
                "test": evaluate,
                "load": self._load,
                "env": self._env,
                "fatwrite": self._fatwrite,
                "run": lambda words: self.shell.run(self.shell.variables.get(words[0], "")),
                "echo": lambda _words: True,
                "true": lambda _words: True,
                "sleep": lambda _words: True,
                "fdt": lambda _words: True,
                "reset": self._reset,
                "booti": self._boot,
                "zboot": self._boot,
            },
            {"devtype": "virtio", "devnum": "0", "distro_bootpart": "1"},
        )

    def _setenv(self, words: list[str]) -> bool:
        value = " ".join(words[1:])
        if value:
            self.shell.variables[words[0]] = value
        else:
            self.shell.variables.pop(words[0], None)
        return True

    def _load(self, words: list[str]) -> bool:
        path = words[-1]
        if path in self.missing:
            return False
        self.shell.variables["filesize"] = "200"
        if path.endswith("uEnv.txt"):
            self.memory = dict(self.uenv)
        elif path.startswith("ostrya"):
            self.memory = self.writes.copies[int(path[6])]
        else:
            self.memory = None
        return True

    def _env(self, words: list[str]) -> bool:
        names = words[words.index("200") + 1 :] if "200" in words else words[4:]
        if words[0] == "export":
            self.memory = {
                name: self.shell.variables[name] for name in names if name in self.shell.variables
            }
            return True
        if not isinstance(self.memory, dict):
            return False
        for name in names:
            self._setenv([name, self.memory.get(name, "")])
        return True

    def _fatwrite(self, words: list[str]) -> bool:
        assert isinstance(self.memory, dict)
        return self.writes.write(int(words[-2][6]), dict(self.memory))

    def _reset(self, _words: list[str]) -> bool:
        raise Reset

    def _boot(self, _words: list[str]) -> bool:
        raise Started(self.shell.variables["bootargs"].split())


class GrubMachine:
    """A machine whose GRUB reads a ``grub.cfg``, and waits until the menu's time is over."""

    def __init__(self, writes: Writes, missing: set[str]) -> None:
        self.writes = writes
        self.missing = missing
        self.loaded: list[str] = []
        self.shell = Shell(
            {
                "set": self._set,
                "[": lambda words: evaluate(words[:-1], missing),
                "load_env": self._load_env,
                "save_env": self._save_env,
                "linux": self._linux,
                "initrd": lambda words: words[0] not in self.missing,
                "boot": self._boot,
                "return": self._return,
                "echo": lambda _words: True,
                "true": lambda _words: True,
                "sleep": lambda _words: True,
                "search": lambda _words: True,
                "reboot": self._reset,
            },
            {"ostrya_dev": "hd0,gpt2"},
        )

    def run(self, text: str) -> None:
        """Read the file, and start the default."""
        self.shell.run(text)
        self.shell.execute(self.shell.menu[self.shell.variables["default"]])

    def _set(self, words: list[str]) -> bool:
        name, _, value = words[0].partition("=")
        self.shell.variables[name] = value
        return True

    def _load_env(self, words: list[str]) -> bool:
        found = self.writes.copies[0]
        if found is None:
            return False
        self.shell.variables.update({name: found[name] for name in words[2:] if name in found})
        return True

    def _save_env(self, words: list[str]) -> bool:
        return self.writes.write(0, {name: self.shell.variables[name] for name in words[2:]})

    def _linux(self, words: list[str]) -> bool:
        self.loaded = words[1:]
        return words[0] not in self.missing

    def _boot(self, _words: list[str]) -> bool:
        raise Started(self.loaded)

    def _return(self, words: list[str]) -> bool:
        raise Returned(words[0])

    def _reset(self, _words: list[str]) -> bool:
        raise Reset
