"""What builds leave for the next one: written whole, at the end, and only where something is new."""

from pathlib import Path

from cutaway.state import Notes


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    notes = Notes(tmp_path / "notes.json")
    notes["pages"] = {"a": "1"}
    assert not (tmp_path / "notes.json").exists()  # a build that is killed leaves nothing
    notes.write()
    again = Notes(tmp_path / "notes.json")
    assert again["pages"] == {"a": "1"} and "pages" in again
    assert again["others"] == {} and "others" not in again


def test_nothing_new_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "notes.json"
    notes = Notes(path)
    notes["pages"] = {"a": "1"}
    notes.write()
    path.unlink()
    notes["pages"] = {"a": "1"}
    notes.write()
    assert not path.exists()
    notes["pages"] = {"a": "2"}
    notes.write()
    assert Notes(path)["pages"] == {"a": "2"}


def test_what_is_dropped_is_gone_at_once_and_nothing_else(tmp_path: Path) -> None:
    notes = Notes(tmp_path / "notes.json")
    notes["addresses"], notes["pages"] = {"a": 1}, {"b": "2"}
    notes.write()
    Notes(tmp_path / "notes.json").drop("addresses")
    assert "addresses" not in Notes(tmp_path / "notes.json")
    assert Notes(tmp_path / "notes.json")["pages"] == {"b": "2"}


def test_a_damaged_file_is_an_empty_one(tmp_path: Path) -> None:
    for text in ("{", "[1, 2]", '{"pages": 5}', ""):
        (tmp_path / "notes.json").write_text(text, "utf-8")
        assert Notes(tmp_path / "notes.json")["pages"] == {}
