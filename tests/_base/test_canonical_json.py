"""The byte form that hashes are taken of holds plain data only."""

from __future__ import annotations

import math

import pytest

from scaledetect._base.canonical_json import canonical_json, content_hash
from scaledetect._base.errors import RefusalError


def test_the_form_is_one_for_equal_data() -> None:
    assert canonical_json({"b": [1, 0.1], "a": "\u00e9"}) == b'{"a":"\\u00e9","b":[1,0.1]}'
    assert content_hash({"a": 1, "b": 2}) == content_hash({"b": 2, "a": 1})


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, [math.nan], {"x": math.inf}, object(), {1, 2}])
def test_what_json_cannot_hold_has_no_form(value: object) -> None:
    with pytest.raises(RefusalError, match=r"data=.*is not plain data"):
        canonical_json(value)
