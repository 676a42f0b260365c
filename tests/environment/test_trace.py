"""A trace holds what a run did, in OpenTelemetry's JSON, and costs nothing where nobody asked for it."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path
from typing import Any

import pytest

from bot.environment import trace


def _spans(file: Path) -> list[dict[str, Any]]:
    (resource,) = json.loads(file.read_text())["resourceSpans"]
    (scope,) = resource["scopeSpans"]
    return list(scope["spans"])


def _values(attributes: list[dict[str, Any]]) -> dict[str, str]:
    return {entry["key"]: next(iter(entry["value"].values())) for entry in attributes}


def test_spans_lie_in_each_other_and_have_their_times_and_attributes(tmp_path: Path) -> None:
    file = tmp_path / "trace.json"
    with trace.record({file: trace.render_json}, "run"), trace.span("outer", number=3), trace.span("inner") as inner:
        inner.attributes["word"] = "late"
    run, outer, inside = _spans(file)
    assert [span["name"] for span in (run, outer, inside)] == ["run", "outer", "inner"]
    assert "parentSpanId" not in run
    assert (outer["parentSpanId"], inside["parentSpanId"]) == (run["spanId"], outer["spanId"])
    assert _values(outer["attributes"]) == {"number": "3"}
    assert _values(inside["attributes"]) == {"word": "late"}
    assert len({span["traceId"] for span in (run, outer, inside)}) == 1
    assert int(run["startTimeUnixNano"]) <= int(inside["startTimeUnixNano"]) <= int(inside["endTimeUnixNano"])


def test_a_failure_marks_the_span_and_is_written_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "trace.json"
    with pytest.raises(ValueError, match="no"), trace.record({file: trace.render_json}, "run"), trace.span("broken"):
        raise ValueError("no")
    assert [span["status"] for span in _spans(file)] == [{"code": 2}, {"code": 2}]


def test_a_span_of_another_thread_belongs_to_the_run(tmp_path: Path) -> None:
    def work() -> None:
        with trace.span("elsewhere"):
            pass

    file = tmp_path / "trace.json"
    with trace.record({file: trace.render_json}, "run"), trace.span("here"):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    spans = {span["name"]: span for span in _spans(file)}
    assert spans["elsewhere"]["parentSpanId"] == spans["run"]["spanId"]


def test_requests_are_events_without_their_queries(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file, log = tmp_path / "trace.json", logging.getLogger("urllib3.connectionpool")
    with trace.record({file: trace.render_json}, "run"), trace.span("call"):
        log.debug('%s://%s:%s "%s %s %s" %s %s', "http", "host", 80, "GET", "/repos/a/b?secret=1", "HTTP/1.1", 200, 17)
    (event,) = _spans(file)[1]["events"]
    assert _values(event["attributes"]) == {"method": "GET", "path": "/repos/a/b", "status": "200", "bytes": "17"}
    assert not caplog.records, "what is traced is not logged besides"


def test_nothing_is_kept_where_nothing_is_recorded(tmp_path: Path) -> None:
    with trace.span("before"):
        pass
    with trace.record({tmp_path / "trace.json": trace.render_json}, "run"):
        pass
    assert [span["name"] for span in _spans(tmp_path / "trace.json")] == ["run"]
    assert not trace.is_recording()
