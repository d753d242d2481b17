"""Run `srlab sweep` on workers that Slurm starts: everything after this file's name is passed on.

    python sweep_on_slurm.py ddr/global_residual -p image_set=b100 -p image_set=set14

Start it on a login node, in a terminal that lives as long as the sweep (tmux), in an environment
with srlab and with a checkout as the working folder. Adapt the constants to your cluster.
"""

import subprocess
import sys

from dask_jobqueue import SLURMCluster

JOBS = 8  # workers at a time; each takes one point after another
CPUS = 4  # of one worker
MEMORY = "8GiB"  # of one worker
OPTIONS = []  # further lines of the job script: ["--partition=gpu", "--gres=gpu:1", "--account=me"]

if __name__ == "__main__":
    cluster = SLURMCluster(
        cores=1,  # points at a time in one worker
        processes=1,
        job_cpu=CPUS,
        memory=MEMORY,
        walltime="04:00:00",
        job_extra_directives=OPTIONS,
        job_script_prologue=[f"export OMP_NUM_THREADS={CPUS}"],
        python=sys.executable,
    )
    with cluster:
        cluster.scale(jobs=JOBS)
        options = ["--scheduler", cluster.scheduler_address, "--memory", MEMORY]
        srlab = [sys.executable, "-c", "from srlab.cli import main; main()"]
        sys.exit(subprocess.run([*srlab, "sweep", *sys.argv[1:], *options]).returncode)
