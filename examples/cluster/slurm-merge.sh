#!/bin/bash
# Joins the shards of slurm-array.sh and writes the table, the record and the page.
#SBATCH --job-name=htdml-merge
#SBATCH --ntasks=1
#SBATCH --time=00:05:00
set -euo pipefail
experiment=${1:?the experiment, such as exp2}
out=${2:?the folder that all tasks share}

exec ${HTDML:-npx htdml} merge "$out/$experiment".shard-*.jsonl --out "$out" --report
