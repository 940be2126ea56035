"""The training notebook runs from top to bottom on any trade log, and is kept without outputs."""

from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from data.trade_log import TradeLog
from tests.unit.ml.logs import records, with_twins, written

NOTEBOOK = Path(__file__).parents[3] / "ml" / "training.ipynb"


def kept() -> NotebookNode:
    notebook: NotebookNode = nbformat.reads(NOTEBOOK.read_text(encoding="utf-8"), as_version=4)  # type: ignore[no-untyped-call]
    return notebook


def run(trade_log: Path) -> str:
    """Execute the notebook on a trade log and return all it said."""
    notebook = kept()
    (parameters,) = (cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", []))
    parameters.source = f"TRADE_LOG = {str(trade_log)!r}"
    NotebookClient(notebook, timeout=100, resources={"metadata": {"path": str(NOTEBOOK.parent)}}).execute()
    return "\n".join(_said(output) for cell in notebook.cells for output in cell.get("outputs", []))


def _said(output: NotebookNode) -> str:
    return str(output.get("text") or output.get("data", {}).get("text/plain", ""))


def test_it_fits_a_model_and_concludes_no_more_than_it_may(tmp_path: Path) -> None:
    said = run(written(tmp_path, with_twins(records(200, skill=0.0))))
    assert "closed positions in" in said
    assert "walk-forward on" in said
    assert "real − twin: -0.020 R" in said
    assert "The model stays out of use" in said
    assert "no evidence of edge" in said


def test_it_says_so_when_there_is_nothing_to_learn_from(tmp_path: Path) -> None:
    TradeLog(tmp_path)
    said = run(tmp_path)
    assert "0 closed positions" in said
    assert "Nothing yet" in said


def test_it_is_kept_without_outputs() -> None:
    cells = kept().cells
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in cells)
