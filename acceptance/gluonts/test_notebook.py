"""The notebook that brings its own container, executed without a browser through `salvia exec` and a Docker Engine, and its outputs looked at."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from docker_base import build_flags, docker, make_base
from harness import Skipped, run

root = pathlib.Path(__file__).resolve().parent.parent.parent
example = root / "examples" / "bring_your_own_gluonts"
folder = pathlib.Path(tempfile.mkdtemp(prefix="salvia-gluonts-"))
state = {}


def the_builds_base_has_this_machines_certificates_and_its_package_index():
    make_base()
    state["has base"] = True


def it_runs_from_its_first_cell_to_its_last():
    if not state.get("has base"):
        raise Skipped("there is no base image to build on")
    # Nothing of the suite's own server or credentials: exec has to bring all of it.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    clean["PATH"] = f"{pathlib.Path(sys.executable).parent}{os.pathsep}{clean['PATH']}"
    # With the PyTorch that Debian's mirrors have.
    clean["DOCKER_BUILD_FLAGS"] = " ".join([*build_flags(), "--build-arg", "ENGINE=debian"])
    command = [os.environ["SALVIA_TEST_NODE"], root / "bin" / "salvia.js", "exec", "--serve", "--compute", "docker"]
    command += ["--data", folder / "data", "--log-level", "warn", "--", "jupyter", "nbconvert", "--to", "notebook", "--execute"]
    command += ["--output-dir", folder, "bring_your_own_gluonts.ipynb"]
    started = time.monotonic()
    done = subprocess.run(list(map(str, command)), cwd=example, env=clean, capture_output=True, text=True, timeout=470)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    print(f"    the notebook took {time.monotonic() - started:.0f} s")
    cells = json.loads((folder / "bring_your_own_gluonts.ipynb").read_text())["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    state["text"] = "\n".join("".join(output["text"]) for output in outputs if output["output_type"] == "stream")
    state["pictures"] = [output for output in outputs if "image/png" in output.get("data", {})]


def text():
    if "text" not in state:
        raise Skipped("the notebook did not run to its end")
    return state["text"]


def it_built_pushed_and_trained():
    assert re.search(r"pushed: \d+ MB, sha256:[0-9a-f]{64}", text()), text()[-3000:]
    assert "Training job completed" in text() or "Completed\n" in text(), text()[-3000:]
    assert re.search(r"FileNotFoundError: .*hyperparameters\.json", text()), text()[-3000:]
    loss = float(re.search(r"train:loss: ([0-9.]+)", text()).group(1))
    epochs = [float(value) for value in re.findall(r"epoch=\d+ train_loss=([0-9.]+)", text())]
    assert len(epochs) >= 10 and epochs[-1] < epochs[0] and abs(epochs[-1] - loss) < 0.01, (loss, epochs)


def its_forecast_beats_both_seasonal_naives():
    errors = {
        method: float(value) for method, value in re.findall(r"^(.+?)  +registered .*both ([0-9.]+)%$", text(), re.MULTILINE)
    }
    assert errors["our forecast"] < errors["as a week ago"], errors
    assert errors["our forecast"] < errors["as yesterday"], errors
    inside = int(re.search(r"inside the interval: (\d+)%", text()).group(1))
    assert 50 <= inside <= 95, inside


def it_drew_the_data_the_forecasts_and_the_errors():
    text()
    assert len(state["pictures"]) == 3, len(state["pictures"])
    assert min(len(picture["data"]["image/png"]) for picture in state["pictures"]) > 10_000


def it_left_nothing_behind():
    assert "endpoints in service: []" in text()
    assert "repositories: []" in text()
    assert docker("image", "inspect", "gluonts-bikes").returncode != 0
    shutil.rmtree(folder)


run(
    [
        the_builds_base_has_this_machines_certificates_and_its_package_index,
        it_runs_from_its_first_cell_to_its_last,
        it_built_pushed_and_trained,
        its_forecast_beats_both_seasonal_naives,
        it_drew_the_data_the_forecasts_and_the_errors,
        it_left_nothing_behind,
    ]
)
