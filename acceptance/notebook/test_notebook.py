"""The notebook of the built-in example, executed without a browser through `salvia exec`, and its outputs looked at."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

from harness import run

root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
folder = tempfile.mkdtemp(prefix="salvia-notebook-")
state = {}


def it_runs_from_its_first_cell_to_its_last():
    programs = os.path.dirname(sys.executable)
    # Nothing of the suite's own server or credentials: exec has to bring all of it.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    clean["PATH"] = programs + os.pathsep + clean["PATH"]
    command = [os.environ["SALVIA_TEST_NODE"], os.path.join(root, "bin", "salvia.js"), "exec", "--serve"]
    command += ["--data", os.path.join(folder, "data"), "--log-level", "warn", "--"]
    command += ["jupyter", "nbconvert", "--to", "notebook", "--execute", "--output-dir", folder, "kmeans_mnist.ipynb"]
    example = os.path.join(root, "examples", "built_in_kmeans_mnist")
    done = subprocess.run(command, cwd=example, env=clean, capture_output=True, text=True, timeout=420)
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    with open(os.path.join(folder, "kmeans_mnist.ipynb")) as file:
        cells = json.load(file)["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    state["text"] = "".join("".join(output["text"]) for output in outputs if output["output_type"] == "stream")
    state["pictures"] = [output for output in outputs if "image/png" in output.get("data", {})]
    state["errors"] = [output for output in outputs if output["output_type"] == "error"]


def it_trained_twice_and_asked_twice():
    assert state["errors"] == []
    purities = [float(value) for value in re.findall(r"purity (0\.\d+)", state["text"])]
    assert len(purities) == 2 and min(purities) >= 0.5, purities
    assert "merged 200 centres of 2 hosts, from 9000 records" in state["text"], state["text"][-3000:]
    assert re.search(r"Completed\s+Training job completed", state["text"]), state["text"][-3000:]


def it_showed_digits_groups_centres_and_the_oddest():
    assert len(state["pictures"]) == 14, len(state["pictures"])


def it_left_no_endpoint_in_service():
    assert "endpoints in service: []" in state["text"]
    shutil.rmtree(folder)


run(
    [
        it_runs_from_its_first_cell_to_its_last,
        it_trained_twice_and_asked_twice,
        it_showed_digits_groups_centres_and_the_oddest,
        it_left_no_endpoint_in_service,
    ]
)
