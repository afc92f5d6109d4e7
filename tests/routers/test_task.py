import numpy as np
import pytest

from routers.checks import check_estimator
from routers.estimators.constant import Constant
from routers.estimators.task import Task
from routers.types import Candidate, Context
from tests.tables import EAST, NAN, NORTH, WEST, A, B, learned, mean, std, table, towards


def test_passes_the_battery():
    """What every estimator must do, on outcomes with two tasks."""
    check_estimator(lambda: Task(max_rows=100))


def test_mean_is_that_of_the_tasks_by_their_chances():
    """Rewards of 1 in one task and 0.25 in the other, as likely as the classifier says."""
    task = learned(Task(shrinkage=0), table([EAST, WEST], [1.0, 0.25], tasks=["maths", "code"]))
    chances = task.tasks(towards(EAST))

    assert chances["maths"] > 0.85
    assert pytest.approx(chances["maths"] * 1 + chances["code"] * 0.25) == mean(task, towards(EAST))
    assert pytest.approx((1 + 0.25) / 2, abs=1e-5) == mean(task, towards(NORTH))


def test_shrinks_each_task_towards_the_models_mean():
    """One observation of 1 and a mean of 0.5 counted three times give 0.625."""
    task = learned(Task(shrinkage=3, c=1e4), table([EAST, WEST], [1.0, 0.0], tasks=["maths", "code"]))

    assert pytest.approx(0.625, abs=1e-3) == mean(task, towards(EAST))


def test_standard_error_counts_evidence_and_the_variance_between_tasks():
    """Halfway between tasks of means 1 and 0: 0.25 between them, and the error within each."""
    task = learned(Task(shrinkage=0), table([EAST, WEST] * 2, [1.0, 0.0] * 2, tasks=["maths", "code"] * 2))
    other = learned(Task(shrinkage=2), table([EAST, WEST] * 2, [0.75, 0.75] * 2, tasks=["maths", "code"] * 2))

    assert pytest.approx(0.5) == std(task, towards(NORTH))
    assert pytest.approx(((2 * 0.25 / 5) / 4 / 4) ** 0.5) == std(other, towards(NORTH))


def test_error_is_small_where_the_task_is_plain():
    """Less so between two tasks on which the model differs."""
    task = learned(Task(), table([EAST, WEST] * 50, [1.0, 0.0] * 50, tasks=["maths", "code"] * 50))

    assert std(task, towards(EAST)) < 0.25 < std(task, towards(NORTH))


def test_tells_several_tasks_apart():
    """Of three directions each has its own mean."""
    rng = np.random.default_rng(0)
    centres = np.eye(3)[np.arange(150) % 3]
    points = centres + 0.2 * rng.standard_normal((150, 3))
    names = np.array(["code", "maths", "prose"])[np.arange(150) % 3]
    task = learned(Task(shrinkage=0), table(points, np.array([0.0, 0.5, 1.0])[np.arange(150) % 3], tasks=names))

    assert pytest.approx([0.0, 0.5, 1.0], abs=0.1) == [mean(task, towards(axis)) for axis in np.eye(3)]
    assert pytest.approx(1) == sum(task.tasks(towards([0.5, 0.5, 0.1])).values())


def test_labels_are_enough_for_what_is_noise_otherwise():
    """A model that is better at one task is found to be, from single answers that are right or wrong."""
    rng = np.random.default_rng(1)
    names = np.array(["code", "maths"])[rng.integers(0, 2, 400)]
    points = np.where(names[:, None] == "code", EAST, NORTH) + 0.3 * rng.standard_normal((400, 2))
    rewards = rng.random(400) < np.where(names == "code", 0.8, 0.3)
    task = learned(Task(), table(points, rewards, tasks=names))

    assert pytest.approx([0.8, 0.3], abs=0.08) == [mean(task, towards(EAST)), mean(task, towards(NORTH))]


def test_one_task_needs_no_classifier():
    """Every request is of it, and unlabelled rows count by the shrinkage alone."""
    task = learned(Task(shrinkage=1), table([EAST, EAST], [1.0, 0.0], tasks=["maths", ""]))

    assert {"maths": 1.0} == task.tasks(towards(WEST))
    assert pytest.approx((1 + 0.5) / 2) == mean(task, towards(WEST))


