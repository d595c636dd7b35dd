"""The helper's side of `holes`: answers a keyed question on many ports, and is silent to everybody else."""
