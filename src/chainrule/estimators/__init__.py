"""Networks as estimators of scikit-learn's: in pipelines, searches and cross-validation (extra `sklearn`).

    from chainrule.estimators import NetworkClassifier

    classifier = NetworkClassifier((100,), epochs=50, random_state=0).fit(X, y)

The training is `chainrule.train`; scikit-learn checks what goes in.
"""

from importlib.util import find_spec

from chainrule.errors import MissingExtraError

if find_spec("sklearn") is None:
    raise MissingExtraError("scikit-learn", "sklearn", "chainrule.estimators")

from chainrule.estimators.autoencoder import AutoencoderTransformer
from chainrule.estimators.classifier import NetworkClassifier
from chainrule.estimators.polynomial import PolynomialRegressor
from chainrule.estimators.regressor import NetworkRegressor

__all__ = ["AutoencoderTransformer", "NetworkClassifier", "NetworkRegressor", "PolynomialRegressor"]
