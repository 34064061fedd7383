"""Many Gibbs chains of an Ising model in thrml 0.1.3 on JAX, jitted and mapped over chains, float32 as it has them.

Reads one JSON object per line, {"spins", "edges", "couplings", "biases", "blocks", "chains", "sweeps", "seed"}, and answers each with {"seconds", "cpu", "energies"}: chains from uniform spins run so many sweeps,
blocks in order; "cpu" are the seconds of all threads, and the energies are of the last states at beta = 1. The first call of a structure compiles and runs once before it is timed.
"""
import json
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
from thrml.block_management import Block
from thrml.block_sampling import SamplingSchedule, sample_states
from thrml.models.ising import IsingEBM, IsingSamplingProgram
from thrml.pgm import SpinNode


def make(question):
    spins, edges, blocks = question["spins"], question["edges"], question["blocks"]
    nodes = [SpinNode() for _ in range(spins)]
    model = IsingEBM(
        nodes,
        [(nodes[i], nodes[j]) for i, j in edges],
        jnp.array(question["biases"]),
        jnp.array(question["couplings"]),
        jnp.array(1.0),
    )
    free = [Block([nodes[i] for i in block]) for block in blocks]
    program = IsingSamplingProgram(model, free, clamped_blocks=[])
    schedule = SamplingSchedule(n_warmup=question["sweeps"], n_samples=1, steps_per_sample=1)

    def one(key):
        starts = jax.random.split(key, len(blocks) + 1)
        state = [jax.random.bernoulli(k, 0.5, (len(block),)) for k, block in zip(starts[1:], blocks)]
        return sample_states(starts[0], program, schedule, state, [], [Block(nodes)])[0][0]

    return jax.jit(jax.vmap(one))


made = {}
for line in sys.stdin:
    question = json.loads(line)
    structure = json.dumps([question[k] for k in ("spins", "chains", "sweeps")])
    keys = jax.random.split(jax.random.key(question["seed"]), question["chains"])
    if structure not in made:
        made[structure] = make(question)
        made[structure](keys).block_until_ready()
    began, worked = time.perf_counter(), time.process_time()
    last = made[structure](keys).block_until_ready()
    seconds, cpu = time.perf_counter() - began, time.process_time() - worked
    x = 2.0 * np.asarray(last) - 1
    i, j = np.array(question["edges"]).T
    energies = -(x[:, i] * x[:, j]) @ np.array(question["couplings"]) - x @ np.array(question["biases"])
    print(json.dumps({"seconds": seconds, "cpu": cpu, "energies": energies.tolist()}), flush=True)
