import subprocess
import sys

FORBIDDEN = ("lightgbm", "sklearn", "onnx", "torch", "scipy", "dataflows", "bytewax", "backtest")


def test_server_imports_nothing_that_models_are_trained_with() -> None:
    script = f"import sys, inference.server; print([name for name in {FORBIDDEN} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_help_pages_import_neither_the_training_nor_the_runtime() -> None:
    script = ("import sys, inference.commands; "
              f"print([name for name in {(*FORBIDDEN, 'onnxruntime', 'grpc')} if name in sys.modules])")
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
