"""One application of a Gibbs kernel in SciPy: CSR times a block of eight vectors and times one, the matrix given for free.

Reads one JSON object per line, {"spins", "couplings", "vectors"}, of a fully connected Ising model without biases in its even sector under random-scan, and answers each
with {"checksum", "seconds"}: the sum of the image's squares, where the block is cos(k^2 * 0.37) for its k-th number, and the best time of some. The matrix is kept.
"""
import json
import sys
import time

import numpy as np
import scipy.sparse

from gibbs import table

kept = {}


def matrix(spins, couplings):
    key = (spins, tuple(couplings))
    if kept.get("key") != key:
        energy, flips = table(spins, couplings, even=True)
        n = energy.size
        states = np.arange(n)
        rows, columns, values = [], [], []
        stay = np.ones(n)
        for other in flips:
            flip = 1 / (1 + np.exp(energy[other] - energy)) / spins
            rows.append(states)
            columns.append(other)
            values.append(flip)
            stay -= flip
        rows.append(states)
        columns.append(states)
        values.append(stay)
        entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
        kept["matrix"] = scipy.sparse.csr_matrix(entries, shape=(n, n))
        kept["key"] = key
    return kept["matrix"]


for line in sys.stdin:
    case = json.loads(line)
    p = matrix(case["spins"], case["couplings"])
    k = np.arange(p.shape[0] * case["vectors"], dtype=float)
    x = np.cos(k * k * 0.37).reshape(p.shape[0], case["vectors"])
    if case["vectors"] == 1:
        x = x[:, 0]
    y = p @ x
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        y = p @ x
        best = min(best, time.perf_counter() - began)
    print(json.dumps({"checksum": float(np.sum(y * y)), "seconds": best}), flush=True)
