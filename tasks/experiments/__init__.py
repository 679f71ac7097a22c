"""The experiments: one TOML file each, with frozen data beside. Read them with `scaledetect.load_experiment`."""
