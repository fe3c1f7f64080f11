"""Inference: the regime model, the alpha forecasts and the policy that turns both into an action.

`bundle`, `registry`, `runtime`, `policy` and `server` serve; they need numpy and ONNX Runtime and nothing else of the
machine-learning world. `training` makes bundles and is the only part that imports dataflows, LightGBM, scikit-learn
and onnx.
"""
