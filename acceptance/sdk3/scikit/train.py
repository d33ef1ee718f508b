"""What a user would hand to ModelTrainer: reads its channel and hyperparameters as SageMaker promises them, and writes a model."""
import argparse
import json
import os
import pathlib

import humanize
import joblib
import numpy as np
from sklearn.cluster import KMeans

arguments = argparse.ArgumentParser()
arguments.add_argument("--clusters", type=int, required=True)
arguments.add_argument("--note", default="")
given = arguments.parse_args()

folder = pathlib.Path(os.environ["SM_CHANNEL_TRAIN"])
rows = np.concatenate([np.loadtxt(path, delimiter=",") for path in sorted(folder.glob("*.csv"))])
model = KMeans(given.clusters, n_init=1, random_state=1).fit(rows)
target = pathlib.Path(os.environ["SM_MODEL_DIR"])
joblib.dump(model, target / "model.joblib")
(target / "seen.json").write_text(
    json.dumps(
        {
            "files": sorted(path.name for path in folder.iterdir()),
            "hyperparameters": json.loads(os.environ["SM_HPS"]),
            "host": os.environ["SM_CURRENT_HOST"],
            "folder": os.getcwd(),
            "note": given.note,
        }
    )
)
pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"], "inertia.txt").write_text(f"{model.inertia_}")
print(f"clustered {humanize.intcomma(len(rows))} rows")
