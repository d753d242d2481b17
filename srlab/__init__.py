"""srlab: what super-resolution networks know.

Models, degradations and attribution for looking inside super-resolution (SR) networks.
Start at `srlab.data.datasets.load_images`, `srlab.degradations.Degradation`,
`srlab.checkpoints.files.load_checkpoint`, `srlab.capture.capture` and
`srlab.attribution.lam.local_attribution`.
"""

__version__ = "0.1.0"
