"""Finding U+0000 in what a request was read as."""

from gnomon_server.api.nul import find_nul


def test_the_place_of_the_first_text_is_named() -> None:
    tree = {"name": "plain", "metrics": [{"key": "a"}, {"key": "b\0", "more": "c\0"}], "last": "\0"}
    assert find_nul(tree) == ("metrics[1].key", "b\0")
    assert find_nul("\0", "search") == ("search", "\0")
    assert find_nul({"name": ["plain", 1, None, 2.5, True, {}]}) is None


def test_names_are_looked_at_where_that_is_asked() -> None:
    tree = {"tags": {"key\0": "value"}}
    assert find_nul(tree) is None
    assert find_nul(tree, in_names=True) == ("tags", "key\0")


def test_any_depth_is_looked_through() -> None:
    tree: object = "\0"
    for _ in range(5_000):
        tree = [tree]
    found = find_nul(tree)
    assert found is not None
    assert found[0] == "[0]" * 5_000
