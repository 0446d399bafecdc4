import os
import signal
import sys
from functools import partial

import pytest

from forensics.evidence import load_comparators
from forensics.examination.examined import Examined
from forensics.subjects.subject import parse_subject
from forensics.support import parallel as side_by_side
from forensics.support.parallel import run_all
from forensics.transcripts.transcript import read_transcript
from forensics.verdicts.compare import compare

linux = pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2,
    reason="a second process is used on Linux with two cores",
)


@pytest.fixture
def forking(monkeypatch):
    # Other tests of this process may have loaded torch, which the tasks here do not use.
    monkeypatch.setattr(side_by_side, "_can_fork", lambda: True)


def _slow(i):
    return i, sum(range(300_000)), os.getpid()


@linux
def test_results_stand_in_order_and_both_processes_work(forking):
    found = run_all([partial(_slow, i) for i in range(40)])
    assert [i for i, _, _ in found] == list(range(40))
    assert len({pid for _, _, pid in found}) == 2


@linux
def test_an_error_shows_whichever_process_met_it(forking):
    def fails():
        raise ValueError("this one")

    with pytest.raises(ValueError, match="this one"):
        run_all([partial(_slow, 1), fails, partial(_slow, 2), partial(_slow, 3)])


@linux
def test_what_a_killed_helper_had_begun_is_done_here(forking):
    here = os.getpid()

    def dies_elsewhere(i):
        _slow(i)
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return i

    assert run_all([partial(dies_elsewhere, i) for i in range(20)]) == list(range(20))


@linux
def test_what_does_not_pickle_is_done_here(forking):
    made = run_all([lambda i=i: (_slow(i), lambda: i)[1] for i in range(20)])
    assert [one() for one in made] == list(range(20))


@linux
def test_without_room_for_another_process_all_is_done_here(forking, monkeypatch):
    def full():
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", full)
    assert {pid for _, _, pid in run_all([partial(_slow, i) for i in range(4)])} == {os.getpid()}


def test_torch_and_a_single_core_keep_to_one_process(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", object())
    assert {pid for _, _, pid in run_all([partial(_slow, i) for i in range(4)])} == {os.getpid()}


@linux
def test_a_comparison_is_the_same_in_one_process_and_in_two(reference_files, monkeypatch):
    sides = [
        Examined(parse_subject(str(path)), read_transcript(path))
        for path in (reference_files["vicuna-13b"], reference_files["vicuna-7b"])
    ]
    comparators = load_comparators(only=["phrasing", "openings", "style", "formatting"])
    cases = []
    for many in (True, False):
        monkeypatch.setattr(side_by_side, "_can_fork", lambda many=many: many)
        cases.append(compare(*sides, comparators))
    assert cases[0].evidence == cases[1].evidence
