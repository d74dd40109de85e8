"""Files of adjustments as people make them: good ones give the same rows, bad ones say why."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_helpers.runbooks.row_checks import REASON_ROOM, Problem, SheetRow
from loyalty_helpers.runbooks.sheet import read_sheet

PHONE = "+14155550101"
CLEAN = f"phone_number,points,reason\n{PHONE},10,Late\n+14155550103,-4,Twice\n"
ROWS = [
    SheetRow(2, "", PHONE, "", "", 10, "Late"),
    SheetRow(3, "", "+14155550103", "", "", -4, "Twice"),
]


def read(folder: Path, content: str | bytes, **limits: int) -> list[SheetRow | Problem]:
    path = folder / "sheet.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_sheet(path, **limits))


def told(folder: Path, content: str | bytes) -> str:
    found = read(folder, content)
    assert all(isinstance(item, Problem) for item in found), found
    return "\n".join(map(str, found))


GOOD = {
    "byte order mark": "\ufeff" + CLEAN,
    "CRLF": CLEAN.replace("\n", "\r\n"),
    "lone CR": CLEAN.replace("\n", "\r"),
    "no newline at the end": CLEAN.rstrip("\n"),
    "semicolons": CLEAN.replace(",", ";"),
    "tabs": CLEAN.replace(",", "\t"),
    "header in another case": CLEAN.replace("phone_number,points", " Phone_Number ,POINTS"),
    "columns in another order": f"reason,phone_number,points\nLate,{PHONE},10\n"
    "Twice,+14155550103,-4\n",
    "separators in the number": CLEAN.replace(PHONE, "+1 (415) 555-0101"),
}


@pytest.mark.parametrize("content", GOOD.values(), ids=GOOD)
def test_the_same_rows_as_the_clean_file(tmp_path: Path, content: str) -> None:
    assert ROWS == read(tmp_path, content)


def test_blank_lines_count_as_lines_and_are_no_rows(tmp_path: Path) -> None:
    blank = CLEAN.replace("\n+1415555010", "\n\n,,\n+1415555010", 1)

    assert [4, 5] == [row.line for row in read(tmp_path, blank)]


@pytest.mark.parametrize(
    "reason", ["two\nlines", 'a "quote"', "=HYPERLINK(1)", "❤ für Ana", "<b>bold</b>"]
)
def test_a_reason_is_kept_as_it_is(tmp_path: Path, reason: str) -> None:
    quoted = '"' + reason.replace('"', '""') + '"'
    [row] = read(tmp_path, f"account_id,points,reason\na1,1,{quoted}\n")

    assert reason == row.reason


def test_the_files_own_row_ids(tmp_path: Path) -> None:
    rows = read(tmp_path, "row_id,account_id,points,reason\nx,a1,1,r\ny,a1,1,r\n")

    assert ["x", "y"] == [row.row_id for row in rows]


BAD_FILES = {
    "empty": (b"", "the file: found an empty file"),
    "header only": (b"phone_number,points,reason\n", "found a header and nothing below it"),
    "no text": (b"\x00\x01\x02", "the file: found NUL bytes"),
    "workbook": (b"PK\x03\x04\x14\x00\xff", "found an Excel workbook"),
    "UTF-16": (CLEAN.encode("utf-16"), "found what looks like UTF-16"),
    "Latin-1": (CLEAN.replace("Late", "Für").encode("latin-1"), "Windows-1252 (Latin-1)"),
    "unknown column": (CLEAN.replace("reason", "reasn"), "the nearest is reason"),
    "doubled column": (CLEAN.replace("reason", "points"), "found 2 columns of this name"),
    "no points": ("phone_number,reason\n+14155550101,x\n", "line 1, points: found no such column"),
    "no buyer column": ("points,reason\n1,x\n", "found no column that names the buyer"),
    "no header": ("+14155550101,1,x\n", "found no header"),
    "open quote": ('account_id,points,reason\na1,1,"open\n', "every quote closed"),
    "too few cells": ("account_id,points,reason\na1,1\n", "found 2 cells; allowed: 3"),
    "too many cells": ("account_id,points,reason\na1,1,a,b\n", "found 4 cells; allowed: 3"),
}


@pytest.mark.parametrize(("content", "message"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_that_is_no_sheet(tmp_path: Path, content: bytes | str, message: str) -> None:
    assert message in told(tmp_path, content)


BAD_CELLS = [
    ("phone_number", "1.41556E+10", "Excel turned the number"),
    ("phone_number", "4155550101", "a plus and the country code"),
    ("phone_number", "+1415555012", "a number that exists"),
    ("phone_number", "0", "a plus and the country code"),
    ("phone_number", "+abc", "a number that exists"),
    ("points", "0", "any whole number but 0"),
    ("points", "", "an empty cell is not taken for 0"),
    ("points", "10.0", "without points or commas"),
    ("points", "1.5", "without points or commas"),
    ("points", '"1,000"', "without points or commas"),
    ("points", "1e3", "digits written out"),
    ("points", "+5", "without a plus"),
    ("points", "five", "in digits and nothing else"),
    ("points", "NaN", "an empty cell"),
    ("points", "007", "without zeros before it"),
    ("points", "2147483648", "32 bits"),
    ("points", "-2147483649", "32 bits"),
    ("points", "10001", "a larger max_points allows more"),
    ("reason", "", "a text that says why"),
    ("reason", "x" * (REASON_ROOM + 1), "up to 3477 characters, found 3478"),
    ("reason", "mine [lr1:aaaa]", "without '[lr1:'"),
    ("row_id", " x", "1 to 64 printable characters"),
    ("undoes", "../x", "an id of Square"),
]


@pytest.mark.parametrize(("column", "cell", "message"), BAD_CELLS)
def test_a_cell_that_is_wrong(tmp_path: Path, column: str, cell: str, message: str) -> None:
    cells = {"row_id": "1", "phone_number": PHONE, "points": "1", "reason": "r", "undoes": ""}
    cells[column] = cell
    text = told(tmp_path, f"{','.join(cells)}\n{','.join(cells.values())}\n")

    assert text.startswith(f"line 2, {column}: found ")
    assert message in text


def test_the_longest_reason_is_taken(tmp_path: Path) -> None:
    [row] = read(tmp_path, f"account_id,points,reason\na1,1,{'x' * REASON_ROOM}\n")

    assert REASON_ROOM == len(row.reason)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (f"{PHONE},c1,,1,r", ""),
        (",c1,a1,1,r", "customer_id and account_id"),
        (",,,1,r", "no buyer"),
    ],
)
def test_one_way_to_name_the_buyer(tmp_path: Path, cells: str, message: str) -> None:
    [found] = read(tmp_path, f"phone_number,customer_id,account_id,points,reason\n{cells}\n")

    assert bool(message) == isinstance(found, Problem)
    assert message in str(found)


def test_all_problems_of_all_rows_at_once(tmp_path: Path) -> None:
    text = told(tmp_path, "phone_number,points,reason\n123,0,\n+1,x,y\n")

    assert ["line 2"] * 3 + ["line 3"] * 2 == [line[:6] for line in text.splitlines()]


def test_no_problem_shows_a_phone_number(tmp_path: Path) -> None:
    assert "4155550101" not in told(tmp_path, "phone_number,points,reason\n14155550101,1,x\n")


@pytest.mark.parametrize("kind", ["folder", "link", "missing"])
def test_only_a_regular_file_is_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "odd.csv"
    if kind == "folder":
        path.mkdir()
    if kind == "link":
        path.symlink_to(tmp_path / "elsewhere.csv")
    [problem] = read_sheet(path)

    assert problem.line == 0


ANYTHING = st.binary(max_size=300) | st.text('phone_number,points;reason\n\r"+145\t', max_size=80)


@given(ANYTHING)
def test_whatever_the_file_holds_it_is_read_to_its_end(
    tmp_path_factory: pytest.TempPathFactory, content: bytes | str
) -> None:
    found = read(tmp_path_factory.mktemp("s"), content)

    assert all(isinstance(item, SheetRow | Problem) for item in found)
