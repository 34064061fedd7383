"""Value and gradient of log R_hat (full, random-scan) of a fully connected Ising model without biases, in JAX, float64, jitted.

Reads one JSON object per line, {"spins", "couplings", "teacher", "variant"}, and answers each with {"value", "gradient", "seconds"}. The first call of a size compiles and
runs once before it is timed. Variants: "full", a dense solve on all states as one writes it at first; "even", on the states whose last spin is down, symmetrised and by
Cholesky, as one writes it knowing the symmetry.
"""
import itertools
import json
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)


def tables(spins, even):
    bits = spins - 1 if even else spins
    states = np.arange(2**bits)
    x = np.where((states[:, None] >> np.arange(spins)) & 1, 1.0, -1.0)
    pairs = list(itertools.combinations(range(spins), 2))
    features = -np.stack([x[:, i] * x[:, j] for i, j in pairs], axis=1)
    flips = np.stack([states ^ (1 << i) if i < bits else states ^ (2**bits - 1) for i in range(spins)])
    return jnp.asarray(features), jnp.asarray(flips)


def make(spins, even):
    features, flips = tables(spins, even)
    n = features.shape[0]
    rows = jnp.arange(n)

    def log_rhat(theta, data):
        energy = features @ theta
        logpi = -energy - jax.scipy.special.logsumexp(-energy)
        pi = jnp.exp(logpi)
        g = data - pi @ features
        fc = features - pi @ features
        if even:
            # I - A, A = D^(1/2) P D^(-1/2): the diagonal is the sum of flip probabilities.
            matrix = jnp.zeros((n, n))
            for i in range(spins):
                delta = energy[flips[i]] - energy
                matrix = matrix.at[rows, rows].add(jax.nn.sigmoid(-delta) / spins)
                matrix = matrix.at[rows, flips[i]].add(-0.5 / jnp.cosh(delta / 2) / spins)
            root = jnp.sqrt(pi)
            factor = jax.scipy.linalg.cho_factor(matrix + jnp.outer(root, root))
            y = root[:, None] * fc
            timescale = jnp.sum(y * jax.scipy.linalg.cho_solve(factor, y)) - jnp.sum(y * y) / 2
        else:
            p = jnp.zeros((n, n))
            for i in range(spins):
                flip = jax.nn.sigmoid(-(energy[flips[i]] - energy))
                p = p.at[rows, flips[i]].add(flip / spins)
                p = p.at[rows, rows].add((1 - flip) / spins)
            u = jnp.linalg.solve(jnp.eye(n) - p + pi[None, :], fc)
            timescale = jnp.sum(pi[:, None] * fc * (u - fc / 2))
        return jnp.log(jnp.sum(g**2)) - jnp.log(timescale)

    return jax.jit(jax.value_and_grad(log_rhat)), features


compiled = {}
for line in sys.stdin:
    case = json.loads(line)
    key = (case["spins"], case["variant"])
    theta = jnp.asarray(case["couplings"])
    fresh = key not in compiled
    if fresh:
        compiled[key] = make(case["spins"], case["variant"] == "even")
    function, features = compiled[key]
    data = jax.nn.softmax(-(features @ jnp.asarray(case["teacher"]))) @ features
    data.block_until_ready()
    if fresh:
        jax.block_until_ready(function(theta, data))
    began = time.perf_counter()
    value, gradient = jax.block_until_ready(function(theta, data))
    seconds = time.perf_counter() - began
    print(json.dumps({"value": float(value), "gradient": np.asarray(gradient).tolist(), "seconds": seconds}), flush=True)
