"""The report of a run: what the journals say happened, as a JSON summary, a table for a terminal and one HTML file.

It reads the stores and the tape and decides nothing. Money is exact decimals; only charts use floats.
"""
