"""Derivatives of timescales in JAX, float64, as one writes them: T over all modes by a dense solve, and T of the slow cluster by an eigendecomposition, under random-scan.

Reads one JSON object per line, {"spins", "edges", "biased", "theta", "quantity"}, and answers each with {"value", "gradient"}; what is not finite is null.
"""
import json
import sys

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)
EPSILON = 1e-3
KAPPA = 2.5


def tables(spins, edges, biased):
    states = np.arange(2**spins)
    x = np.where((states[:, None] >> np.arange(spins)) & 1, 1.0, -1.0)
    columns = [x[:, i] * x[:, j] for i, j in edges] + ([x[:, i] for i in range(spins)] if biased else [])
    return -np.stack(columns, axis=1), np.stack([states ^ (1 << i) for i in range(spins)])


def make(case):
    spins = case["spins"]
    features, flips = tables(spins, case["edges"], case["biased"])
    n = features.shape[0]
    rows = jnp.arange(n)

    def kernel(theta):
        energy = features @ theta
        pi = jax.nn.softmax(-energy)
        p = jnp.zeros((n, n))
        for i in range(spins):
            flip = jax.nn.sigmoid(energy - energy[flips[i]])
            p = p.at[rows, flips[i]].add(flip / spins)
            p = p.at[rows, rows].add((1 - flip) / spins)
        return p, pi, features - pi @ features

    def full(theta):
        p, pi, fc = kernel(theta)
        u = jnp.linalg.solve(jnp.eye(n) - p + pi[None, :], fc)
        return jnp.sum(pi[:, None] * fc * (u - fc / 2))

    def cluster(theta):
        p, pi, fc = kernel(theta)
        root = jnp.sqrt(pi)
        a = root[:, None] * p / root[None, :]
        s, phi = jnp.linalg.eigh((a + a.T) / 2)
        s, phi = s[:-1], phi[:, :-1]
        weight = jnp.sum((phi.T @ (root[:, None] * fc)) ** 2, axis=1)
        frozen = jax.lax.stop_gradient
        # Eigenvalues that agree to 1e-8 are one group, and a group is relevant as a whole.
        same = jnp.abs(s[:, None] - s[None, :]) <= 1e-8
        relevant = frozen(same @ weight >= EPSILON * jnp.sum(weight))
        slowest = jnp.max(jnp.where(relevant, frozen(s), -jnp.inf))
        inside = 1 - frozen(s) <= KAPPA * (1 - slowest)
        return jnp.sum(jnp.where(inside, weight * (1 + s) / (2 * (1 - s)), 0))

    return jax.value_and_grad(full if case["quantity"] == "full" else cluster)


for line in sys.stdin:
    case = json.loads(line)
    value, gradient = make(case)(jnp.asarray(case["theta"], dtype=float))
    finite = lambda x: float(x) if np.isfinite(x) else None
    print(json.dumps({"value": finite(value), "gradient": [finite(g) for g in np.asarray(gradient)]}), flush=True)
