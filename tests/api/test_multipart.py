"""multipart/form-data as clients in the wild write it, byte by byte if need be."""

from pathlib import Path

import pytest

from linocut.api.body import Fields, form_values
from linocut.api.multipart import MAX_TEXT_BYTES, FormReader, Part, boundary_of
from linocut.errors import InvalidRequest, TooLarge
from linocut.files import sha256_hex


def part(disposition: str, data: bytes, content_type: str = "") -> bytes:
    """One part's headers and content."""
    kind = f"Content-Type: {content_type}\r\n" if content_type else ""
    return f"Content-Disposition: form-data; {disposition}\r\n{kind}\r\n".encode() + data


def body(boundary: str, *parts: bytes) -> bytes:
    """A whole body."""
    mark = boundary.encode()
    return b"".join(b"--" + mark + b"\r\n" + one + b"\r\n" for one in parts) + b"--" + mark + b"--\r\n"


def read(data: bytes, boundary: str, spool: Path | None = None, step: int = 0) -> list[Part]:
    reader = FormReader(boundary.encode(), spool, frozenset({"files"}))
    for start in range(0, len(data), step or len(data) or 1):
        reader.feed(data[start : start + (step or len(data) or 1)])
    return reader.parts()


@pytest.mark.parametrize("boundary", ["+++", "x", "----WebKitFormBoundary7MA4YWxkTrZu0gW", "a'()+_,-./:=?b", "0" * 200])
@pytest.mark.parametrize("step", [0, 1, 7])
def test_any_boundary_in_any_pieces(boundary: str, step: int, tmp_path: Path) -> None:
    picture = bytes(range(256)) * 3 + b"\r\n--" + boundary.encode()[:-1] + b"!\r\n"
    data = body(
        boundary,
        part('name="prompt"', "a café".encode()),
        part('name="files"; filename="one.png"', picture, "image/png"),
        part('name="seed"', b"5", "text/plain; charset=utf-8"),
        part('name="files"; filename="one.png"', b"", "application/octet-stream"),
    )
    parts = read(data, boundary, tmp_path, step)
    assert [(p.name, p.file_name) for p in parts] == [
        ("prompt", None), ("files", "one.png"), ("seed", None), ("files", "one.png"),
    ]  # fmt: skip
    assert parts[0].data.decode() == "a café"
    assert parts[1].path is not None
    assert parts[1].path.read_bytes() == picture
    assert parts[3].path is not None
    assert parts[3].path.read_bytes() == b""


@pytest.mark.parametrize(
    ("header", "boundary"),
    [
        ("multipart/form-data; boundary=+++", b"+++"),
        ('multipart/form-data; boundary="+++"', b"+++"),
        ("Multipart/Form-Data; charset=utf-8; Boundary=abc", b"abc"),
        ('multipart/form-data; boundary="a b;c"', b"a b;c"),
    ],
)
def test_the_boundary_in_the_header(header: str, boundary: bytes) -> None:
    assert boundary_of(header) == boundary


