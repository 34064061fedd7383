"""Energies of a fully connected Ising model without biases, and where its spins' flips lead: what the SciPy programs build their matrices from."""
import itertools

import numpy as np


def table(spins, couplings, even):
    """Energies of all states, or of those whose last spin is down, and per spin the states after its flip; there the last spin's flips all others."""
    bits = spins - 1 if even else spins
    n = 2**bits
    states = np.arange(n)
    x = np.where((states[None, :] >> np.arange(spins)[:, None]) & 1, 1.0, -1.0)
    energy = np.zeros(n)
    for (i, j), c in zip(itertools.combinations(range(spins), 2), couplings):
        energy -= c * x[i] * x[j]
    return energy, [states ^ (1 << i) if i < bits else states ^ (n - 1) for i in range(spins)]
