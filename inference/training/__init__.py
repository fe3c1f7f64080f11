"""Training: from tapes to a bundle. Needs the `train` extra; nothing that serves imports it.

`rows` reads tapes through the live actors, `dataset` labels and splits, `regime` and `alpha` fit, `graphs` exports to
ONNX, `evaluation` measures out of sample, `card` writes it down, and `pipeline` does all of it in order.
"""
