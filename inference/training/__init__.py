"""Training: from tapes to a bundle. Needs the `train` extra; nothing that serves imports it.

`rows` reads tapes through the live actors, `dataset` labels and splits, `regime` and `alpha` fit, `calibration` sets
error sizes and thresholds, `graphs` exports to ONNX, `evaluation` measures out of sample, `card` writes it down.
`building` does all of that in order, and `pipeline` joins the ends: tapes in, a bundle in the registry out.
"""
