"""Which table a network learned from, as its metadata say."""

from __future__ import annotations

from chainrule.errors import SettingError
from chainrule.network import Network
from chainrule.tabular import TabularPreprocessor


def preprocessor_of(network: Network) -> TabularPreprocessor | None:
    """How tables become samples of a network, if it learned from one. Raises ModelFileError, SettingError."""
    described = network.metadata.get("preprocessing")
    if described is None:
        return None
    found = TabularPreprocessor.from_dict(described)
    if network.input_shape != (len(found.feature_names),):
        raise SettingError(
            f"the preprocessing makes {len(found.feature_names)} numbers of a row, the network takes "
            f"{network.input_shape}; export the network alone, with preprocessing=False (--network-alone)"
        )
    return found
