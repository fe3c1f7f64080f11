"""The wire shapes of answers: dictionaries with Binance's names, built from the core's values.

The shapes follow the official examples as of August 2026; tests compare the two, field by field.
"""
