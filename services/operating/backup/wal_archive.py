"""The archive of PostgreSQL's write-ahead log: segments of 16 MB, in stretches without a gap."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

SEGMENT_BYTES = 16 << 20
_SEGMENTS_OF_NAME = 0x100
_HEADER_BYTES = 40
_REST_OF_RECORD = slice(16, 20)
_PAGE_HEADERS_SHARE = 100  # more than they take of a record that goes over many pages
_NAME = re.compile(r"(?P<timeline>[0-9A-F]{8})(?P<high>[0-9A-F]{8})(?P<low>[0-9A-F]{8})(?P<partial>\.partial)?")
_PART = re.compile(r"^(\d+)\t([0-9A-F]+/[0-9A-F]+)\t", re.MULTILINE)
_HISTORY = re.compile(r"[0-9A-F]{8}\.history")


@dataclass(frozen=True)
class Segment:
    """One file, and which part of the log it has. `partial`: it is being received still."""

    file: Path
    name: str
    timeline: int
    number: int
    partial: bool

    @classmethod
    def of(cls, file: Path) -> "Segment | None":
        """None for a file that is no segment."""
        found = _NAME.fullmatch(file.name)
        if found is None:
            return None
        number = int(found["high"], 16) * _SEGMENTS_OF_NAME + int(found["low"], 16)
        return cls(file, file.name[:24], int(found["timeline"], 16), number, bool(found["partial"]))

    def begins_a_record(self) -> bool:
        """Whether it has more than the rest of a record that began before it: then that one is whole, too."""
        has = self.file.read_bytes().rstrip(b"\0")
        rest = int.from_bytes(has[_REST_OF_RECORD], "little")
        return len(has) > _HEADER_BYTES + rest + rest // _PAGE_HEADERS_SHARE

    def reaches_further(self, other: "Segment") -> bool:
        """Whether it has more of the log than another file of the same part: what is not received is zeros."""
        return len(self.file.read_bytes().rstrip(b"\0")) > len(other.file.read_bytes().rstrip(b"\0"))


def segment_number(position: str) -> int:
    """In which segment a position of the write-ahead log is, such as 0/4000028."""
    high, _, low = position.partition("/")
    return ((int(high, 16) << 32) + int(low, 16)) // SEGMENT_BYTES


def segments_in(folder: Path) -> Iterator[Segment]:
    """Those of a folder, in the order of the log."""
    found = (Segment.of(file) for file in sorted(folder.glob("*")))
    yield from (segment for segment in found if segment)


@dataclass(frozen=True)
class WalArchive:
    """A folder with a folder for each stretch: `<timeline>-<when it was begun>`."""

    path: Path

    def stretches(self) -> list[Path]:
        """The earliest first."""
        return sorted((each for each in self.path.glob("*-*") if each.is_dir()), key=lambda each: each.name[9:])

    def newest(self, timeline: int) -> Path | None:
        """The stretch that goes on, where the newest is of this timeline."""
        last = self.stretches()[-1:]
        return last[0] if last and last[0].name.startswith(f"{timeline:08X}-") else None

    def begin(self, timeline: int, now: datetime) -> Path:
        """A new stretch."""
        made = self.path / f"{timeline:08X}-{now:%Y%m%dT%H%M%S%fZ}"
        self.path.mkdir(exist_ok=True, mode=0o700)
        made.mkdir(mode=0o700)
        return made

    def segments(self, first: int) -> Iterator[Segment]:
        """Those that have the log from a segment's number on."""
        for stretch in self.stretches():
            yield from (segment for segment in segments_in(stretch) if segment.number >= first)

    def histories(self) -> Iterator[Path]:
        """The files that say where timelines part."""
        for stretch in self.stretches():
            yield from (file for file in stretch.glob("*.history") if _HISTORY.fullmatch(file.name))

    def complete(self) -> dict[str, Path]:
        """The files that nothing will change any more, by their path in the archive."""
        found = [segment.file for segment in self.segments(0) if not segment.partial]
        return {file.relative_to(self.path).as_posix(): file for file in (*found, *self.histories())}


def furthest(segments: Iterator[Segment]) -> dict[str, Segment]:
    """Of several files for the same part of the log the one that has most of it, by the segment's name."""
    chosen: dict[str, Segment] = {}
    for segment in segments:
        known = chosen.get(segment.name)
        if known is None or segment.reaches_further(known):
            chosen[segment.name] = segment
    return chosen


@dataclass(frozen=True)
class Timelines:
    """The way that replay goes: along each earlier timeline up to a segment, then along the newest.

    What was written elsewhere was given up by a restore.
    """

    newest: int
    ends: Mapping[int, int]

    @classmethod
    def of(cls, histories: Iterable[Path]) -> "Timelines":
        """As the newest history has it; without one there is one timeline alone."""
        newest = max(histories, key=lambda file: file.name, default=None)
        if newest is None:
            return cls(1, {})
        parts = _PART.findall(newest.read_text(encoding="ascii"))
        return cls(int(newest.name[:8], 16), {int(timeline): segment_number(end) for timeline, end in parts})

    def lead_by(self, timeline: int, number: int) -> bool:
        """Whether the way goes by that segment."""
        return timeline >= self.newest or number <= self.ends.get(timeline, -1)


def gaps(first: int, segments: dict[str, Segment]) -> list[int]:
    """The numbers of the segments that are missing between the first that is needed and the last that is there."""
    there = {segment.number for segment in segments.values()}
    return [number for number in range(first, max(there, default=first) + 1) if number not in there]


def segment_name(timeline: int, number: int) -> str:
    """What PostgreSQL calls that segment."""
    high, low = divmod(number, _SEGMENTS_OF_NAME)
    return f"{timeline:08X}{high:08X}{low:08X}"
