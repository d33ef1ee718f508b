"""Lines of libsvm (`[label] index:value …`) as a sparse matrix, for XGBoost's default input_fn. Indices as they stand."""
import numpy as np


def rows_of(body):
    """A scipy CSR matrix of float32, one row per line that is not empty."""
    from scipy.sparse import csr_matrix

    data, indices, starts = [], [], [0]
    for line in body.decode("utf8").splitlines():
        if not line.strip():
            continue
        for word in line.split():
            index, colon, value = word.partition(":")
            if colon:
                indices.append(int(index))
                data.append(float(value))
        starts.append(len(data))
    width = max(indices, default=-1) + 1
    return csr_matrix((np.array(data, dtype=np.float32), indices, starts), shape=(len(starts) - 1, width))
