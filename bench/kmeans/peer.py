"""scikit-learn's side of the k-means bench.

peer.py passes ROWS.f32 CENTRES.f32 K WIDTH PASSES   answers each line on stdin with ms per Lloyd pass and the inertia
peer.py job ROWS.f32 MODEL.npy K WIDTH BATCH          the whole job: one epoch of mini-batches, model written
"""
import sys
import time

import numpy as np

command, rows_path, other_path, k, width, count = sys.argv[1:]
k, width, count = int(k), int(width), int(count)
rows = np.fromfile(rows_path, np.float32).reshape(-1, width)

if command == "job":
    from sklearn.cluster import MiniBatchKMeans

    model = MiniBatchKMeans(k, batch_size=count, max_iter=1, n_init=1, init="k-means++", random_state=0).fit(rows)
    np.save(other_path, model.cluster_centers_)
else:
    import warnings

    from sklearn.cluster import KMeans

    warnings.simplefilter("ignore")
    centres = np.fromfile(other_path, np.float32).reshape(k, width)

    def fit(passes):
        started = time.perf_counter()
        model = KMeans(k, init=centres, n_init=1, max_iter=passes, tol=0, algorithm="lloyd").fit(rows)
        return time.perf_counter() - started, model

    fit(2)
    print("ready", flush=True)
    for _ in sys.stdin:
        # The difference takes out what fit() does once: checks, centring, the last labelling.
        few, _model = fit(2)
        many, model = fit(2 + count)
        inertia = KMeans(k, init=centres, n_init=1, max_iter=count, tol=0).fit(rows).inertia_
        print((many - few) / (model.n_iter_ - 2) * 1000, inertia, flush=True)
