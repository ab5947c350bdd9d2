"""The product where a machine may be slow: `python -m tests.e2e.unhurried serve …`, otherwise as it
is. What it depends on is not away because it took seconds.
"""

from tests.patience import patient

if __name__ == "__main__":
    with patient():
        from signaling.cli import main

        main()
