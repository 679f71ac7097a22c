"""Plugin for an environment without torch: tests that need it are left out, and how many passed is checked.

``pytest -p versions.without_torch --least 1000``, as ``make test-python`` runs it on Python 3.12 and 3.13.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Generator

import pytest

Report = pytest.CollectReport | pytest.TestReport
MISSING = "No module named 'torch'"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--least", type=int, default=1, help="tests that must pass: all may not be left out")


def pytest_configure() -> None:
    if importlib.util.find_spec("torch") is not None:
        raise pytest.UsageError("torch is installed here: leave the plugin away")


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Report, Report]:
    return _left_out((yield))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Report, Report]:
    return _left_out((yield))


def pytest_sessionfinish(session: pytest.Session) -> None:
    least = session.config.getoption("least")
    passed = session.testscollected and len(_reporter(session).stats.get("passed", ()))
    if passed < least and not session.exitstatus:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        _reporter(session).write_line(f"only {passed} tests passed, at least {least} were to")


def _reporter(session: pytest.Session) -> pytest.TerminalReporter:
    found = session.config.pluginmanager.get_plugin("terminalreporter")
    assert isinstance(found, pytest.TerminalReporter)
    return found


def _left_out(report: Report) -> Report:
    if report.failed and MISSING in str(report.longrepr):
        report.outcome, report.longrepr = "skipped", (report.nodeid, 0, MISSING)
    return report
