"""thrml models to htdml and back, by a numpy file. Needs thrml (pip install thrml) and, for the demo, a built htdml.

To evaluate a thrml model, save it and its samples, and call htdml:

    np.savez("model.npz", edges=[[0, 3], [0, 4], ...], weights=model.weights, biases=model.biases, beta=model.beta)
    npx htdml evaluate model.npz --data samples.npy --kernel alternating-block --burn-in 99sweeps --window 1000sweeps

`edges` are pairs of positions in `model.nodes`; save_model below finds them. `samples.npy` has one row of all nodes per sample,
bool as thrml gives them. Energies agree: thrml's E = -beta (b.s + sum J s s) with law exp(-E) is beta times htdml's E. A thrml
SamplingSchedule(n_warmup, n_samples, steps_per_sample=1) keeps its first sample right after the warm-up, so that it is
--burn-in (n_warmup - 1) and --window n_samples. A thrml sweep updates all nodes block by block: the kernel alternating-block.
Save `blocks` too where htdml should sweep them in the order of your program.

    python3 examples/thrml/thrml_bridge.py              a small model to .npz, through htdml, back into thrml; checks that they are equal
    python3 examples/thrml/thrml_bridge.py --check      R measured with thrml's own sampler against htdml's exact R
"""

import argparse
import json
import pathlib
import subprocess
import tempfile

import jax
import jax.numpy as jnp
import numpy as np
from thrml import Block, SamplingSchedule, SpinNode, sample_states
from thrml.models import IsingEBM, IsingSamplingProgram

HTDML = ["node", str(pathlib.Path(__file__).resolve().parents[2] / "bin" / "htdml.js")]


def save_model(path, model, blocks=()):
    """Writes an IsingEBM, its nodes numbered in the order of model.nodes, and the blocks of its sampling program if given."""
    number = {node: i for i, node in enumerate(model.nodes)}
    if any(node not in number for edge in model.edges for node in edge):
        raise ValueError("an edge has a node that is not in model.nodes; add it there with a bias of 0")
    arrays = {
        "edges": np.array([[number[u], number[v]] for u, v in model.edges], dtype=np.int64).reshape(-1, 2),
        "weights": np.asarray(model.weights),
        "biases": np.asarray(model.biases),
        "beta": np.asarray(model.beta),
    }
    if blocks:
        arrays["blocks"] = np.zeros(len(model.nodes), dtype=np.int64)
        for c, block in enumerate(blocks):
            for node in block:
                arrays["blocks"][number[node]] = c
    np.savez(path, **arrays)


def load_model(path):
    """The IsingEBM in a .npz file, an RBM's visible nodes first. A model without biases gets biases of 0."""
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    if "edges" in arrays:
        edges, weights = arrays["edges"], arrays["weights"]
        spins = arrays["spins"] if "spins" in arrays else edges.max(initial=-1) + 1
        biases = arrays["biases"] if "biases" in arrays else np.zeros(int(spins))
    else:
        visible, hidden = arrays["weights"].shape
        edges = [(i, visible + j) for i in range(visible) for j in range(hidden)]
        weights = arrays["weights"].ravel()
        no_biases = np.zeros(visible), np.zeros(hidden)
        biases = np.concatenate([arrays.get("visible_biases", no_biases[0]), arrays.get("hidden_biases", no_biases[1])])
    nodes = [SpinNode() for _ in range(len(biases))]
    pairs = [(nodes[i], nodes[j]) for i, j in edges]
    return IsingEBM(nodes, pairs, jnp.asarray(biases), jnp.asarray(weights), jnp.asarray(arrays["beta"]))


def example():
    """Six spins, three and three, with couplings of both signs, and the blocks that a sampler alternates between."""
    nodes = [SpinNode() for _ in range(6)]
    edges = [(nodes[i], nodes[3 + j]) for i in range(3) for j in range(3)]
    weights = jnp.array([0.6, -0.3, 0.2, 0.4, 0.5, -0.6, -0.1, 0.7, 0.3])
    biases = jnp.array([0.1, -0.2, 0.0, 0.3, -0.1, 0.2])
    return IsingEBM(nodes, edges, biases, weights, jnp.array(2.0)), [Block(nodes[:3]), Block(nodes[3:])]


