"""Pictures: learning curves, confusion matrices, images, weights, descent paths, decisions, functions, scores.

Every function draws into `ax`, or into new axes when there is none, and returns them; those that fill a whole figure
return the figure. Save one with `ax.figure.savefig("name.png")`, or `figure.savefig("name.svg")`. matplotlib is
imported when a picture is drawn (extra `plots`), through its object-oriented face alone: no window, no global state.
"""

from chainrule.plots.activations import activation_graph, activation_graphs
from chainrule.plots.confusion import confusion_matrix
from chainrule.plots.curves import curve, curves, learning_rates
from chainrule.plots.decisions import decision_regions
from chainrule.plots.descent import descent_path, descent_surface
from chainrule.plots.divergence import divergence_map
from chainrule.plots.figures import to_png, to_svg
from chainrule.plots.fit import fit
from chainrule.plots.images import first_layer_weights, gallery
from chainrule.plots.scores import score_curve, score_map

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
    "first_layer_weights",
    "fit",
    "gallery",
    "learning_rates",
    "score_curve",
    "score_map",
    "to_png",
    "to_svg",
]
