"""Lines of libsvm (`[label[:weight]] index:value …`) as a sparse matrix, for XGBoost. Indices as they stand."""
import numpy as np


def rows_of(body, labelled=False):
    """A scipy CSR matrix of float32, one row per line that is not empty; with `labelled` also the labels and weights (None: no weight).

    The first word of a labelled line is its label. Raises ValueError for what is no libsvm."""
    from scipy.sparse import csr_matrix

    data, indices, starts, labels, weights = [], [], [0], [], []
    for number, line in enumerate(body.decode("utf8").splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        try:
            if labelled:
                label, _, weight = words.pop(0).partition(":")
                labels.append(float(label))
                weights.append(float(weight) if weight else None)
            for word in words:
                index, colon, value = word.partition(":")
                if colon and index != "qid":
                    indices.append(int(index))
                    data.append(float(value))
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error
        starts.append(len(data))
    if min(indices, default=0) < 0:
        raise ValueError("an index is negative")
    width = max(indices, default=-1) + 1
    rows = csr_matrix((np.array(data, dtype=np.float32), indices, starts), shape=(len(starts) - 1, width))
    return (rows, labels, weights) if labelled else rows
