#!/bin/bash
# An experiment over the tasks of a Slurm array, joined by a job that starts when all are done:
#
#   shards=$(sbatch --parsable slurm-array.sh exp2 results)
#   sbatch --dependency=afterok:$shards slurm-merge.sh exp2 results
#
# Give --array on sbatch's command line for another number of tasks. A task that was killed and is queued again goes on where it stopped.
#SBATCH --job-name=htdml-reproduce
#SBATCH --array=1-8
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --mem-per-cpu=1G
#SBATCH --time=01:00:00
#SBATCH --requeue
set -euo pipefail
experiment=${1:?the experiment, such as exp2}
out=${2:?the folder that all tasks share}

# The shard is read from SLURM_ARRAY_TASK_ID and SLURM_ARRAY_TASK_COUNT. HTDML may be set to another way to start htdml.
exec ${HTDML:-npx htdml} reproduce "$experiment" --out "$out" --jobs "${SLURM_CPUS_PER_TASK:-1}"
