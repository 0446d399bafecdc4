"""Score → likelihood ratio, and how far to trust it.

Everything here is a pure function of labelled, weighted scores; weights let every pair of lineage
clusters count equally however many pairs of models it holds. LLRs are natural logarithms
throughout; what is shown to people (`verbal_tier`, `tippett`) is log10.

- `observations`: weighted observations and the error raised for impossible ones
- `pav`: pool adjacent violators
- `costs`: Cllr and Cllr_min
- `discrimination`: AUC, EER, operating points, Tippett and DET curves, limits of error rates
- `bounds`: how strong an LR the data support
- `fusion`: several scores → one LLR
- `resampling`: weights and intervals by lineage cluster
- `verbal`: an LR in words
"""

from forensics.cohorts.calibration.bounds import Bounds, cluster_bounds, elub
from forensics.cohorts.calibration.costs import cllr, cllr_min
from forensics.cohorts.calibration.discrimination import (
    DetCurve,
    ErrorRate,
    OperatingPoint,
    TippettCurve,
    auc,
    det,
    eer,
    error_rate,
    operating_point,
    tippett,
    tpr_at_fpr,
)
from forensics.cohorts.calibration.fusion import LogisticFusion
from forensics.cohorts.calibration.observations import CalibrationError, to_log10
from forensics.cohorts.calibration.pav import pav_llr
from forensics.cohorts.calibration.resampling import (
    ResampledInterval,
    bootstrap_over_clusters,
    cluster_weights,
    count_clusters,
    percentile_interval,
    pigeonhole_weights,
)
from forensics.cohorts.calibration.verbal import TIERS, Verbal, verbal_tier

__all__ = [
    "TIERS",
    "Bounds",
    "CalibrationError",
    "DetCurve",
    "ErrorRate",
    "LogisticFusion",
    "OperatingPoint",
    "ResampledInterval",
    "TippettCurve",
    "Verbal",
    "auc",
    "bootstrap_over_clusters",
    "cllr",
    "cllr_min",
    "cluster_bounds",
    "cluster_weights",
    "count_clusters",
    "det",
    "eer",
    "elub",
    "error_rate",
    "operating_point",
    "pav_llr",
    "percentile_interval",
    "pigeonhole_weights",
    "tippett",
    "to_log10",
    "tpr_at_fpr",
    "verbal_tier",
]
