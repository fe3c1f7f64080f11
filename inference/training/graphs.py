"""The ONNX graphs, written node by node.

Converters exist, but they lose what matters here: they round thresholds to float32 (rows near a threshold then take the
other branch) and they join the features into matrix products, whose rounding depends on how many rows are asked about
at once. These graphs take float64 of shape (rows, features), give float64, and treat every row by itself.

Tree ensembles need ai.onnx.ml 5, whose TreeEnsemble knows float64 thresholds, weights and sums.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from inference.runtime import ROWS_NAME
from sluice.errors import InvariantError

_OPSETS = (("", 18), ("ai.onnx.ml", 5))
_IR_VERSION = 9
_BRANCH_LEQ = 0
_SUM = 1
_NO_TRANSFORM = 0

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MixtureParameters:
    """A Gaussian mixture of full covariance over scaled square roots of columns of the feature row.

    columns: indices of the d features. centre, scale: mean and standard deviation of their roots, shape (d,). means:
    shape (k, d). precisions_cholesky: shape (k, d, d), upper triangular, with inv(covariance) = P @ P.T. weights: shape
    (k,).
    """

    columns: tuple[int, ...]
    centre: Vector
    scale: Vector
    means: Vector
    precisions_cholesky: Vector
    weights: Vector


@dataclass(slots=True)
class _Graph:
    """Nodes and constants under construction; every method returns the name of its result."""

    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def constant(self, value: npt.NDArray[Any]) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name

    def node(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        name = output or f"value_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def model(self, name: str, features: int, output: str, width: int) -> bytes:
        graph = helper.make_graph(
            self.nodes, name, [helper.make_tensor_value_info(ROWS_NAME, TensorProto.DOUBLE, ["rows", features])],
            [helper.make_tensor_value_info(output, TensorProto.DOUBLE, ["rows", width])], self.constants)
        opsets = [helper.make_opsetid(domain, version) for domain, version in _OPSETS]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="sluice")
        onnx.checker.check_model(model, full_check=True)
        return bytes(model.SerializeToString(deterministic=True))


def mixture_graph(parameters: MixtureParameters, features: int) -> bytes:
    """Return the graph of log(weight_k * N(x; mean_k, covariance_k)), shape (rows, k).

    With z the scaled columns and P_k the Cholesky factor of the precision:

        log w_k + log det P_k - d/2 log 2pi - 1/2 * sum_e (sum_{j<=e} (z_j - mean_kj) * P_k[j, e])^2

    The sums are written out as single additions, whose order is thereby fixed.
    """
    graph = _Graph()
    centred = [_scaled_column(graph, parameters, index) for index in range(len(parameters.columns))]
    distances = [_whitened(graph, parameters, centred, dimension) for dimension in range(len(centred))]
    squares = [graph.node("Mul", distance, distance) for distance in distances]
    half = graph.node("Mul", _sum(graph, squares), graph.constant(np.array(-0.5)))
    graph.node("Add", half, graph.constant(_log_constants(parameters)), output="log_densities")
    return graph.model("regime", features, "log_densities", len(parameters.weights))


def _scaled_column(graph: _Graph, parameters: MixtureParameters, index: int) -> str:
    """Return (sqrt|x| - centre) / scale of one column, minus each component's mean: shape (rows, k)."""
    root = graph.node("Sqrt", graph.node("Abs", _column(graph, parameters.columns[index])))
    centred = graph.node("Sub", root, graph.constant(np.array(parameters.centre[index])))
    scaled = graph.node("Div", centred, graph.constant(np.array(parameters.scale[index])))
    return graph.node("Sub", scaled, graph.constant(parameters.means[:, index].copy()))


def _column(graph: _Graph, index: int) -> str:
    return graph.node("Gather", ROWS_NAME, graph.constant(np.array([index], np.int64)), axis=1)


def _whitened(graph: _Graph, parameters: MixtureParameters, centred: Sequence[str], dimension: int) -> str:
    factors = [graph.constant(parameters.precisions_cholesky[:, row, dimension].copy()) for row in range(dimension + 1)]
    return _sum(graph, [graph.node("Mul", value, factor)
                        for value, factor in zip(centred, factors, strict=False)])


def _sum(graph: _Graph, terms: Sequence[str]) -> str:
    total = terms[0]
    for term in terms[1:]:
        total = graph.node("Add", total, term)
    return total


def _log_constants(parameters: MixtureParameters) -> Vector:
    diagonal = np.diagonal(parameters.precisions_cholesky, axis1=1, axis2=2)
    dimensions = len(parameters.columns)
    constants: Vector = (np.log(parameters.weights) + np.log(diagonal).sum(axis=1)
                         - 0.5 * dimensions * np.log(2.0 * np.pi))
    return constants


