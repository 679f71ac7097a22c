"""Malformed inputs by the thousand: each reader and public function works, or refuses by the package's own error.

``make fuzz`` runs 10^5 cases and prints the counts; `test_fuzz.py` runs some of them. A case is a pure function of its
target and its number: ``python -m fuzz TARGET NUMBER`` repeats it.
"""
