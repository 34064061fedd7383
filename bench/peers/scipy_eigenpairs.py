"""Slowest eigenpairs of a Gibbs kernel in SciPy: eigsh (ARPACK) on the symmetric matrix A = D^(1/2) P D^(-1/2) of random-scan, largest eigenvalues, float64.

Reads one JSON object per line, {"spins", "couplings", "count", "tolerance", "space", "variant"}, of a fully connected Ising model without biases, and answers each with
{"gaps", "residual", "seconds"}: 1 - s of the `count` eigenvalues after the stationary one, ascending, the largest residual norm, and the time of eigsh alone. Spaces: "full",
all states; "even", the states whose last spin is down, as one writes it knowing the symmetry. Variants: "csr", the matrix; "operator", a LinearOperator of one product per
spin on reshaped arrays. What a variant needs is made before it is timed, and kept.
"""
import json
import sys
import time

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

from gibbs import table

kept = {}


def parts(spins, couplings, even):
    """Diagonal of A and, per spin, the entries that lead to the state after its flip."""
    energy, flips = table(spins, couplings, even)
    n = energy.size
    diagonal = np.zeros(n)
    entries = []
    for other in flips:
        delta = energy[other] - energy
        diagonal += 1 / (1 + np.exp(-delta)) / spins
        entries.append(0.5 / np.cosh(delta / 2) / spins)
    return n, n.bit_length() - 1, diagonal, flips, entries


def matrix(n, diagonal, flips, entries):
    rows = np.tile(np.arange(n), len(flips) + 1)
    columns = np.concatenate([*flips, np.arange(n)])
    return scipy.sparse.csr_matrix((np.concatenate([*entries, diagonal]), (rows, columns)), shape=(n, n))


def operator(n, bits, diagonal, entries):
    def matvec(x):
        x = x.ravel()
        y = diagonal * x
        for i, values in enumerate(entries):
            shape = (-1, 2, 2**i) if i < bits else (1, n, 1)
            y += values * x.reshape(shape)[:, ::-1].reshape(n)
        return y

    return scipy.sparse.linalg.LinearOperator((n, n), matvec=matvec, dtype=np.float64)


def prepared(case):
    key = (case["spins"], tuple(case["couplings"]), case["space"], case["variant"])
    if kept.get("key") != key:
        n, bits, diagonal, flips, entries = parts(case["spins"], case["couplings"], case["space"] == "even")
        csr = case["variant"] == "csr"
        kept["a"] = matrix(n, diagonal, flips, entries) if csr else operator(n, bits, diagonal, entries)
        kept["key"] = key
    return kept["a"]


for line in sys.stdin:
    case = json.loads(line)
    a = prepared(case)
    k = case["count"] + 1
    began = time.perf_counter()
    values, vectors = scipy.sparse.linalg.eigsh(a, k=k, which="LA", tol=case["tolerance"])
    seconds = time.perf_counter() - began
    residual = max(np.linalg.norm(a @ vectors[:, j] - values[j] * vectors[:, j]) for j in range(k))
    gaps = np.sort(1 - values)[1:]
    print(json.dumps({"gaps": gaps.tolist(), "residual": float(residual), "seconds": seconds}), flush=True)
