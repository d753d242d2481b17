"""Attribution: path integrals of gradients (`paths`) and local attribution maps (`lam`)."""
