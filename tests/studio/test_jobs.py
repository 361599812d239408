"""Orders for trainings: what is checked before anything starts, and what is told of those that fail."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from latentia.runs.directory import RunDirectory
from latentia.studio import jobs
from latentia.studio.desk import is_local
from latentia.studio.serving import prepare


class Started:
    """In place of a process."""

    def __init__(self, arguments: list[str], **settings: Any) -> None:
        self.arguments, self.settings = arguments, settings
        self.code: int | None = None
        self.signals: list[int] = []

    def poll(self) -> int | None:
        return self.code

    @property
    def returncode(self) -> int | None:
        return self.code

    def send_signal(self, number: int) -> None:
        self.signals.append(number)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Started]:
    """The processes that would have been started."""
    found: list[Started] = []

    def start(arguments: list[str], **settings: Any) -> Started:
        found.append(Started(arguments, **settings))
        return found[-1]

    monkeypatch.setattr("latentia.studio.jobs.subprocess.Popen", start)
    return found


def test_an_order_becomes_a_command(own: Path, browse: Callable[[Path], Any], started: list[Started]) -> None:
    settings = {
        "training.steps": 60,
        "model.encoder.hidden": "[32, 16]",
        "objective.beta": {"name": "linear", "start": 0.0, "end": 1.0},
    }
    order = {"preset": "vae", "data": "digits", "settings": settings, "name": "new", "snapshots": 10}
    assert browse(own).post("/api/jobs", order) == {"id": "new"}
    (process,) = started
    arguments = process.arguments[3:]
    assert arguments[:4] == ["train", "vae", "--data=digits", f"--out={own / 'new'}"]
    assert "--set=model.encoder.hidden=[32, 16]" in arguments
    assert '--set=objective.beta={name = "linear", start = 0.0, end = 1.0}' in arguments
    assert "--set=training.checkpoint_every=6" in arguments and "--set=training.keep_checkpoints=11" in arguments
    assert process.settings["start_new_session"] is True


def test_wishes_about_checkpoints_are_left_alone(
    own: Path, browse: Callable[[Path], Any], started: list[Started]
) -> None:
    browser = browse(own)
    browser.post("/api/jobs", {"settings": {"training.keep_checkpoints": 3}, "name": "a"})
    browser.post("/api/jobs", {"snapshots": 0, "name": "b"})
    assert not any("checkpoint_every" in part for process in started for part in process.arguments)


@pytest.mark.parametrize(
    ("order", "status", "words"),
    [
        ({"preset": "vaee"}, 400, "vae"),
        ({"preset": 3}, 400, "preset must be text"),
        ({"data": "mnst"}, 400, "mnist"),
        ({"data": "/no/such.npz"}, 409, "/no/such.npz"),
        ({"settings": {"training.batch": 3}}, 400, "batch_size"),
        ({"settings": {"training.batch_size": "many"}}, 400, "training.batch_size"),
        ({"settings": {"--out": "x"}}, 400, "is not a setting"),
        ({"settings": {"training.steps": "1\n2"}}, 400, "is not a setting"),
        ({"settings": []}, 400, "table"),
        ({"name": "../x"}, 400, "a run's name here"),
        ({"name": ".studio"}, 400, "a run's name here"),
        ({"name": "--out"}, 400, "a run's name here"),
        ({"name": "vae"}, 409, "already"),
        ({"kind": "fly"}, 400, "kind must be"),
        ({"kind": "fit-prior", "run": "vae", "prior": "x"}, 400, "prior must be"),
        ({"kind": "fit-prior", "run": "none"}, 404, "no run"),
        ({"snapshots": -1}, 400, "snapshots"),
    ],
)
def test_wrong_orders_start_nothing(
    own: Path, browse: Callable[[Path], Any], started: list[Started], order: dict[str, Any], status: int, words: str
) -> None:
    assert words in browse(own).post("/api/jobs", order, status)["error"]
    assert started == []


def test_bodies_must_be_json_objects(own: Path, browse: Callable[[Path], Any]) -> None:
    browser = browse(own)
    for content in (b"{", b"[]", b"1", b'{"a": ' + b"[" * 100_000):
        assert browser.client.post("/api/jobs", content=content).status_code == 400


def test_a_job_that_fails_before_it_is_a_run_says_why(
    own: Path, browse: Callable[[Path], Any], started: list[Started]
) -> None:
    browser = browse(own)
    browser.post("/api/jobs", {"name": "new", "snapshots": 0})
    row = browser.get("/api/runs")["runs"][0]
    assert (row["id"], row["state"], row["live"], row["preset"]) == ("new", "starting", True, "vae")
    (own / ".studio" / "new.log").write_text("loading\nlatentia: error: the disk is full: free some space\n")
    started[0].code = 1
    row = browser.get("/api/runs")["runs"][0]
    assert (row["state"], row["problem"]) == ("failed", "the disk is full: free some space")
    assert browser.get("/api/jobs/new/log") == {
        "text": "loading\nlatentia: error: the disk is full: free some space\n",
        "running": False,
    }


def test_a_failed_job_is_listed_without_its_log_and_not_for_ever(
    own: Path, browse: Callable[[Path], Any], started: list[Started], monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = browse(own)
    browser.post("/api/jobs", {"name": "new", "snapshots": 0})
    (own / ".studio" / "new.log").unlink()
    started[0].code = 1
    for _ in range(2):
        assert browser.get("/api/runs")["runs"][0]["problem"] == "it ended without a word"
    (own / "new").symlink_to("/")  # what leads out is a run no more
    assert [row["state"] for row in browser.get("/api/runs")["runs"]] == ["failed", "finished"]
    monkeypatch.setattr("latentia.studio.jobs.SHOWN_FOR", -1.0)
    assert [row["id"] for row in browser.get("/api/runs")["runs"]] == ["vae"]


def test_logs_are_neither_read_nor_written_through_links(
    own: Path, browse: Callable[[Path], Any], started: list[Started]
) -> None:
    browser, secret = browse(own), own.parent / "secret"
    secret.write_text("secret")
    (own / ".studio").mkdir()
    (own / ".studio" / "new.log").symlink_to(secret)
    assert "is a link" in browser.post("/api/jobs", {"name": "new", "snapshots": 0}, 403)["error"]
    assert "is a link" in browser.get("/api/jobs/new/log", 403)["error"]
    (own / ".studio" / "new.log").unlink()
    (own / ".studio").rename(own.parent / "elsewhere")
    (own / ".studio").symlink_to(own.parent / "elsewhere")
    assert "is a link" in browser.post("/api/jobs", {"name": "new", "snapshots": 0}, 403)["error"]
    assert secret.read_text() == "secret" and started == []


def test_names_may_have_spaces_and_each_has_a_log_of_its_own(
    own: Path, browse: Callable[[Path], Any], started: list[Started]
) -> None:
    browser = browse(own)
    assert browser.post("/api/jobs", {"name": "mein Übungslauf", "snapshots": 0})["id"] == "mein Übungslauf"
    logs = {browser.server.jobs._log_file(name).name for name in ("a--seed-0", "a/seed-0", "a%2Fseed-0")}
    assert len(logs) == 3


def test_the_newer_log_is_shown_and_what_goes_on_is_in_the_row(
    own: Path, browse: Callable[[Path], Any], started: list[Started]
) -> None:
    browser = browse(own)
    browser.post("/api/jobs", {"kind": "fit-prior", "run": "vae", "prior": "gmm"})
    (own / ".studio" / "vae.log").write_text("of the job\n")
    assert browser.get("/api/runs")["runs"][0]["job"] == "fit-prior"
    before = browser.server.hub._has_changed(), browser.server.hub._has_changed()
    started[0].code = 0
    assert before == (False, False) and browser.server.hub._has_changed()  # the page hears of its end
    assert browser.get("/api/runs")["runs"][0]["job"] is None
    later = time.time() + 5
    os.utime(own / "vae" / "log.txt", (later, later))
    assert browser.get("/api/jobs/vae/log")["text"] == (own / "vae" / "log.txt").read_text()


def test_only_one_of_two_orders_at_once_begins(
    own: Path, browse: Callable[[Path], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Started] = []

    def start(arguments: list[str], **settings: Any) -> Started:
        time.sleep(0.2)
        begun.append(Started(arguments, **settings))
        return begun[-1]

    monkeypatch.setattr("latentia.studio.jobs.subprocess.Popen", start)
    browser = browse(own)
    order = {"name": "new", "snapshots": 0}
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: browser.client.post("/api/jobs", json=order).status_code, range(2)))
    assert sorted(answers) == [202, 409] and len(begun) == 1


def test_checkpoints_are_kept_of_data_that_are_yet_to_come(
    own: Path, browse: Callable[[Path], Any], started: list[Started], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("latentia.studio.jobs.is_local", lambda source: False)
    settings = {"training.epochs": 10, "training.batch_size": 100, "data.validation": 0.0}
    browse(own).post("/api/jobs", {"data": "kmnist", "name": "new", "snapshots": 6, "settings": settings})
    assert "--set=training.checkpoint_every=1000" in started[0].arguments


def test_a_process_that_was_given_the_number_of_a_dead_one_is_left_alone(own: Path) -> None:
    directory = RunDirectory(own / "vae")
    with directory.locked():
        assert jobs._writes(os.getpid(), directory) and not jobs._writes(os.getppid(), directory)
    assert not jobs._writes(os.getpid(), directory)


def test_a_job_that_has_not_begun_can_be_stopped(
    own: Path, browse: Callable[[Path], Any], started: list[Started]
) -> None:
    browser = browse(own)
    browser.post("/api/jobs", {"name": "new", "snapshots": 0})
    browser.post("/api/jobs/new/stop")
    assert started[0].signals


def test_only_so_many_go_on_at_once(own: Path, browse: Callable[[Path], Any], started: list[Started]) -> None:
    browser = browse(own)
    for number in range(8):
        browser.post("/api/jobs", {"name": f"new-{number}", "snapshots": 0})
    assert "wait for one" in browser.post("/api/jobs", {"name": "new-8", "snapshots": 0}, 409)["error"]


def test_finished_runs(own: Path, browse: Callable[[Path], Any], started: list[Started]) -> None:
    browser = browse(own)
    assert "nothing to stop" in browser.post("/api/jobs/vae/stop", status=409)["error"]
    assert "how many epochs" in browser.post("/api/jobs/vae/resume", status=409)["error"]
    browser.post("/api/jobs/vae/resume", {"epochs": 3})
    assert started[0].arguments[3:] == ["resume", str(own / "vae"), "--epochs=3"]
    started[0].code = 0
    browser.post("/api/jobs", {"kind": "fit-prior", "run": "vae", "prior": "gmm"})
    assert started[1].arguments[3:] == ["fit-prior", str(own / "vae"), "gmm"]
    assert browser.get("/api/jobs/none/log", 404)["error"]
    answer = browser.client.post("/api/jobs/..%2Fvae/stop")
    assert answer.status_code in (404, 405) and answer.json()["error"]


def test_a_job_that_fails_on_a_run_says_why(own: Path, browse: Callable[[Path], Any], started: list[Started]) -> None:
    browser = browse(own)
    browser.post("/api/jobs/vae/resume", {"epochs": 3})
    (own / ".studio" / "vae.log").write_text("latentia: error: the last checkpoint is damaged: remove it\n")
    started[0].code = 1
    (row,) = browser.get("/api/runs")["runs"]
    assert (row["state"], row["problem"]) == ("finished", "the last checkpoint is damaged: remove it")
    browser.post("/api/jobs/vae/resume", {"epochs": 3})
    assert browser.get("/api/runs")["runs"][0]["problem"] is None


def test_a_run_that_is_resumed_is_starting_until_its_process_says_more(
    own: Path, browse: Callable[[Path], Any], started: list[Started]
) -> None:
    directory, browser = RunDirectory(own / "vae"), browse(own)
    directory.write_status("interrupted", 4)
    browser.post("/api/jobs/vae/resume")
    assert browser.server.hub._has_changed() is False
    for row in (browser.get("/api/runs")["runs"][0], browser.get("/api/runs/vae")):
        assert (row["state"], row["live"], row["job"]) == ("starting", True, "resume")
    time.sleep(0.02)
    for state in ("running", "interrupted"):
        directory.write_status(state, 5)
        assert browser.server.hub._has_changed(everywhere=False)  # without a look at all that is in the folder
        row = browser.get("/api/runs/vae")
        assert (row["state"], row["live"], row["step"]) == (state, state == "running", 5)
    started[0].code = 130
    assert browser.server.hub._has_changed(everywhere=False) and browser.get("/api/runs/vae")["job"] is None


def test_a_dead_process_is_no_longer_running(own: Path, browse: Callable[[Path], Any]) -> None:
    status = own / "vae" / "status.json"
    value = json.loads(status.read_text())
    status.write_text(json.dumps({**value, "state": "running", "pid": 2**22 + 1}))
    time.sleep(0.01)
    browser = browse(own)
    (row,) = browser.get("/api/runs")["runs"]
    assert (row["state"], row["live"]) == ("crashed", False)
    assert browser.post("/api/jobs/vae/stop", status=409)["error"]


def test_which_data_are_at_hand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LATENTIA_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert is_local("digits") and is_local("mine.npz") and not is_local("kmnist")
    (tmp_path / "kmnist").mkdir()
    names = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte.gz")
    for name in names:
        (tmp_path / "kmnist" / name).touch()
    assert not is_local("kmnist")
    (tmp_path / "kmnist" / "t10k-labels-idx1-ubyte.gz").touch()
    assert is_local("kmnist") and is_local("kmnist", "/no/such/folder")


def test_data_are_not_downloaded_to_look_at_a_run(
    own: Path, browse: Callable[[Path], Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("LATENTIA_DATA_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("latentia.data.files.download", None)
    config = own / "vae" / "config.toml"
    config.write_text(config.read_text().replace('source = "digits"', 'source = "kmnist"'))
    browser = browse(own)
    view = browser.get("/api/runs/vae")["views"]["latent"]
    assert not view["ok"] and "latentia data show kmnist" in view["why"]
    assert "data show kmnist" in browser.get("/api/runs/vae/latents", 409)["error"]
    (own / "vae" / "doctor.json").unlink(missing_ok=True)
    assert any("data show kmnist" in sentence for sentence in browser.get("/api/runs/vae/health")["missing"])
    answer = browser.client.post("/api/runs/vae/path", json={"a": [0] * 20, "b": [1] * 20})
    assert answer.status_code == 200


def test_a_studio_can_begin_with_a_training(own: Path, started: list[Started]) -> None:
    begin = {"preset": "vae", "data": "digits", "settings": {"training.epochs": 2}, "name": "mine", "snapshots": 5}
    prepared = prepare(own, begin=begin)
    prepared.listening.close()
    assert prepared.link.endswith("#/run/mine") and "--set=training.epochs=2" in started[0].arguments
