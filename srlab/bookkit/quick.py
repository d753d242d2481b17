"""The notebooks' quick parameters: each runs in ten seconds, for the tests. One table for all."""

from typing import Any

QUICK: dict[str, dict[str, Any]] = {
    "ddr/adversarial_learning": {
        "num_patches": 20,
        "num_quality": 4,
        "training_seeds": [0, 1],
        "blocks": [1, 8, 16],
    },
    "ddr/degradation_degrees": {
        "num_patches": 20,
        "noise_levels": [5, 15, 30],
        "blur_levels": [1, 3, 6],
        "training_seeds": [0],
        "draws": 20,
        "num_travellers": 8,
    },
    "ddr/degradations_cluster": {"num_patches": 20, "training_seeds": [0]},
    "ddr/distortion_identification": {"num_pictures": 5, "num_splits": 4, "block": 2},
    "ddr/explorer": {"num_patches": 20, "blocks": [1, 16], "snapshots": [1000], "methods": ["pca"]},
    "ddr/feature_maps": {"num_patches": 12, "training_seeds": [0, 1], "blocks": [1, 16]},
    "ddr/generalization_index": {
        "training_seeds": [0],
        "snapshots": [],
        "num_patches": 10,
        "restored": 4,
        "size": 12,
        "perplexity": 10,
    },
    "ddr/global_residual": {
        "num_patches": 20,
        "training_seeds": [0, 1],
        "blocks": [1, 8, 16],
        "tsne_runs": 1,
        "umap": False,
    },
    "ddr/projection_choice": {
        "num_patches": 20,
        "training_seeds": [0],
        "dimensions": [2, 3, 5],
        "perplexities": [5, 30],
        "starts": [0, 1],
        "umap": False,
    },
    "ddr/real_cameras": {"num_patches": 20, "training_seeds": [0, 1], "blocks": [1, 16]},
    "ddr/network_depth": {"num_patches": 20, "depths": [3, 7, 13], "size": 12, "perplexity": 10},
    "ddr/training_degradations": {
        "num_patches": 20,
        "training_seeds": [0],
        "blocks": [1, 16],
        "size": 16,
        "restored": 4,
        "perplexity": 10,
    },
    "ddr/training_evolution": {
        "num_patches": 20,
        "steps_with_gr": [0, 1000, 6000],
        "steps_without_gr": [0, 6000],
    },
    "lam/explorer": {"networks": ["fsrcnn"], "grid": 2, "steps": 4},
    "lam/method": {
        "image_sets": ["textures"],
        "limit": 1,
        "size": 96,
        "steps": 8,
        "published_steps": [8],
        "reference_steps": 16,
        "network": "fsrcnn",
    },
    "your_network": {"num_patches": 20, "steps": 4},
}
