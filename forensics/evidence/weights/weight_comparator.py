"""What comparators of weights share: they read files, and A and B do not stand alike to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forensics.case.evidence import Tier
from forensics.examination.examined import Examined, Need

if TYPE_CHECKING:
    from forensics.subjects.model_files.folder import ModelFiles


class OfWeightFiles:
    """Base of comparators whose features are the files themselves, read tensor by tensor."""

    tier: Tier = "weights"
    needs: frozenset[Need] = frozenset({"weights"})
    symmetric = False  # units are spread, coordinates aligned and shares counted from one to other

    def extract(self, examined: Examined) -> ModelFiles:
        """Return the files, after a look at their headers.

        Raises:
            InputFileError: the files are damaged, incomplete or unknown.
        """
        from forensics.evidence.weights.numerics.reader import checked_files

        return checked_files(examined.files)
