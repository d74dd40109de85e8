"""What Square's API does, checked the same way on the emulator, on recordings and on Square.

`make contract` asks what Square's documentation leaves open, and prints the answers as a table.
"""
