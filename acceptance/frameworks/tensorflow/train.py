"""A script as users write it for SageMaker's TensorFlow image: Keras learns a line of three features, saved for TensorFlow Serving."""
import argparse
import os

import numpy as np
import tensorflow as tf

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=1)
    # The SDK's own: an S3 prefix for checkpoints, which a script may leave alone.
    parser.add_argument("--model_dir")
    parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
    arguments = parser.parse_args()
    tf.keras.utils.set_random_seed(1)
    rows = np.loadtxt(os.path.join(arguments.train, "line.csv"), delimiter=",", dtype="float32")
    model = tf.keras.Sequential([tf.keras.Input((3,), name="features"), tf.keras.layers.Dense(1)])
    model.compile(optimizer=tf.keras.optimizers.Adam(0.1), loss="mse")
    history = model.fit(rows[:, 1:], rows[:, 0], epochs=arguments.epochs, batch_size=32, verbose=0)
    print(f"tensorflow {tf.__version__}: loss: {history.history['loss'][-1]:.6f}")
    print(f"model_dir is {arguments.model_dir}")
    model.export(os.path.join(os.environ["SM_MODEL_DIR"], "1"))
