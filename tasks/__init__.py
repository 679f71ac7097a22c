"""The task cards, one TOML file each. Read them with `scaledetect.load_card`."""