def samples_of(model, blocks, schedule, chains, seed):
    """Chains from uniformly random states: bool, shape (chains, n_samples, nodes)."""
    program = IsingSamplingProgram(model, blocks, clamped_blocks=[])

    def chain(key):
        first, rest = jax.random.split(key)
        keys = jax.random.split(first, len(blocks))
        start = [jax.random.bernoulli(k, 0.5, (len(block),)) for k, block in zip(keys, blocks)]
        return sample_states(rest, program, schedule, start, [], [Block(model.nodes)])[0]

    return jax.jit(jax.vmap(chain))(jax.random.split(jax.random.key(seed), chains))


def htdml(*arguments):
    return subprocess.run([*HTDML, *map(str, arguments)], check=True, capture_output=True, text=True).stdout


def round_trip(folder):
    """thrml -> .npz -> htdml -> .json -> htdml -> .npz -> thrml."""
    model, blocks = example()
    save_model(folder / "model.npz", model, blocks)
    htdml("convert", folder / "model.npz", folder / "model.json")
    htdml("convert", folder / "model.json", folder / "back.npz")
    back = load_model(folder / "back.npz")
    number = [{node: i for i, node in enumerate(m.nodes)} for m in (model, back)]
    pairs = [[(n[u], n[v]) for u, v in m.edges] for n, m in zip(number, (model, back))]
    assert pairs[0] == pairs[1], "the edges differ"
    for name in ("weights", "biases", "beta"):
        assert np.array_equal(getattr(model, name), getattr(back, name)), f"{name} differ"
    print(f"equal after the round trip: {len(model.nodes)} nodes, {len(pairs[0])} edges, weights, biases, beta")


def check(folder, chains=20_000, n_warmup=2, n_samples=5):
    """R of thrml's sampler, from the spread of many short runs, and the exact R."""
    model, blocks = example()
    teacher = IsingEBM(model.nodes, model.edges, 1.5 * model.biases, 0.6 * model.weights, model.beta)
    data = samples_of(teacher, blocks, SamplingSchedule(100, 1, 1), 500, seed=1)[:, 0]
    save_model(folder / "model.npz", model, blocks)
    np.save(folder / "samples.npy", data)
    schedule = ("--kernel", "alternating-block", "--window", n_samples, "--start", "uniform")
    files = ("evaluate", folder / "model.npz", "--data", folder / "samples.npy")
    exact = [json.loads(htdml(*files, *schedule, "--burn-in", n_warmup + k, "--json")) for k in (-2, -1, 0)]

    i, j = np.array([[model.nodes.index(node) for node in edge] for edge in model.edges]).T
    spins = lambda states: 2.0 * np.asarray(states) - 1
    observables = lambda s: -np.concatenate([s[..., i] * s[..., j], s], axis=-1)
    states = np.arange(64)[:, None] >> np.arange(6) & 1
    theta = np.concatenate([model.weights, model.biases]).astype(float)
    law = np.exp(-float(model.beta) * observables(spins(states)) @ theta)
    g = observables(spins(data)).mean(0) - law @ observables(spins(states)) / law.sum()

    runs = samples_of(model, blocks, SamplingSchedule(n_warmup, n_samples, 1), chains, seed=2)
    estimates = observables(spins(data)).mean(0) - observables(spins(runs)).mean(1)
    errors = ((estimates - g) ** 2).sum(1)
    R = g @ g / errors.mean()
    error = R * errors.std(ddof=1) / errors.mean() / np.sqrt(chains)
    less, right_one, more = [(R - e["operational"]["R"]) / error for e in exact]
    print(f"|g|^2: {g @ g:.6f} here, {exact[1]['signal']:.6f} from htdml")
    print(f"R from {chains} runs of thrml: {R:.5f} +- {error:.5f}; exact R from htdml: {exact[1]['operational']['R']:.5f}")
    print(f"they differ by {right_one:+.1f} standard errors; one sweep less or more of burn-in: {less:+.1f}, {more:+.1f}")
    assert abs(right_one) < 4 < min(abs(less), abs(more)), "thrml and htdml disagree"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare R with thrml's own sampler")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        (check if arguments.check else round_trip)(pathlib.Path(folder))
