"""Files of adjustments as people make them: good ones give the same rows, bad ones say why."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyalty_helpers.errors import ParameterError
from loyalty_helpers.runbooks.csv_files import guarded, unguarded, write_csv
from loyalty_helpers.runbooks.plan import Problem, Row, read_columns, read_sheet
from loyalty_helpers.runbooks.plan.rows import REASON_ROOM

PHONE = "+14155550101"
CLEAN = f"phone_number,points,reason\n{PHONE},10,Late\n+14155550103,-4,Twice\n"
ROWS = [
    Row(line=2, phone_number=PHONE, points=10, reason="Late"),
    Row(line=3, phone_number="+14155550103", points=-4, reason="Twice"),
]


def read(folder: Path, content: str | bytes, **limits: Any) -> list[Row | Problem]:
    path = folder / "sheet.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_sheet(path).rows(**limits))


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


HEAD = "phone_number,points,reason\n"
EXAMPLE = "a plus and the country code before the number, such as +14155551234"
CELLS = "3 as in the header; a cell with a separator in it stands in quotes"
SQUARE = (
    "Reference ID,First Name,Last Name,Email Address,Phone Number,Memo,Square Customer ID,"
    "points,reason\n,Ana,Example,ana@example.com,'+14155550101,,KSUXURMVGUGEZRRZTMA3K4VEMF,10,"
    "Late order\n"
)
COLUMNS = (
    "Phone Number=phone_number, Square Customer ID=customer_id, Reference ID=-, First Name=-,"
    "Last Name=-, Email Address=-, Memo=-"
)


@pytest.mark.parametrize(
    "content",
    [
        f"phone_number,points,reason,,\n{PHONE},10,Late,,\n,,,,\n",
        f"{HEAD}{PHONE},10,Late,,\n,,\n",
        f"phone_number,points,reason,,\n{PHONE},10,Late\n",
        f",phone_number,points,reason\n,{PHONE},10,Late\n",
        f"{HEAD}'{PHONE},10,Late\n",
        f"{HEAD}{PHONE}, 10 ,Late\n",
        f"{HEAD}+1\u00a0(415)\u00a0555\u20110101,10,Late\n",
        f"phone_number, points, reason\n{PHONE}, 10, Late\n",
    ],
)
def test_what_does_no_harm_is_passed_over(tmp_path: Path, content: str) -> None:
    assert [Row(line=2, phone_number=PHONE, points=10, reason="Late")] == read(tmp_path, content)


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;;;"])
def test_a_line_that_tells_the_separator_is_no_header(tmp_path: Path, first: str) -> None:
    content = f"{first}\nphone_number;points;reason\n{PHONE};10;Late\n"

    assert [Row(line=3, phone_number=PHONE, points=10, reason="Late")] == read(tmp_path, content)


def test_a_space_before_a_quote_where_all_cells_have_one(tmp_path: Path) -> None:
    content = f'phone_number, points, reason\n{PHONE}, 10, "Late, again"\n'

    assert [Row(line=2, phone_number=PHONE, points=10, reason="Late, again")] == read(
        tmp_path, content
    )


def test_a_number_with_a_trunk_zero_is_read_in_its_normal_form(tmp_path: Path) -> None:
    [row] = read(tmp_path, f"{HEAD}+44 (0)20 7946 0958,10,Late\n")

    assert "+442079460958" == row.phone_number


def test_an_export_of_square_loads_with_columns(tmp_path: Path) -> None:
    found = read(tmp_path, SQUARE, columns=read_columns(COLUMNS))

    assert [
        Row(
            line=2,
            phone_number=PHONE,
            customer_id="KSUXURMVGUGEZRRZTMA3K4VEMF",
            points=10,
            reason="Late order",
        )
    ] == found


WHOLE = {
    "national": (
        f'{HEAD}4155550101,10,Late\n"(415) 555-0103",10,Late\n',
        (
            f"line 2, phone_number: found '******0101'; allowed: {EXAMPLE}\n"
            f"line 3, phone_number: found '***0103'; allowed: {EXAMPLE}"
        ),
    ),
    "escaped": (
        f"{HEAD}(415)\u00a0555\u20110101\u2028,1,x\n",
        f"line 2, phone_number: found '***0101\\u2028'; allowed: {EXAMPLE}",
    ),
    "row id": (
        "row_id,phone_number,points,reason\n2026-11-28-001,,5,x\n",
        (
            "line 2, row 2026-11-28-001: found no buyer; allowed: one of phone_number, "
            "customer_id, account_id"
        ),
    ),
    "filled without a name": (
        f"phone_number,points,reason,,\n{PHONE},10,Late,,x\n",
        (
            "line 2: found 'x' in a column without a name; allowed: a name for the column in the "
            "header, or nothing in its cells"
        ),
    ),
    "filled beyond the header": (
        f"{HEAD}{PHONE},10,Late,x\n",
        f"line 2: found 4 cells; allowed: {CELLS}",
    ),
    "another separator": (
        f"sep=|\nphone_number|points|reason\n{PHONE}|1|x\n",
        "line 2: found the separator '|'; allowed: a comma, a semicolon or a tab between columns",
    ),
    "space before a quote": (
        f'{HEAD}{PHONE},10, "Late, again"\n',
        (
            "line 2: found a space before a quote; allowed: a quote right behind the separator, or "
            "none"
        ),
    ),
    "minus as a name": (
        f"-,phone_number,points,reason\nx,{PHONE},1,x\n",
        (
            "line 1: found the column '-'; allowed: phone_number, customer_id, account_id, points, "
            "reason, row_id, undoes; the parameter columns maps a name to another, or to '-' to "
            "leave it out"
        ),
    ),
}


@pytest.mark.parametrize(("content", "problems"), WHOLE.values(), ids=WHOLE)
def test_what_is_wrong_is_told_whole(tmp_path: Path, content: str, problems: str) -> None:
    assert problems == told(tmp_path, content)


def test_a_name_in_columns_that_the_file_does_not_have(tmp_path: Path) -> None:
    found = read(tmp_path, CLEAN, columns=read_columns("Memo=-"))

    assert (
        "line 1: found no column 'memo', which columns names; allowed: names of the file: "
        "'phone_number, points, reason'"
    ) == "\n".join(map(str, found))


@pytest.mark.parametrize("text", ["x=pints", "Memo", "=points", "a=points, b=points", "a=-, A=-"])
def test_columns_that_map_to_nothing_are_refused(text: str) -> None:
    with pytest.raises(ParameterError, match=r"columns: found .*; allowed: the file's names and"):
        read_columns(text)


@pytest.mark.parametrize(
    "reason", ["FÃ¼r Ana", "F\ufffdr Ana", "lâ€™Ã©tÃ©", "Ã\x81", "\u00f0\u0178\u02dc\u20ac"]
)
@pytest.mark.parametrize("column", ["reason", "row_id"])
def test_a_file_that_lost_its_accents_is_told(tmp_path: Path, column: str, reason: str) -> None:
    cells = {"row_id": "1", "account_id": "a1", "points": "1", "reason": "r", column: reason}
    text = told(tmp_path, f"{','.join(cells)}\n{','.join(cells.values())}\n")

    assert f"{column}: found " in text
    assert "they were lost when the file was saved" in text or "printable" in text


@pytest.mark.parametrize(
    "reason", ["Für Ana", "CAFÉ\u2019S", "CAFÉ\u2013BAR", "« Né »", "Ã", "日本語", "£5"]
)
def test_accents_that_are_whole_stay(tmp_path: Path, reason: str) -> None:
    [row] = read(tmp_path, f"account_id,points,reason\na1,1,{reason}\n")

    assert reason == row.reason


GUARDED = ["=1", "+1", "-1", "@x", "\tx", "\rx", "\nx", "＝1", "＋1", "－1", "＠x", "'=1", "''+1"]  # noqa: RUF001 - the full width is the point


@pytest.mark.parametrize("text", GUARDED)
def test_a_formula_is_guarded_and_comes_back_as_it_was(text: str) -> None:
    assert (f"'{text}", text) == (guarded(text), unguarded(guarded(text)))


@pytest.mark.parametrize("text", ["x", "'x", "''", "", "'", "1"])
def test_what_is_no_formula_is_neither_guarded_nor_changed(text: str) -> None:
    assert (text, text) == (guarded(text), unguarded(text))


def test_what_we_write_is_read_again_as_it_was(tmp_path: Path) -> None:
    path, reason = tmp_path / "undo.csv", "=Für Ana"
    names = ("row_id", "account_id", "points", "reason", "undoes")
    cells = ("-1", "a1", -10, reason, "e1")
    write_csv(path, names, [cells])

    assert path.read_bytes().startswith(b"\xef\xbb\xbfrow_id")
    assert [
        Row(line=2, row_id="-1", account_id="a1", points=-10, reason=reason, undoes="e1")
    ] == list(read_sheet(path).rows())


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

    row = "" if column == "row_id" else "row 1, "
    assert text.startswith(f"line 2, {row}{column}: found ")
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
    [problem] = read_sheet(path).rows()

    assert problem.line == 0


ANYTHING = st.binary(max_size=300) | st.text('phone_number,points;reason\n\r"+145\t', max_size=80)


@given(ANYTHING)
def test_whatever_the_file_holds_it_is_read_to_its_end(
    tmp_path_factory: pytest.TempPathFactory, content: bytes | str
) -> None:
    found = read(tmp_path_factory.mktemp("s"), content)

    assert all(isinstance(item, Row | Problem) for item in found)


@pytest.mark.parametrize("row_id", ["+14155550199", "(415) 555-0199", "020 7946 0199"])
def test_a_row_id_that_is_a_phone_number_is_refused_and_not_shown(
    tmp_path: Path, row_id: str
) -> None:
    text = told(tmp_path, f"row_id,account_id,points,reason\n{row_id},a1,1,r\n")

    assert "line 2, row_id: found '***0199'; allowed: a text without a phone number" in text
    assert row_id not in text


@pytest.mark.parametrize("row_id", ["4711", "2026-11-28", "order 2026112801", "A-415-2026"])
def test_dates_and_numbers_of_orders_are_row_ids(tmp_path: Path, row_id: str) -> None:
    [row] = read(tmp_path, f"row_id,account_id,points,reason\n{row_id},a1,1,r\n")

    assert row_id == row.row_id


@pytest.mark.parametrize("column", ["account_id", "customer_id"])
def test_a_phone_number_as_an_id_is_refused_and_not_shown(tmp_path: Path, column: str) -> None:
    text = told(tmp_path, f"{column},points,reason\n4155550199,1,r\n")

    assert f"line 2, {column}: found '******0199'; allowed: an id of Square" in text
