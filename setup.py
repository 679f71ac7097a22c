"""What pyproject.toml cannot say: which packages there are, as some of them live at the top of the repository."""

from setuptools import find_packages, setup

TOP = {
    "scaledetect.baselines": "baselines",
    "scaledetect.tasks": "tasks",
    "scaledetect.tasks.experiments": "tasks/experiments",
}

setup(packages=[*find_packages(include=["scaledetect", "scaledetect.*"]), *TOP], package_dir=TOP)
