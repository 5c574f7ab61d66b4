"""`python -m runner` and the `shotrunner` script."""

import sys

from runner.cli import main as run


def main() -> None:
    sys.exit(run())


if __name__ == "__main__":
    main()
