"""Several scores of a pair → one log-likelihood ratio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forensics.cohorts.calibration.bounds import Bounds, cluster_bounds, elub
from forensics.cohorts.calibration.observations import CalibrationError, Floats, Values, observed


@dataclass(frozen=True)
class LogisticFusion:
    """A fitted linear fusion: LLR = intercept + Σ coefficient · (feature − mean) / scale.

    The LLR is natural and clipped to `bounds`. `n_kin` and `n_other` are the pairs it was fitted
    to, `kin_clusters` and `other_clusters` the independent observations they stand for.
    """

    features: tuple[str, ...]
    coefficients: tuple[float, ...]
    intercept: float
    means: tuple[float, ...]
    scales: tuple[float, ...]
    bounds: Bounds
    n_kin: int
    n_other: int
    kin_clusters: float
    other_clusters: float
    ridge: float
    monotone: bool

    @classmethod
    def fit(
        cls,
        features: ArrayLike,
        is_kin: ArrayLike,
        weights: Values | None = None,
        *,
        names: Sequence[str] = (),
        ridge: float = 1.0,
        monotone: bool = False,
        clusters: tuple[float, float] | None = None,
    ) -> LogisticFusion:
        """Fit a weighted, ridge-penalised logistic regression and take its prior out.

        Either class gets half of the total weight, so the effective prior odds are 1 and the
        log-odds are an LLR (Brümmer and du Preez 2006; Morrison, Australian Journal of
        Forensic Sciences 45 (2013)). Features are standardised with the same weights. The loss is
        the weighted sum of log losses + ridge/2 · |coefficients|², the intercept is not
        penalised; with weights of 1 that is scikit-learn's `class_weight="balanced"`, C = 1/ridge.

        A feature that never varies gets coefficient 0; if none varies every LLR is 0.

        Args:
            features: (n, d) scores, finite, or (n,) if there is one.
            is_kin: (n,) labels.
            weights: (n,) weights ≥ 0, 1 each if None; their sum is the effective sample size
                against which the ridge is weighed.
            names: d names of the features; "0", "1", … if empty.
            ridge: > 0, since the coefficients of separable classes grow without limit otherwise.
            monotone: no negative coefficient: a higher score never speaks against kinship.
            clusters: numbers of independent (kin, other) observations that bound the LLRs (see
                `cluster_bounds`); the sums of weights per class if None.

        The bounds are the tighter of `cluster_bounds` and the empirical ones (`elub`) of the
        training LLRs; `with_bounds` replaces them by those of held-out LLRs.

        Raises `CalibrationError` if a class is empty, a feature is not finite or sizes differ.
        """
        x = _matrix(features)
        kin = np.asarray(is_kin, dtype=bool).reshape(-1)
        raw = np.ones(kin.size) if weights is None else np.asarray(weights, dtype=np.float64)
        _check_fit(x, kin, raw, names, ridge)
        _, kin_weight = observed(kin[kin], raw[kin], "kin pairs")
        _, other_weight = observed(kin[~kin], raw[~kin], "unrelated pairs")
        n_kin, n_other = float(kin_weight.sum()), float(other_weight.sum())
        balanced = np.where(kin, raw / n_kin, raw / n_other) * (n_kin + n_other) / 2.0
        share = balanced / balanced.sum()
        means = share @ x
        spread = np.sqrt(share @ (x - means) ** 2)
        if not np.isfinite(spread).all():
            raise CalibrationError("a feature is too large to compute with; rescale it")
        # Rounding leaves a constant column a tiny spread; dividing by it would make noise a score.
        constant = spread <= 1e-12 * (1.0 + np.abs(means))
        scales = np.where(constant, 1.0, spread)
        z = np.where(constant, 0.0, (x - means) / scales)
        coefficients, intercept = _minimise(z, kin, balanced, ridge, monotone)
        llr = z @ coefficients + intercept
        counts = (n_kin, n_other) if clusters is None else clusters
        empirical = elub(llr[kin], llr[~kin], raw[kin], raw[~kin])
        return cls(
            features=tuple(names) or tuple(str(i) for i in range(x.shape[1])),
            coefficients=tuple(coefficients.tolist()),
            intercept=intercept,
            means=tuple(means.tolist()),
            scales=tuple(scales.tolist()),
            bounds=cluster_bounds(*counts).within(empirical),
            n_kin=int(kin_weight.size),
            n_other=int(other_weight.size),
            kin_clusters=float(counts[0]),
            other_clusters=float(counts[1]),
            ridge=float(ridge),
            monotone=bool(monotone),
        )

    def llr(self, features: ArrayLike, *, bounded: bool = True) -> Floats:
        """Give the (n,) natural LLRs of (n, d) features, clipped to the bounds unless told not to.

        Raises `CalibrationError` if a feature is not finite or d is not that of the fit.
        """
        x = _matrix(features, columns=len(self.features))
        if x.shape[1] != len(self.features):
            raise CalibrationError(
                f"{x.shape[1]} features given, {len(self.features)} fitted "
                f"({', '.join(self.features)}); give these"
            )
        z = (x - np.asarray(self.means)) / np.asarray(self.scales)
        llr = z @ np.asarray(self.coefficients) + self.intercept
        return self.bounds.clip(llr) if bounded else np.asarray(llr, dtype=np.float64)

    def with_bounds(self, bounds: Bounds) -> LogisticFusion:
        """Give the same fusion with other bounds."""
        return replace(self, bounds=bounds)

    def to_json(self) -> dict[str, Any]:
        """Give the fusion as plain JSON values."""
        values = asdict(self)
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> LogisticFusion:
        """Read what `to_json` gave; raises `CalibrationError` on anything else."""
        try:
            fusion = cls(
                features=tuple(str(name) for name in values["features"]),
                coefficients=_numbers(values["coefficients"]),
                intercept=float(values["intercept"]),
                means=_numbers(values["means"]),
                scales=_numbers(values["scales"]),
                bounds=Bounds(float(values["bounds"]["lower"]), float(values["bounds"]["upper"])),
                n_kin=int(values["n_kin"]),
                n_other=int(values["n_other"]),
                kin_clusters=float(values["kin_clusters"]),
                other_clusters=float(values["other_clusters"]),
                ridge=float(values["ridge"]),
                monotone=bool(values["monotone"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CalibrationError(f"malformed fusion ({error!r}); rebuild the pack") from error
        width = len(fusion.features)
        lengths = {len(fusion.coefficients), len(fusion.means), len(fusion.scales)}
        numbers = (*fusion.coefficients, fusion.intercept, *fusion.means, *fusion.scales)
        if lengths != {width} or not np.isfinite(numbers).all() or 0.0 in fusion.scales:
            raise CalibrationError("malformed fusion (lengths or values); rebuild the pack")
        return fusion


def _numbers(values: Sequence[Any]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _matrix(features: ArrayLike, columns: int = 1) -> Floats:
    x = np.asarray(features, dtype=np.float64)
    if x.ndim == 1:
        x = x[:, None] if columns == 1 else x[None, :]
    if x.ndim != 2 or x.shape[1] == 0:
        raise CalibrationError(f"features of shape {x.shape}; give one row per pair")
    if not np.isfinite(x).all():
        raise CalibrationError("a feature is not finite; leave pairs without a score out")
    return x


def _check_fit(
    x: Floats, kin: NDArray[np.bool_], weights: Floats, names: Sequence[str], ridge: float
) -> None:
    if kin.size != x.shape[0] or weights.shape != kin.shape:
        raise CalibrationError(
            f"{x.shape[0]} rows of features, {kin.size} labels, {weights.size} weights; "
            "give one of each per pair"
        )
    if names and len(names) != x.shape[1]:
        raise CalibrationError(f"{x.shape[1]} features but {len(names)} names")
    if not 0 < ridge < np.inf:
        raise CalibrationError(f"ridge {ridge} must be greater than 0")


def _minimise(
    z: Floats, kin: NDArray[np.bool_], weight: Floats, ridge: float, monotone: bool
) -> tuple[Floats, float]:
    from scipy.optimize import minimize

    sign = np.where(kin, 1.0, -1.0)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        coefficients = parameters[:-1]
        margin = sign * (z @ coefficients + parameters[-1])
        value = weight @ np.logaddexp(0.0, -margin) + ridge / 2.0 * coefficients @ coefficients
        # d/dmargin of log(1 + exp(-margin)), written so that nothing overflows.
        slope = -sign * weight * np.exp(-np.logaddexp(0.0, margin))
        gradient = np.append(z.T @ slope + ridge * coefficients, slope.sum())
        return float(value), gradient

    width = z.shape[1]
    limits = [(0.0 if monotone else None, None)] * width + [(None, None)]
    result = minimize(
        loss,
        np.zeros(width + 1),
        jac=True,
        method="L-BFGS-B",
        bounds=limits,
        options={"maxiter": 2000, "ftol": 1e-15, "gtol": 1e-9},
    )
    solution = np.asarray(result.x, dtype=np.float64)
    if not np.isfinite(solution).all():
        raise CalibrationError("the fit did not converge; check the features for extreme values")
    return solution[:-1], float(solution[-1])
