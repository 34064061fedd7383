"""Value and gradient of log R_hat (full, random-scan) of a model without biases, in JAX, float64, jitted.

Reads one JSON object per line, {"spins", "visible", "edges", "couplings", "teacher", "variant", "consecutive"}, and answers each with {"value", "gradient", "seconds"}; "teacher" holds the
couplings of a model of the same graph, whose visible law is the data. Seconds are the mean of so many consecutive calls. The first call of a structure compiles and runs once before it is timed. Variants: "full", a dense
solve on all states as one writes it at first; "even", on the states whose last spin is down, symmetrised and by Cholesky, as one writes it knowing the symmetry (all spins visible).
"""
import json
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)


def tables(spins, edges, even):
    bits = spins - 1 if even else spins
    states = np.arange(2**bits)
    x = np.where((states[:, None] >> np.arange(spins)) & 1, 1.0, -1.0)
    features = -np.stack([x[:, i] * x[:, j] for i, j in edges], axis=1)
    flips = np.stack([states ^ (1 << i) if i < bits else states ^ (2**bits - 1) for i in range(spins)])
    return jnp.asarray(features), jnp.asarray(flips)


def make(spins, visible, edges, even):
    features, flips = tables(spins, edges, even)
    n = features.shape[0]
    rows = jnp.arange(n)

    def visible_law(theta):
        weights = jax.nn.softmax(-(features @ theta))
        return weights if visible == spins else weights.reshape(-1, 2**visible).sum(axis=0)

    def log_rhat(theta, data):
        energy = features @ theta
        pi = jax.nn.softmax(-energy)
        # Hidden spins by the model's posterior; visible spins are the low bits.
        joint = data
        if visible < spins:
            joint = (jax.nn.softmax(-energy.reshape(-1, 2**visible), axis=0) * data).reshape(-1)
        g = (joint - pi) @ features
        fc = features - pi @ features
        if even:
            # I - A, A = D^(1/2) P D^(-1/2), in one scatter: the diagonal is the sum of flip probabilities.
            delta = energy[flips] - energy
            off = -0.5 / jnp.cosh(delta / 2) / spins
            root = jnp.sqrt(pi)
            matrix = jnp.outer(root, root).at[rows, flips].add(off, unique_indices=True)
            matrix = matrix.at[rows, rows].add(jnp.sum(jax.nn.sigmoid(-delta), axis=0) / spins, unique_indices=True)
            y = root[:, None] * fc
            # Its derivative takes another solve with the same factor, and none of the factorisation.
            u = jax.scipy.linalg.solve(matrix, y, assume_a="pos")
            timescale = jnp.sum(y * u) - jnp.sum(y * y) / 2
        else:
            p = jnp.zeros((n, n))
            for i in range(spins):
                flip = jax.nn.sigmoid(-(energy[flips[i]] - energy))
                p = p.at[rows, flips[i]].add(flip / spins)
                p = p.at[rows, rows].add((1 - flip) / spins)
            u = jnp.linalg.solve(jnp.eye(n) - p + pi[None, :], fc)
            timescale = jnp.sum(pi[:, None] * fc * (u - fc / 2))
        return jnp.log(jnp.sum(g**2)) - jnp.log(timescale)

    return jax.jit(jax.value_and_grad(log_rhat)), jax.jit(visible_law)


compiled = {}
for line in sys.stdin:
    case = json.loads(line)
    key = (case["spins"], case["visible"], str(case["edges"]), case["variant"])
    theta = jnp.asarray(case["couplings"])
    fresh = key not in compiled
    if fresh:
        compiled[key] = make(case["spins"], case["visible"], case["edges"], case["variant"] == "even")
    function, visible_law = compiled[key]
    data = visible_law(jnp.asarray(case["teacher"]))
    data.block_until_ready()
    if fresh:
        jax.block_until_ready(function(theta, data))
    began = time.perf_counter()
    for _ in range(case["consecutive"]):
        value, gradient = jax.block_until_ready(function(theta, data))
    seconds = (time.perf_counter() - began) / case["consecutive"]
    print(json.dumps({"value": float(value), "gradient": np.asarray(gradient).tolist(), "seconds": seconds}), flush=True)