def test_is_the_constant_estimator_without_labels():
    """Whether there are no tasks or only empty ones."""
    constant = Constant()
    constant.learn(table([EAST, WEST], [1.0, 0.25]))
    expected = constant.predict([towards(EAST)], [A, B])

    for tasks in ((), ("", "")):
        estimates = learned(Task(), table([EAST, WEST], [1.0, 0.25], tasks=tasks)).predict([towards(EAST)], [A, B])
        assert expected.mean.tolist() == estimates.mean.tolist()
        assert expected.std.tolist() == estimates.std.tolist()
    assert {} == Task().tasks(towards(EAST))


def test_rows_without_an_embedding_count_for_their_task():
    """They teach what the model does there, not what the task looks like."""
    task = learned(
        Task(shrinkage=0, c=1e4), table([EAST, WEST, [0, 0]], [1.0, 0.0, 0.5], tasks=["maths", "code", "maths"])
    )

    assert pytest.approx(0.75, abs=1e-3) == mean(task, towards(EAST))


def test_request_without_embedding_gets_the_models_mean():
    """No direction, no task."""
    task = learned(Task(), table([EAST, WEST], [1.0, 0.5], tasks=["maths", "code"]))

    assert 0.75 == mean(task, Context("", 1))
    assert {} == task.tasks(Context("", 1))


def test_model_not_observed_in_a_task_has_its_mean_there():
    """Without shrinkage too; one never observed has 0.5, give or take 0.5."""
    rewards = [[1.0, NAN, NAN], [1.0, 0.25, NAN]]
    task = learned(Task(shrinkage=0), table([EAST, WEST], rewards, tasks=["maths", "code"], models="abc"))

    assert pytest.approx(0.25) == mean(task, towards(EAST), B)
    assert (0.5, 0.5) == (mean(task, towards(EAST), Candidate("c")), std(task, towards(EAST), Candidate("c")))


def test_drops_the_oldest_rows_with_their_tasks():
    """Of three rows two are kept, and the task of the first is forgotten."""
    task = learned(
        Task(max_rows=2), table([EAST, NORTH, WEST], [0.0, 1.0, 0.5], tasks=["maths", "a long name", "code"])
    )

    assert ["a long name", "code"] == task.state()["labels"].tolist()
    assert {"a long name", "code"} == task.tasks(towards(EAST)).keys()


def test_tasks_come_later():
    """Rows learned without labels count for the means; a longer name than all before is kept whole."""
    task = learned(Task(shrinkage=0), table([EAST], [1.0]))
    task.learn(table([EAST, WEST], [0.5, 0.0], tasks=["maths", "a very long name"]))

    assert {"maths", "a very long name"} == task.tasks(towards(EAST)).keys()
    assert 0.5 == mean(task, Context("", 1))


def test_a_restored_one_learns_on():
    """State holds the labels, so that the next fit is that of all rows."""
    first, second = table([EAST, WEST], [1.0, 0.0], tasks=["maths", "code"]), table([NORTH], [0.5], tasks=["prose"])
    whole, restored = Task(), Task()
    whole.learn(first)
    restored.restore(whole.state())
    for task in (whole, restored):
        task.learn(second)

    assert mean(whole, towards(NORTH)) == mean(restored, towards(NORTH))
    assert {"maths", "code", "prose"} == restored.tasks(towards(EAST)).keys()


@pytest.mark.parametrize(
    ("embeddings", "rewards", "expected"),
    [
        ([], [], 0.5),
        ([EAST], [0.25], 0.25),
        ([EAST, EAST], [0.25, 0.75], 0.5),
        ([EAST, WEST], [1.0, 1.0], 1.0),
        ([[0, 0]], [0.75], 0.75),
        ([EAST], [NAN], 0.5),
    ],
)
@pytest.mark.parametrize("names", [("x", "x"), ("x", "y")])
def test_does_with_little(embeddings, rewards, expected, names):
    """No row, one, one twice, all right, none with an embedding, none observed."""
    task = Task()
    task.learn(table(np.array(embeddings).reshape(-1, 2), rewards, tasks=names[: len(rewards)]))

    assert pytest.approx(expected, abs=1e-6) == mean(task, towards(NORTH))
    assert 0 < std(task, towards(NORTH)) <= 0.5


@pytest.mark.parametrize("wrong", [{"shrinkage": -1.0}, {"shrinkage": NAN}, {"c": 0.0}, {"max_rows": 0}])
def test_refuses_impossible_arguments(wrong):
    """The message names the argument and its value."""
    ((name, value),) = wrong.items()

    with pytest.raises(ValueError, match=f"{name}={value}"):
        Task(**wrong)
