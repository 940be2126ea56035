"""What happens to people who mistype: one clear sentence, the right exit code, nothing half-written."""

import re
import socket
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import main_v3


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let runs write below a folder of the test's own."""
    monkeypatch.setenv("PERPSCOUT_HOME", str(tmp_path / "var"))
    return tmp_path


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    assert said.out == ""
    return said.err.strip()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["demo", "--minuts", "3"], "--minuts"),
        (["demo", "--minutes", "none"], "'--minutes'"),
        (["demo", "--minutes", "0"], "'--minutes'"),
        (["demo", "--speed", "-1"], "'--speed'"),
        (["demo", "--from", "yesterday"], "2025-05-20"),
        (["scan", "--top", "0"], "'--top'"),
        (["sim", "--port", "99999"], "'--port'"),
        (["sim", "--host", "0.0.0.0"], "127.0.0.1"),  # noqa: S104 - refused
        (["replay"], "--data"),
        (["replay", "--data", "x", "--from", "2025-05-21", "--to", "2025-05-20"], "--to must be later"),
        *(
            ([command, "--data", "x", "--symbols", "5"], "--data plays all that it holds")
            for command in ("demo", "sim", "scan")
        ),
        (["conjure"], "conjure"),
    ],
)
def test_wrong_use_names_what_is_wrong_and_exits_with_2(
    arguments: list[str], words: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main_v3.main(arguments) == 2
    assert words in complaint(capsys)
    assert not (home / "var").exists()


def test_a_missing_candle_file_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main_v3.main(["replay", "--data", "nowhere.parquet"]) == 1
    assert "nowhere.parquet" in complaint(capsys)
    assert not (home / "var").exists()


def test_a_malformed_candle_file_is_named_with_its_column(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = home / "broken.parquet"
    pq.write_table(pa.table({"symbol": ["BTCUSDT"], "open_time": pa.array([0], pa.int64())}), path)
    assert main_v3.main(["replay", "--data", str(path)]) == 1
    assert "open" in complaint(capsys)
    assert not (home / "var").exists()


@pytest.mark.parametrize("command", ["demo", "scan"])
def test_a_missing_candle_file_is_refused_before_anything_starts(
    command: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main_v3.main([command, "--data", "nowhere.parquet"]) == 1
    assert "nowhere.parquet" in complaint(capsys)
    assert not (home / "var").exists()


def test_a_bad_setting_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("RISK_MAX_DRAWDOWN", "2")
    assert main_v3.main(["config"]) == 1
    assert "RISK_MAX_DRAWDOWN" in complaint(capsys)


def test_an_occupied_port_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main_v3.main(["sim", "--port", str(port), "--symbols", "2"]) == 1
    assert str(port) in complaint(capsys)


def test_a_folder_that_holds_a_run_is_not_written_over(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "journal.db").write_text("precious")
    assert main_v3.main(["demo", "--out", str(home)]) == 1
    assert "not empty" in complaint(capsys)
    assert (home / "journal.db").read_text() == "precious"


def test_a_folder_that_is_a_file_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "out").write_text("")
    assert main_v3.main(["demo", "--out", str(home / "out")]) == 1
    assert "out" in complaint(capsys)


@pytest.mark.parametrize("command", ["trade", "scan"])
@pytest.mark.parametrize("mode", ["testnet", "live"])
def test_a_mode_without_keys_is_wrong_use_and_tells_all_that_is_missing(
    command: str, mode: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main_v3.main([command, "--mode", mode]) == 2
    missing = [line.split()[0] for line in complaint(capsys).splitlines()]
    assert missing[:2] == ["BINANCE_API_KEY", "BINANCE_API_SECRET"]
    assert missing[2:] == (["To"] if mode == "live" else [])
    assert not (home / "var").exists()


@pytest.mark.fault(64)
@pytest.mark.parametrize(
    ("mode", "address"),
    [("live", "https://demo-fapi.binance.com"), ("live", "http://127.0.0.1:1"),
     ("testnet", "https://fapi.binance.com"), ("sim", "https://fapi.binance.com")],
)  # fmt: skip
def test_keys_and_an_address_of_another_mode_are_wrong_use(
    mode: str,
    address: str,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("BINANCE_API_KEY", "k3y")
    monkeypatch.setenv("BINANCE_API_SECRET", "canary-secret")
    monkeypatch.setenv("BINANCE_REST_URL", address)
    assert main_v3.main(["trade", "--mode", mode]) == 2
    sentence = complaint(capsys)
    assert sentence.startswith("BINANCE_REST_URL")
    assert "canary-secret" not in sentence
    assert "\n" not in sentence
    assert not (home / "var").exists()


def test_a_simulator_that_does_not_run_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BINANCE_REST_URL", "http://127.0.0.1:9")
    assert main_v3.main(["trade", "--mode", "paper"]) == 1
    assert "see that it runs" in complaint(capsys)


def test_a_recording_is_played_on_a_simulated_exchange_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main_v3.main(["scan", "--mode", "paper", "--data", "candles.parquet"]) == 2
    assert "--mode sim" in complaint(capsys)


def test_an_unknown_symbol_is_named_before_anything_starts(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main_v3.main(["scan", "--explain", "BTCUSTD"]) == 1
    assert "the nearest is BTCUSDT" in complaint(capsys)
    assert not (home / "var").exists()


def an_hour(home: Path) -> Path:
    """Write an hour of candles, from 2025-05-23T11:33."""
    minutes = [1_748_000_000_000 // 60_000 * 60_000 + minute * 60_000 for minute in range(60)]
    prices = {name: [100.0] * 60 for name in ("open", "high", "low", "close", "volume")}
    table = {"symbol": ["BTCUSDT"] * 60, "open_time": pa.array(minutes, pa.int64()), **prices}
    pq.write_table(pa.table(table), home / "short.parquet")
    return home / "short.parquet"


@pytest.mark.parametrize("command", ["demo", "replay"])
@pytest.mark.parametrize("start", ["2030-01-01", "9" * 20])
def test_a_time_that_a_recording_does_not_hold_is_refused_with_the_times_it_does(
    command: str, start: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main_v3.main([command, "--data", str(an_hour(home)), "--from", start]) == 1
    said = complaint(capsys)
    assert f"no candles to play at {start}" in said
    assert "from 2025-05-23T11:33 UTC to 2025-05-23T12:33 UTC" in said
    assert not (home / "var").exists()


def test_a_replay_that_would_end_before_the_recording_begins_is_refused(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    early = ["--from", "2020-01-01", "--to", "2020-01-02"]
    assert main_v3.main(["replay", "--data", str(an_hour(home)), *early]) == 1
    assert "no candles to play at 2020-01-01" in complaint(capsys)


@pytest.mark.parametrize("name", ["README.md", "candles.csv"])
def test_what_is_no_candle_file_is_told_what_one_is(
    name: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / name).write_text("symbol,open\nBTCUSDT,1\n", encoding="utf-8")
    assert main_v3.main(["demo", "--data", str(home / name)]) == 1
    said = complaint(capsys)
    assert "a row for each minute of a symbol" in said
    assert "download-data" in said


def test_a_recording_too_short_to_play_is_told_how_much_it_lacks(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main_v3.main(["demo", "--data", str(an_hour(home))]) == 1
    said = complaint(capsys)
    assert "1,400" in said
    assert "--from" in said
    assert not (home / "var").exists()


@pytest.mark.parametrize("arguments", [["-h"], ["trade", "-h"], ["trade", "--help"]])
def test_help_is_asked_for_by_its_short_name_too(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main_v3.main(arguments) == 0
    assert "Usage" in capsys.readouterr().out


def test_an_unknown_mode_is_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main_v3.main(["trade", "--mode", "yolo"]) == 2
    assert "yolo" in complaint(capsys)


def test_the_version_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main_v3.main(["version"]) == 0
    assert capsys.readouterr().out.startswith("perpscout ")


def test_parameters_of_the_strategies_are_shown_as_they_were_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PERPSCOUT_STRATEGY_PARAMETERS", "ict_smc.enabled=false, kernel.swing_leg=25")
    assert main_v3.main(["config"]) == 0
    shown = capsys.readouterr().out
    for line in ("ict_smc.enabled +false", "kernel.swing_leg +25", "kernel.internal_leg +5"):
        assert re.search(rf"(?m)^{line} ", shown)


@pytest.mark.parametrize("command", ["config", "demo"])
def test_a_parameter_that_can_not_be_is_refused_before_anything_starts(
    command: str, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PERPSCOUT_STRATEGY_PARAMETERS", "ict_smc.min_rom=1")
    assert main_v3.main([command]) == 1
    assert "the nearest is min_room" in complaint(capsys)
    assert not (home / "var").exists()


def test_settings_are_shown_with_secrets_masked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BINANCE_API_SECRET", "canary-secret")
    assert main_v3.main(["config"]) == 0
    said = capsys.readouterr()
    assert "BINANCE_API_SECRET" in said.out
    assert "canary-secret" not in said.out + said.err
    assert "weights.structure" in said.out
