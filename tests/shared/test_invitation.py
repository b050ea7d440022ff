"""What is copied from one machine to the other."""

from __future__ import annotations

from pathlib import Path

import pytest
from maquette_wire import invitation, keys
from maquette_wire.errors import MaquetteError
from maquette_wire.home import Home

KEY = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"


@pytest.mark.parametrize(
    "text",
    [
        f"tcp://studio:47820 {KEY}",
        f"  tcp://studio:47820\n{KEY}\n",
        f"{KEY} tcp://studio:47820",
        f"For Blender: \"tcp://studio:47820\" '{KEY}'",
        invitation.line("tcp://studio:47820", KEY),
    ],
)
def test_address_and_key_are_found_in_what_was_copied(text: str) -> None:
    assert invitation.read(text) == ("tcp://studio:47820", KEY)


def test_one_of_them_alone_is_taken_as_well() -> None:
    assert invitation.read(KEY) == ("", KEY)
    assert invitation.read("tcp://studio:47820") == ("tcp://studio:47820", "")


@pytest.mark.parametrize("text", ["", "a red brick church", KEY[:-1], "studio:47820"])
def test_a_text_without_either_says_what_to_copy(text: str) -> None:
    with pytest.raises(MaquetteError, match="Copy the line that `maquette serve` prints"):
        invitation.read(text)


def test_the_command_holds_the_key_as_a_shell_takes_it() -> None:
    assert invitation.serve_command(KEY).endswith(f"--authorise='{KEY}'")


def test_a_client_is_authorised_once_behind_those_that_are(home: Home) -> None:
    path = keys.client_list(home)
    assert keys.authorise(path, f" {KEY} ", "my laptop")
    assert not keys.authorise(path, KEY)
    assert keys.parse_client_list(path.read_text(), path) == {KEY}
    assert path.read_text() == f"{keys.LIST_HEADER}{KEY} my laptop\n"


def test_a_list_without_a_last_line_feed_keeps_its_last_key(tmp_path: Path) -> None:
    path = tmp_path / "clients.txt"
    other = keys.client_keys(Home(tmp_path)).public
    path.write_text(other)
    assert keys.authorise(path, KEY)
    assert keys.parse_client_list(path.read_text(), path) == {other, KEY}


def test_what_cannot_be_authorised_is_named(tmp_path: Path) -> None:
    with pytest.raises(MaquetteError, match="The client's key is not a key"):
        keys.authorise(tmp_path / "clients.txt", KEY[:-1])
    with pytest.raises(MaquetteError, match="can't be used"):
        keys.authorise(tmp_path / "no" / "folder", KEY)