@pytest.mark.parametrize(
    "header", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; b=1"]
)
def test_no_boundary_in_the_header(header: str) -> None:
    with pytest.raises(InvalidRequest, match="boundary"):
        boundary_of(header)


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('name="files"; filename="a.jpg"', "a.jpg"),
        ('filename="a.jpg"; name="files"', "a.jpg"),
        ("name=files; filename=a.jpg", "a.jpg"),
        ('name="files"; filename="über ☕.jpg"', "über ☕.jpg"),
        ('name="files"; filename="C:\\fakepath\\a.jpg"', "a.jpg"),
        ('name="files"; filename="../../etc/passwd"', "passwd"),
        ('name="files"; filename="/"', ""),
        ("name=\"files\"; filename*=UTF-8''caf%C3%A9.jpg", "café.jpg"),
        ('name="files"; filename="a\tb\x7f.jpg"', "ab.jpg"),
        ('name="files"', ""),  # a file field without a name is a file all the same
    ],
)
def test_file_names(disposition: str, name: str, tmp_path: Path) -> None:
    (found,) = read(body("b", part(disposition, b"1")), "b", tmp_path)
    assert (found.name, found.file_name, found.size) == ("files", name, 1)


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("name=files; filename=\"=?utf-8?B?S8O8Y2hlLnR4dA==?=\"; filename*=utf-8''K%C3%BCche.txt", "Küche.txt"),
        ("filename*=UTF-8''%e6%97%a5%e6%9c%ac.png; name=files; filename=stand-in.png", "日本.png"),
        ('name="files"; filename="__.txt"; FileName* = utf-8\'de\'%C3%A4.txt', "ä.txt"),
        ("name=files; filename*=iso-8859-1''caf%e9.png", "café.png"),
        ("name=files; filename=\"a.png\"; filename*=utf-8''%ff.png", "a.png"),  # it cannot be read: the other counts
        ("name=files; filename=\"a.png\"; filename*=klingon''b.png", "a.png"),
        ('name=files; filename="a.png"; filename*=b.png', "a.png"),
        ("name=files; filename*0*=utf-8''K%C3%BC; filename*1=che.txt", "Küche.txt"),
        ('name=files; filename*0="a long "; filename*1="name.png"', "a long name.png"),
        ('name=files; filename="=?utf-8?B?S8O8Y2hlLnR4dA==?="', "Küche.txt"),
        ('name=files; filename="=?ISO-8859-1?Q?caf=E9_rouge.png?="', "café rouge.png"),
        ('name=files; filename="=?utf-8?B?S8O8?= =?utf-8?B?Y2hlLnR4dA==?="', "Küche.txt"),
        ('name=files; filename="=?klingon?B?S8O8?="', "=?klingon?B?S8O8?="),
        ('name=files; filename="a =?utf-8?B?S8O8?= b.png"', "a =?utf-8?B?S8O8?= b.png"),
        ('name="files"; filename="a %22quoted%22 name.png"', 'a "quoted" name.png'),
        ('name="files"; filename="two%0D%0Alines.png"', "twolines.png"),
        ('name="files"; filename="100%25 sure%20.png"', "100%25 sure%20.png"),  # no browser writes these
        ('name="files"; filename="a \\"quoted\\" name.png"', 'a "quoted" name.png'),
        ("name=files; filename=\"a; filename*=utf-8''b.png\"", "a; filename*=utf-8''b.png"),
        ('name=files; filename="a.png"; filename="b.png"', "a.png"),
        ("name=files; filename=\"a.png\"; filename*=utf-8''", "a.png"),
        ("name=files; filename*=utf8''K%C3%BCche.txt", "Küche.txt"),
        ("name=files; filename*=gb2312''%CE%C4%BC%FE.txt; filename=stand-in.txt", "文件.txt"),
        ("name=files; filename*=Shift_JIS''%95%5C.png", "表.png"),
        ("name=files; filename*=K%C3%BCche.txt", "Küche.txt"),  # not as it should be, but the only name there is
        ("name=files; filename*=klingon''b.txt", "b.txt"),
        ("name=files; filename*=unicode_escape''b%5Cn.txt; filename=a.txt", "a.txt"),
    ],
)
def test_file_names_as_clients_encode_them(disposition: str, name: str, tmp_path: Path) -> None:
    (found,) = read(body("b", part(disposition, b"1")), "b", tmp_path)
    assert (found.name, found.file_name) == ("files", name)


def test_names_in_bytes_that_are_no_utf8_stay_apart() -> None:
    both = [part('name="files"; filename="@.png"', b"1").replace(b"@", letter) for letter in (b"\xfc", b"\xe4")]
    assert [one.file_name for one in read(body("b", *both), "b")] == ["ü.png", "ä.png"]


@pytest.mark.parametrize(
    ("stem", "encoding"),
    [("表", "cp932"), ("ソ", "cp932"), ("能力", "cp932"), ("кот", "cp866"), ("красный кот", "cp1251"), ("海报", "gbk"),
     ("許蓋", "big5"), ("고양이", "cp949"), ("Küche", "cp1252"), ("a/Größe", "cp1252"), ("图片/表", "gbk")],
)  # fmt: skip
def test_a_picture_and_its_caption_are_read_alike_in_a_code_page(stem: str, encoding: str) -> None:
    both = [
        part('name="files"; filename="@"', b"1").replace(b"@", (stem + suffix).encode(encoding))
        for suffix in (".png", ".txt")
    ]
    folder, _, name = stem.rpartition("/")
    found = [(one.folder, one.file_name) for one in read(body("b", *both), "b")]
    assert found == [(folder, f"{name}.png"), (folder, f"{name}.txt")]


def test_no_bytes_of_a_name_make_a_folder_of_half_a_character() -> None:
    for lead in range(0x80, 0x100):
        whole = part('name="files"; filename="@.png"', b"1").replace(b"@", bytes((lead, 0x5C)))
        (found,) = read(body("b", whole), "b")
        assert (found.folder, (found.file_name or "").endswith(".png")) == ("", True)
        assert found.file_name != ".png"


