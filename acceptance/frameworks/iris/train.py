"""A script as users write it for SageMaker's scikit-learn image."""
import argparse
import os

import joblib
import pandas as pd
from sklearn.tree import DecisionTreeClassifier

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--max_leaf_nodes", type=int, default=-1)
    parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
    parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
    arguments = parser.parse_args()
    files = [os.path.join(arguments.train, name) for name in os.listdir(arguments.train)]
    rows = pd.concat([pd.read_csv(file, header=None) for file in files])
    tree = DecisionTreeClassifier(max_leaf_nodes=arguments.max_leaf_nodes, random_state=0)
    tree.fit(rows.iloc[:, 1:], rows.iloc[:, 0])
    print(f"train accuracy: {tree.score(rows.iloc[:, 1:], rows.iloc[:, 0]):.4f}")
    joblib.dump(tree, os.path.join(arguments.model_dir, "model.joblib"))


def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))
