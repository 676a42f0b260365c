"""`python -m bot` and the `backport-bot` command."""

from bot.cli import main

if __name__ == "__main__":
    main()
