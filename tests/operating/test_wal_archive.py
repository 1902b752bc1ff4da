"""Which files of an archive have the log that is replayed."""

from pathlib import Path

import pytest

from services.operating.backup.wal_archive import (
    Segment,
    Timelines,
    WalArchive,
    furthest,
    gaps,
    segment_name,
    segment_number,
)


def segment(folder: Path, timeline: int, number: int, content: bytes = b"x", *, partial: bool = False) -> Segment:
    file = folder / (segment_name(timeline, number) + (".partial" if partial else ""))
    file.write_bytes(content + bytes(8))
    made = Segment.of(file)
    assert made
    return made


@pytest.mark.parametrize(("position", "number"), [("0/0", 0), ("0/4000028", 4), ("1/0", 256), ("2/FF000000", 767)])
def test_a_position_is_in_a_segment(position: str, number: int):
    assert segment_number(position) == number


def test_a_name_says_timeline_and_number(tmp_path: Path):
    made = segment(tmp_path, 3, 767, partial=True)
    assert (made.name, made.timeline, made.number, made.partial) == ("0000000300000002000000FF", 3, 767, True)
    assert Segment.of(tmp_path / "00000002.history") is None


def test_of_two_files_that_which_has_more_is_taken(tmp_path: Path):
    (tmp_path / "other").mkdir()
    less, more = segment(tmp_path, 1, 4, b"ab"), segment(tmp_path / "other", 1, 4, b"abc", partial=True)
    assert furthest(iter([less, more])) == furthest(iter([more, less])) == {more.name: more}


def test_a_gap_is_between_what_is_needed_and_what_is_there(tmp_path: Path):
    found = {each.name: each for each in (segment(tmp_path, 1, 5), segment(tmp_path, 2, 8))}
    assert (gaps(4, found), gaps(5, found), gaps(8, found)) == ([4, 6, 7], [6, 7], [])


def test_what_a_restore_has_left_is_not_replayed(tmp_path: Path):
    """Timeline 3 begins in segment 5 of the first; what 1 has after it, and all that 2 has, was given up."""
    (tmp_path / "00000003.history").write_text("1\t0/5000148\tno recovery target specified\n")
    (tmp_path / "00000002.history").write_text("1\t0/7000148\tno recovery target specified\n")
    way = Timelines.of(tmp_path.glob("*.history"))
    places = ((1, 4), (1, 5), (1, 6), (2, 7), (3, 5), (3, 6))
    assert [place for place in places if way.lead_by(*place)] == [(1, 4), (1, 5), (3, 5), (3, 6)]
    assert Timelines.of([]).lead_by(1, 6)


def test_a_stretch_goes_on_in_its_own_timeline_alone(tmp_path: Path):
    archive = WalArchive(tmp_path / "wal")
    (archive.path / "00000002-20260101T000000Z").mkdir(parents=True)
    (archive.path / "00000001-20250101T000000Z").mkdir()
    assert (archive.newest(1), archive.newest(2)) == (None, archive.path / "00000002-20260101T000000Z")
