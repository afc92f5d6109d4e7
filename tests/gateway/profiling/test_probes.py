import json
import re
from collections import Counter
from itertools import combinations

import pytest

from gateway.profiling.graders import grade
from gateway.profiling.probes import ProbeError, fold_of, load_probes, probes_digest

PROBES = load_probes()
LINE = {"prompt_id": "a-1", "task": "sums", "prompt": "1 + 1?", "grader": {"kind": "number", "value": 2}}


def write(path, *lines):
    """Write a probe set."""
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return path


def test_the_set_is_large_and_varied():
    """There are at least 280 probes, and no family is too small to be told from the others."""
    sizes = Counter(probe.task for probe in PROBES)

    assert len(PROBES) >= 280
    assert len(sizes) >= 10
    assert min(sizes.values()) >= 24


def test_answers_are_short():
    """A small model on a processor gets through the set: most answers need at most 64 tokens."""
    limits = [probe.max_tokens for probe in PROBES]

    assert max(limits) <= 160
    assert sum(limit <= 64 for limit in limits) / len(limits) > 0.9


def test_no_two_prompts_are_nearly_the_same():
    """Prompts differ when normalised, and share less than 80 % of their words (sums, a few words long, aside)."""
    words = {probe.prompt_id: re.findall(r"\w+", probe.prompt.casefold()) for probe in PROBES}
    tasks = {probe.prompt_id: probe.task for probe in PROBES}

    near = [
        (one, other)
        for one, other in combinations(words, 2)
        if words[one] == words[other]
        or ({tasks[one], tasks[other]} != {"arithmetic"} and jaccard(words[one], words[other]) >= 0.8)
    ]

    assert near == []


def jaccard(one, other):
    """Return the share of words that two texts have in common."""
    return len({*one} & {*other}) / len({*one} | {*other})


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.prompt_id)
def test_graders_tell_right_from_wrong(probe):
    """The reference answer scores 1, the wrong ones score less."""
    assert probe.reference is not None
    assert probe.wrong
    assert grade(probe, probe.reference) == 1.0
    assert [wrong for wrong in probe.wrong if grade(probe, wrong) >= 1] == []


def test_results_of_calculations_are_not_in_the_question():
    """Breaking off in the middle of repeating the question is never right by chance."""
    sums = [probe for probe in PROBES if probe.task in {"arithmetic", "word_problem"}]

    given = [
        probe.prompt_id
        for probe in sums
        if probe.grader.value in {float(number) for number in re.findall(r"\d+(?:\.\d+)?", probe.prompt)}
    ]

    assert given == []


def test_folds_are_stratified():
    """Every task has between 25 % and 35 % of its probes in dev."""
    dev, sizes = (
        Counter(probe.task for probe in PROBES if fold_of(probe) == "dev"),
        Counter(probe.task for probe in PROBES),
    )

    shares = {task: dev[task] / size for task, size in sizes.items()}

    assert [(task, share) for task, share in shares.items() if not 0.25 <= share <= 0.35] == []


def test_the_digest_depends_on_every_probe():
    """Another prompt, another order or another grader is another set."""
    digests = {probes_digest(PROBES), probes_digest(PROBES[1:]), probes_digest(PROBES[::-1])}

    assert len(digests) == 3
    assert probes_digest(PROBES) == probes_digest(load_probes())


def test_reads_a_set_of_the_users(tmp_path):
    """Optional fields have defaults; blank lines and unusual separators do not matter."""
    line = json.dumps({**LINE, "prompt": "one\u2028two"}, ensure_ascii=False)

    (probe,) = load_probes(write(tmp_path / "mine.jsonl", line, ""))

    assert (probe.prompt_id, probe.prompt, probe.system, probe.max_tokens) == ("a-1", "one\u2028two", None, 64)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prompt_id": ""}, "must not be empty"),
        ({"prompt": " "}, "must not be empty"),
        ({"prompt": None}, "prompt: Input should be a valid string"),
        ({"max_tokens": 0}, "max_tokens must be at least 1, not 0"),
        ({"colour": "red"}, "colour: Unexpected keyword argument"),
        ({"grader": {"kind": "oracle"}}, "grader: Input tag 'oracle'"),
        ({"grader": {"kind": "number"}}, "grader.number.value: Field required"),
        ({"grader": {"kind": "number", "value": 1, "unit": "m"}}, "grader.number.unit: Unexpected keyword"),
    ],
)
def test_names_the_line_that_is_wrong(tmp_path, change, message):
    """An error says which file, which line, which field and what is wrong with it."""
    path = write(tmp_path / "mine.jsonl", LINE, {**LINE, "prompt_id": "a-2", **change})

    with pytest.raises(ProbeError, match=re.escape(f"{path}, line 2: ")) as caught:
        load_probes(path)

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no probe"),
        ("{", "line 1: the line: Invalid JSON"),
        (f"{json.dumps(LINE)}\n{json.dumps(LINE)}", "prompt_id 'a-1' is used 2 times"),
    ],
)
def test_refuses_files_that_are_no_probe_set(tmp_path, content, message):
    """Empty files, broken JSON and repeated ids are refused."""
    with pytest.raises(ProbeError, match=message):
        load_probes(write(tmp_path / "mine.jsonl", content))


def test_refuses_a_missing_or_binary_file(tmp_path):
    """What cannot be read is named."""
    (tmp_path / "binary").write_bytes(b"\xff\xfe\xff")

    for path in (tmp_path / "missing", tmp_path / "binary"):
        with pytest.raises(ProbeError, match=re.escape(str(path))):
            load_probes(path)
