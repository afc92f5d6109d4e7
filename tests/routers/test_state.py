import io
import json
import zipfile
from hashlib import sha256

import numpy as np
import pytest

from routers.state import Manifest, load_state, read_manifest, save_state
from routers.types import StateError

MANIFEST = Manifest("knn", ("a", "b"), encoder="sha256:abc", metadata={"table": "sha256:def"})
ARRAYS = {"names": np.array(["a", "b"]), "numbers": np.arange(6, dtype=np.float16).reshape(2, 3)}


@pytest.fixture
def saved(tmp_path):
    """Make a folder with state in it."""
    save_state(tmp_path / "state", ARRAYS, MANIFEST)
    return tmp_path / "state"


def edit(path, **changes):
    """Change members of a manifest."""
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_arrays_come_back_as_they_were(saved):
    """Values, shapes and types."""
    loaded = load_state(saved, "knn")

    assert ARRAYS.keys() == loaded.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(array, loaded[name], strict=True)


def test_manifest_comes_back_with_the_digest(saved):
    """Everything stated, and the sha256 of the arrays' file."""
    manifest = read_manifest(saved)

    assert (MANIFEST.router, MANIFEST.models, MANIFEST.encoder, MANIFEST.metadata) == (
        manifest.router,
        manifest.models,
        manifest.encoder,
        manifest.metadata,
    )
    assert sha256((saved / "state.npz").read_bytes()).hexdigest() == manifest.sha256


def test_entries_state_no_time(saved):
    """What would differ from one writing to the next is fixed."""
    with zipfile.ZipFile(saved / "state.npz") as archive:
        assert {(1980, 1, 1, 0, 0, 0)} == {entry.date_time for entry in archive.infolist()}


def test_bytes_do_not_depend_on_the_order_of_arrays(saved, tmp_path):
    """Names are sorted."""
    save_state(tmp_path / "other", dict(reversed(ARRAYS.items())), MANIFEST)

    assert (saved / "state.npz").read_bytes() == (tmp_path / "other" / "state.npz").read_bytes()


def test_numpy_reads_the_file_too(saved):
    """It is an ordinary npz file."""
    with np.load(saved / "state.npz", allow_pickle=False) as archive:
        assert ["names", "numbers"] == sorted(archive.files)


def test_saving_again_replaces_and_leaves_nothing_behind(saved):
    """Other files in the folder stay; unfinished ones do not."""
    (saved / "README").write_text("mine")
    save_state(saved, {"numbers": np.zeros(1)}, MANIFEST)

    assert ["README", "state.json", "state.npz"] == sorted(path.name for path in saved.iterdir())
    assert ["numbers"] == list(load_state(saved, "knn"))


def test_objects_are_refused(tmp_path):
    """They would have to be pickled; nothing is written."""
    with pytest.raises(ValueError, match="allow_pickle=False"):
        save_state(tmp_path, {"objects": np.array([{}])}, MANIFEST)

    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["state.json", "state.npz"])
def test_missing_file_is_named_with_the_remedy(saved, name):
    """And the system's reason."""
    (saved / name).unlink()

    with pytest.raises(StateError, match=rf"{name} cannot be read \(No such file.*run `pointsman train`"):
        load_state(saved, "knn")


def test_damaged_arrays_are_named(saved):
    """One flipped bit is found."""
    path = saved / "state.npz"
    content = bytearray(path.read_bytes())
    content[60] ^= 1
    path.write_bytes(content)

    with pytest.raises(StateError, match=r"state\.npz is damaged: its sha256 .* run `pointsman train`"):
        load_state(saved, "knn")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "damaged: Expecting"),
        ("[]", "states no format"),
        ("{}", "states no format"),
        ('{"format": 1}', "damaged: KeyError"),
        ('{"format": 1, "router": "knn", "models": 1, "encoder": null}', "damaged: TypeError"),
        ('{"format": 2}', "format 2, this version reads 1"),
    ],
)
def test_unreadable_manifest_says_why(saved, text, message):
    """Each way of being wrong has its message, with the file and the remedy."""
    (saved / "state.json").write_text(text)

    with pytest.raises(StateError, match=rf"state\.json.*{message}.*run `pointsman train`"):
        load_state(saved, "knn")


def archive_of(name, content):
    """Return a zip file with one entry."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def pickled():
    """Return an npy file of objects, which only a pickle can hold."""
    buffer = io.BytesIO()
    np.save(buffer, np.array([{}]), allow_pickle=True)
    return buffer.getvalue()


@pytest.mark.parametrize("content", [b"no zip", archive_of("a.npy", b"no npy"), archive_of("a.npy", pickled())])
def test_what_is_no_plain_array_is_refused(saved, content):
    """Even where the digest matches: nothing is unpickled."""
    (saved / "state.npz").write_bytes(content)
    edit(saved / "state.json", sha256=sha256(content).hexdigest())

    with pytest.raises(StateError, match=r"state\.npz is damaged"):
        load_state(saved, "knn")
