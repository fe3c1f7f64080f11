"""Checking recordings with the gates of the stream: raw tapes, and CSV files of another recorder."""
