"""Pictures: of a training, of what a network decides, of what is inside it, and of functions.

Every function draws into `ax`, or into new axes when there is none, and returns them; those that fill a whole figure
return the figure. Save one with `ax.figure.savefig("name.png")`, or `figure.savefig("name.svg")`. matplotlib is
imported when a picture is drawn (extra `plots`), through its object-oriented face alone: no window, no global state.
"""

from chainrule.plots.activations import activation_graph, activation_graphs
from chainrule.plots.confusion import confusion_matrix
from chainrule.plots.curves import curve, curves, learning_rates, overfitting_epoch
from chainrule.plots.decisions import decision_regions
from chainrule.plots.descent import descent_path, descent_surface
from chainrule.plots.divergence import divergence_map
from chainrule.plots.figures import to_png, to_svg
from chainrule.plots.filters import feature_maps, filters
from chainrule.plots.fit import fit
from chainrule.plots.histograms import histogram, histograms
from chainrule.plots.images import first_layer_weights, gallery, misclassified
from chainrule.plots.loss_map import loss_contours, loss_surface
from chainrule.plots.network_graph import network_graph
from chainrule.plots.scores import score_curve, score_map
from chainrule.plots.units import hidden_units

__all__ = [
    "activation_graph",
    "activation_graphs",
    "confusion_matrix",
    "curve",
    "curves",
    "decision_regions",
    "descent_path",
    "descent_surface",
    "divergence_map",
    "feature_maps",
    "filters",
    "first_layer_weights",
    "fit",
    "gallery",
    "hidden_units",
    "histogram",
    "histograms",
    "learning_rates",
    "loss_contours",
    "loss_surface",
    "misclassified",
    "network_graph",
    "overfitting_epoch",
    "score_curve",
    "score_map",
    "to_png",
    "to_svg",
]
