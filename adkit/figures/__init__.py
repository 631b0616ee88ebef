"""Every plot of the kit, by subject. Each function takes arrays or tensors and returns a `Plot`: ``fig, axes``.

A plot is made outside pyplot, so no figure is ever left open. As the last line of a notebook cell it shows itself,
further up ``display(plot)`` shows it, and in a script ``plot.save(path)`` writes it.
"""

from adkit.figures.animation import gif as gif
from adkit.figures.animation import side_by_side as side_by_side
from adkit.figures.comparisons import comparison as comparison
from adkit.figures.comparisons import costs as costs
from adkit.figures.curves import roc_pro_curves as roc_pro_curves
from adkit.figures.curves import sweep as sweep
from adkit.figures.curves import training_curves as training_curves
from adkit.figures.frames import gallery as gallery
from adkit.figures.frames import samples as samples
from adkit.figures.frames import strips as strips
from adkit.figures.histograms import score_histograms as score_histograms
from adkit.figures.histograms import threshold_split as threshold_split
from adkit.figures.latents import latents as latents
from adkit.figures.latents import scatter as scatter
from adkit.figures.magnified import magnified as magnified
from adkit.figures.network import network as network
from adkit.figures.operating_point import operating_point as operating_point
from adkit.figures.panels import colour_scale as colour_scale
from adkit.figures.panels import detections as detections
from adkit.figures.panels import mask_rows as mask_rows
from adkit.figures.panels import panels as panels
from adkit.figures.pipeline import pipeline as pipeline
from adkit.figures.reconstructions import error_maps as error_maps
from adkit.figures.reconstructions import reconstructions as reconstructions
from adkit.figures.rows import differences as differences
from adkit.figures.rows import dot_rows as dot_rows
from adkit.figures.spectrum import compare_spectra as compare_spectra
from adkit.figures.spectrum import spectrum as spectrum
from adkit.figures.style import Plot as Plot
from adkit.figures.tables import column_table as column_table
from adkit.figures.tables import confusion as confusion
from adkit.figures.tables import heat_panels as heat_panels
from adkit.figures.tables import heat_table as heat_table
