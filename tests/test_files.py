"""Files are written whole or not at all."""

import json
import os

import pytest

from loyalty_helpers.files import write_json, write_text


def test_a_file_is_readable_by_its_owner_only(tmp_path):
    write_text(tmp_path / "new" / "file", "text\n")

    written = tmp_path / "new" / "file"
    assert ("text\n", 0o600) == (written.read_text(), written.stat().st_mode & 0o777)


def test_a_file_that_is_made_to_be_committed_may_be_read_by_all(tmp_path):
    write_text(tmp_path / "file", "", mode=0o644)

    assert 0o644 == (tmp_path / "file").stat().st_mode & 0o777


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, failing):
    def fail(*_):
        raise OSError(28, "No space left on device")

    write_text(tmp_path / "file", "old")
    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(OSError, match="No space left"):
        write_text(tmp_path / "file", "new")

    assert [("file", "old")] == [(each.name, each.read_text()) for each in tmp_path.iterdir()]


def test_a_text_that_cannot_be_written_leaves_the_old_file(tmp_path):
    write_text(tmp_path / "file", "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(tmp_path / "file", "\ud800")

    assert [("file", "old")] == [(each.name, each.read_text()) for each in tmp_path.iterdir()]


def test_newlines_are_the_same_on_every_system(tmp_path):
    write_text(tmp_path / "file", "a\nb\n")

    assert b"a\nb\n" == (tmp_path / "file").read_bytes()


def test_json_is_indented_and_ends_in_a_newline(tmp_path):
    write_json(tmp_path / "file", {"reason": "Zürich 😀"})

    text = (tmp_path / "file").read_text(encoding="utf-8")
    assert '{\n  "reason": "Zürich 😀"\n}\n' == text
    assert {"reason": "Zürich 😀"} == json.loads(text)
