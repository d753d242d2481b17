"""What features say: points, projections, separability, and linear identification."""
