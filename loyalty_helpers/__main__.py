"""`python -m loyalty_helpers`: the `loyalty` command, where its script is not on the path."""

from loyalty_helpers.cli import main

main(prog_name="loyalty")
