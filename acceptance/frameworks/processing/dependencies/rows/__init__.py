import pathlib


def read(folder):
    return [int(line) for file in sorted(pathlib.Path(folder).iterdir()) for line in file.read_text().split()]
