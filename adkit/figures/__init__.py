"""Every plot of the kit, by subject. Each function takes arrays or tensors and returns a `Drawing`: ``fig, axes``.

A drawing is made outside pyplot, so no figure is ever left open. As the last line of a notebook cell it shows itself,
further up ``display(drawing)`` shows it, and in a script ``drawing.save(path)`` writes it.
"""

from adkit.figures.animation import gif as gif
from adkit.figures.animation import side_by_side as side_by_side
from adkit.figures.curves import roc_pro_curves as roc_pro_curves
from adkit.figures.curves import sweep as sweep
from adkit.figures.curves import training_curves as training_curves
from adkit.figures.detections import detector_panels as detector_panels
from adkit.figures.latents import latents as latents
from adkit.figures.latents import scatter as scatter
from adkit.figures.panels import colour_scale as colour_scale
from adkit.figures.panels import panels as panels
from adkit.figures.panels import samples as samples
from adkit.figures.panels import strips as strips
from adkit.figures.reconstructions import error_maps as error_maps
from adkit.figures.reconstructions import reconstructions as reconstructions
from adkit.figures.scores import comparison as comparison
from adkit.figures.scores import costs as costs
from adkit.figures.scores import heat_table as heat_table
from adkit.figures.scores import score_histograms as score_histograms
from adkit.figures.spectrum import spectra as spectra
from adkit.figures.spectrum import spectrum as spectrum
from adkit.figures.style import Drawing as Drawing
from adkit.figures.tables import column_table as column_table
from adkit.figures.tables import confusion as confusion
