"""`python -m signaling` is `tokenim`."""

from signaling.cli import main

if __name__ == "__main__":
    main()