@pytest.mark.parametrize(
    ("disposition", "folder"),
    [
        ('name="files"; filename="a/cup.png"', "a"),
        ('name="files"; filename="a\\b\\cup.png"', "a/b"),
        ("name=files; filename*=utf-8''%C3%A4%2Fcup.png", "ä"),
        ('name="files"; filename="cup.png"', ""),
        ('name="files"; filename="/cup.png"', ""),
        ('name="files"; filename="C:\\fakepath\\cup.png"', "C:/fakepath"),
    ],
)
def test_the_folder_of_a_file(disposition: str, folder: str) -> None:
    (found,) = read(body("b", part(disposition, b"1")), "b")
    assert (found.file_name, found.folder) == ("cup.png", folder)


def test_a_field_s_name_is_decoded_as_browsers_write_it() -> None:
    (found,) = read(body("b", part('name="a %22b%22"', b"1")), "b")
    assert found.name == 'a "b"'


def test_an_empty_choice_is_none() -> None:
    (found,) = read(body("b", part('name="image"; filename=""', b"")), "b")
    assert found.is_empty_choice


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"--b\r\n",
        body("b", part('name="x"', b"1"))[:-6],
        body("c", part('name="x"', b"1")),
        b'{"prompt": "json after all"}',
        b"--b\r\nno header here\r\n\r\n1\r\n--b--\r\n",
        b"--b\r\n" + b"X" * 100_000,
    ],
)
def test_a_broken_body_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidRequest, match="multipart"):
        read(data, "b")


def test_text_parts_have_a_limit_together() -> None:
    half = b"x" * (MAX_TEXT_BYTES // 2 + 1)
    with pytest.raises(TooLarge, match="1024 KiB"):
        read(body("b", part('name="a"', half), part('name="b"', half)), "b")


def test_a_file_for_a_field_that_takes_none_is_counted_and_not_kept(tmp_path: Path) -> None:
    data = body("b", part('name="image"; filename="i.png"', b"x" * (MAX_TEXT_BYTES + 9)))
    for spool in (None, tmp_path):
        (found,) = read(data, "b", spool, step=65536)
        assert found.size == MAX_TEXT_BYTES + 9
        assert found.path is None
        assert len(found.data) <= MAX_TEXT_BYTES


def test_files_spend_nothing_of_what_texts_may_have() -> None:
    picture = part('name="image"; filename="i.png"', b"x" * (3 << 20))
    text = part('name="prompt"', b"p" * MAX_TEXT_BYTES)
    for parts in ((picture, text), (text, picture)):
        found = {one.name: one for one in read(body("b", *parts), "b", step=65536)}
        assert len(found["prompt"].data) == MAX_TEXT_BYTES
        assert found["image"].size == 3 << 20


def test_json_sent_as_a_file_is_kept_also_where_files_are_spooled(tmp_path: Path) -> None:
    (found,) = read(body("b", part('name="image_request"; filename="blob"', b"{}")), "b", tmp_path)
    assert (found.path, bytes(found.data)) == (None, b"{}")


def test_a_file_s_digest_is_of_all_of_it(tmp_path: Path) -> None:
    start = bytes(MAX_TEXT_BYTES)
    for field in ("files", "image"):
        for spool in (None, tmp_path / field):
            if spool is not None:
                spool.mkdir()
            contents = [start + b"one", start + b"two", b""]
            parts = read(body("b", *(part(f'name="{field}"; filename="f"', one) for one in contents)), "b", spool)
            assert [one.sha256 for one in parts] == [sha256_hex(one) for one in contents]
            digests = {Fields(form_values([one])).sha256 for one in parts}
            assert len(digests) == 3
    (text,) = read(body("b", part('name="prompt"', b"p")), "b")
    assert text.sha256 == ""


def test_where_a_file_was_spooled_to_says_nothing(tmp_path: Path) -> None:
    data, digests = body("b", part('name="files"; filename="f"', b"one")), set()
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        digests.add(Fields(form_values(read(data, "b", folder))).sha256)
    assert len(digests) == 1


def test_too_many_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("linocut.api.multipart.MAX_PARTS", 3)
    with pytest.raises(InvalidRequest, match="more than 3 parts"):
        read(body("b", *[part('name="x"', b"1")] * 4), "b")


def test_indexed_names_are_one_list_in_the_order_of_their_numbers() -> None:
    parts = [Part(name, None, bytearray(text.encode())) for name, text in
             [("codes[1]", "b"), ("codes[0]", "a"), ("tags[]", "x"), ("tags[]", "y"), ("plain", "p")]]  # fmt: skip
    assert form_values(parts) == {"codes": ["a", "b"], "tags": ["x", "y"], "plain": ["p"]}


def test_text_that_is_not_utf8_is_refused_by_name() -> None:
    with pytest.raises(InvalidRequest, match="prompt is not UTF-8"):
        form_values([Part("prompt", None, bytearray(b"\xff"))])
