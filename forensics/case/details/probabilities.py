"""Details of evidence from token probabilities: what was found beside each control model."""

from __future__ import annotations

from forensics.case.details.details_record import Details
from forensics.case.record import Finite, ModelText


class ControlAgreement(Details):
    """How often the target expects the same token as the other subject, and as a control."""

    control: ModelText
    target: str
    pair: Finite
    with_control: Finite
    p_value: Finite


class ControlPlaces(Details):
    """The same at many places of fixed passages; `compared` says what of each token."""

    control: ModelText
    target: str
    pair: Finite
    with_control: Finite
    places: int
    compared: str
    p_value: Finite


class ControlDistance(Details):
    """How far a control lies from the target: mean squared difference in bits a byte."""

    control: ModelText
    target: str
    distance: Finite
    p_value: Finite


class FirstTokensDetails(Details):
    """Details of first tokens; `left_out` says why other controls do not hold."""

    controls: tuple[ControlAgreement, ...]
    left_out: tuple[ModelText, ...]


class NextTokensDetails(Details):
    """Details of next tokens; `left_out` says why other controls do not hold."""

    controls: tuple[ControlPlaces, ...]
    left_out: tuple[ModelText, ...]


class LikelihoodsDetails(Details):
    """Mean bits a byte of every model, and distances of the pair and of controls."""

    bits_per_byte: dict[ModelText, Finite]
    distance: Finite
    controls: tuple[ControlDistance, ...]
    left_out: tuple[ModelText, ...]


class MutualFitDetails(Details):
    """Which controls were read along, and why others were not."""

    controls: tuple[ModelText, ...]
    left_out: tuple[ModelText, ...]
    p_value_is_approximate: bool


class FitDirection(Details):
    """One way round: bits a byte by which a model explains the other's answers better."""

    direction: str
    nearest_control: ModelText
    bits_per_byte: Finite
    n: int


class StudentFitDetails(Details):
    """Both ways round, and why one could not be told."""

    directions: tuple[FitDirection, ...]
    problems: tuple[ModelText, ...]
