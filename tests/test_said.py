"""A test that fails is reported with what servers and pages said."""

import subprocess
import sys
from pathlib import Path

from tests.said import LINES_MAX

ROOT = Path(__file__).parents[1]
FAILS = f"""
from tests.said import Said

LONG_GONE = Said("a server of another test")
LONG_GONE.hear("not of interest")
LONG_GONE.over = True

def test_it():
    page = Said("the page of Ann")
    for number in range({LINES_MAX + 1}):
        page.hear(f"line {{number}}.")
    assert False
"""


def test_the_report_has_the_last_lines_of_those_who_matter(tmp_path: Path) -> None:
    (tmp_path / "test_inner.py").write_text(FAILS)
    pytest = (sys.executable, "-m", "pytest", "-p", "tests.conftest", "--rootdir", str(ROOT))
    done = subprocess.run(
        [*pytest, "-c", str(ROOT / "pyproject.toml"), str(tmp_path / "test_inner.py")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 failed" in done.stdout, done.stdout + done.stderr
    assert "Last said by the page of Ann" in done.stdout
    assert f"line {LINES_MAX}." in done.stdout
    assert "line 0." not in done.stdout
    assert "not of interest" not in done.stdout
