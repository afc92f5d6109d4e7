import pytest

from gateway.config.loader import ConfigError, load

LEVELS = [f"&l{n} [{', '.join([f'*l{n - 1}' if n else 'x'] * 9)}]" for n in range(9)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: " + "[" * 2000, "nested too deeply"),
        ("a: !!timestamp 1", "cannot be read"),
        ("a: !!bool x", "cannot be read"),
        ("a: !!int ''", "cannot be read"),
        (f"bomb: [{', '.join(LEVELS)}]", "more than 100000 values"),
    ],
)
def test_a_file_that_is_out_to_harm_is_refused(tmp_path, text, said):
    """At once, with its name, and without a trace of Python."""
    path = tmp_path / "gateway.yaml"
    path.write_text(text)

    with pytest.raises(ConfigError, match=said):
        load(path, {})
