"""What pyproject.toml cannot say: packages at the top of the repository, and a data file kept among the docs."""

from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

TOP = {
    "scaledetect.baselines": "baselines",
    "scaledetect.tasks": "tasks",
    "scaledetect.tasks.experiments": "tasks/experiments",
    "scaledetect.tasks.families": "tasks/families",
}
COPIED = {f"docs/{name}": f"scaledetect/reproduce/{name}" for name in ("hypotheses.toml", "hypotheses-images.toml")}


class BuildWithCopies(build_py):
    """Puts the copies into a wheel; an editable install reads the files where they are."""

    def run(self):
        """Build, then copy."""
        super().run()
        if not self.editable_mode:
            for source, target in COPIED.items():
                self.mkpath(str(Path(self.build_lib, target).parent))
                self.copy_file(source, str(Path(self.build_lib, target)))

    def get_outputs(self, include_bytecode=True):
        """Name the copies too."""
        copies = [] if self.editable_mode else [str(Path(self.build_lib, target)) for target in COPIED.values()]
        return [*super().get_outputs(include_bytecode), *copies]

    def get_source_files(self):
        """Name what is copied too."""
        return [*super().get_source_files(), *COPIED]


setup(
    packages=[*find_packages(include=["scaledetect", "scaledetect.*"]), *TOP],
    package_dir=TOP,
    cmdclass={"build_py": BuildWithCopies},
)
