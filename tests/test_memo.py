"""What is remembered is what was found, until its inputs change; a store that can't be written harms nothing."""

from pathlib import Path

from cutaway import made_with
from cutaway.memo import Memo
from cutaway.store import Store


def never() -> str:
    raise AssertionError("it is known")


def test_a_memo_is_kept_while_its_inputs_stay(tmp_path: Path) -> None:
    memo = Memo(Store(tmp_path), "keys", "inputs")
    assert memo.get("a", lambda: "found") == "found"
    assert memo.get("a", never) == "found"
    assert memo.get("b", lambda: None) is None
    assert Memo(Store(tmp_path), "keys", "inputs").get("a", lambda: "not kept yet") == "not kept yet"
    memo.keep()
    again = Memo(Store(tmp_path), "keys", "inputs")
    assert again.get("a", never) == "found"
    assert again.get("b", lambda: "now") == "now"  # None was not remembered
    for other in (Memo(Store(tmp_path), "keys", "others"), Memo(Store(tmp_path), "names", "inputs")):
        assert other.get("a", lambda: "anew") == "anew"


def test_a_memo_does_without_a_place(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("in the way")
    memo = Memo(Store(tmp_path / "store"), "keys", "inputs")
    assert memo.get("a", lambda: "found") == "found"
    memo.keep()
    assert memo.get("a", never) == "found"


def test_who_lacks_a_package_takes_what_made_it_elsewhere(tmp_path: Path) -> None:
    store, all = Store(tmp_path), {"torch": "2.13.0", "numpy": "2.3"}
    lacking = {"torch": None, "numpy": "2.2"}
    assert made_with.completed(store, "run", lacking) == lacking
    made_with.note(store, "run", lacking)  # made without torch: it needs none, and says nothing of it
    assert made_with.completed(store, "run", lacking) == lacking
    made_with.note(store, "run", all)
    assert made_with.completed(store, "run", lacking) == all
    assert made_with.completed(store, "run", {"torch": "2.12", "numpy": "2.2"}) == {"torch": "2.12", "numpy": "2.2"}
    assert made_with.completed(store, "another", lacking) == lacking