@dataclass(frozen=True, slots=True)
class TreeParameters:
    """Boosted regressors over columns of the feature row, whose outputs are multiples of a volatility.

    dumps: LightGBM's `Booster.dump_model()`, one a target. columns: where in the feature row the boosters' features
    are. The forecast of target i is output_i * max(row[scale_column], scale_floor) * scale_factors[i].
    """

    dumps: tuple[Mapping[str, Any], ...]
    columns: tuple[int, ...]
    scale_column: int
    scale_floor: float
    scale_factors: tuple[float, ...]


@dataclass(slots=True)
class _Trees:
    """The flat arrays of a TreeEnsemble: one entry a branch, one a leaf, one root a tree."""

    columns: tuple[int, ...]
    roots: list[int] = field(default_factory=list)
    branches: list[dict[str, float]] = field(default_factory=list)
    leaf_targets: list[int] = field(default_factory=list)
    leaf_weights: list[float] = field(default_factory=list)

    def add_tree(self, root: Mapping[str, Any], target: int) -> None:
        """Add a tree of LightGBM's `dump_model`."""
        self.roots.append(self._add_branch(_with_a_branch(root), target))

    def _add_branch(self, node: Mapping[str, Any], target: int) -> int:
        index = len(self.branches)
        branch: dict[str, float] = {"feature": self.columns[node["split_feature"]], "split": node["threshold"],
                                    "missing_true": _missing_goes_left(node)}
        self.branches.append(branch)
        for side, child in (("true", node["left_child"]), ("false", node["right_child"])):
            leaf = "split_feature" not in child
            branch[f"{side}_leaf"] = leaf
            branch[f"{side}_node"] = self._add_leaf(child, target) if leaf else self._add_branch(child, target)
        return index

    def _add_leaf(self, leaf: Mapping[str, Any], target: int) -> int:
        self.leaf_targets.append(target)
        self.leaf_weights.append(leaf["leaf_value"])
        return len(self.leaf_weights) - 1

    def integers(self, name: str) -> list[int]:
        """Return one of the branches' numbers as the attribute wants it."""
        return [int(branch[name]) for branch in self.branches]


def _with_a_branch(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a node that branches: a tree of one leaf becomes a branch with that leaf on both sides."""
    if "split_feature" in node:
        return node
    return {"split_feature": 0, "threshold": 0.0, "decision_type": "<=", "missing_type": "NaN", "default_left": True,
            "left_child": node, "right_child": node}


def _missing_goes_left(node: Mapping[str, Any]) -> bool:
    """Tell where LightGBM sends a NaN: its default side, or as 0.0 where training saw none."""
    if node["decision_type"] != "<=" or node["missing_type"] not in ("None", "NaN"):
        raise InvariantError(f"a tree must split numbers by '<=', was {node['decision_type']!r} "
                             f"with missing values as {node['missing_type']!r}")
    if node["missing_type"] == "None":
        return bool(node["threshold"] >= 0.0)
    return bool(node["default_left"])


def trees_graph(parameters: TreeParameters, features: int) -> bytes:
    """Return the graph of the forecasts, one column a target: shape (rows, targets)."""
    trees = _Trees(parameters.columns)
    for target, tree in _trees_of(parameters.dumps):
        trees.add_tree(tree["tree_structure"], target)
    graph = _Graph()
    volatility = graph.node("Max", _column(graph, parameters.scale_column),
                            graph.constant(np.array(parameters.scale_floor)))
    scaled = graph.node("Mul", _ensemble(graph, trees, len(parameters.dumps)), volatility)
    graph.node("Mul", scaled, graph.constant(np.array(parameters.scale_factors)), output="forecasts")
    return graph.model("alpha", features, "forecasts", len(parameters.dumps))


def _ensemble(graph: _Graph, trees: _Trees, targets: int) -> str:
    return graph.node(
        "TreeEnsemble", ROWS_NAME, domain="ai.onnx.ml", aggregate_function=_SUM,
        post_transform=_NO_TRANSFORM, n_targets=targets, tree_roots=trees.roots,
        nodes_featureids=trees.integers("feature"), nodes_truenodeids=trees.integers("true_node"),
        nodes_falsenodeids=trees.integers("false_node"), nodes_trueleafs=trees.integers("true_leaf"),
        nodes_falseleafs=trees.integers("false_leaf"), nodes_missing_value_tracks_true=trees.integers("missing_true"),
        nodes_modes=_tensor([_BRANCH_LEQ] * len(trees.branches), np.uint8),
        nodes_splits=_tensor([branch["split"] for branch in trees.branches], np.float64),
        leaf_targetids=trees.leaf_targets, leaf_weights=_tensor(trees.leaf_weights, np.float64))


def _trees_of(dumps: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for target, dump in enumerate(dumps):
        if dump["num_tree_per_iteration"] != 1 or dump.get("average_output"):
            raise InvariantError("a model must be a boosted regressor of one output, was not")
        for tree in dump["tree_info"]:
            yield target, tree


def _tensor(values: Sequence[float], kind: type[np.generic]) -> Any:
    return numpy_helper.from_array(np.array(values, kind))
