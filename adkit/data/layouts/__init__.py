"""Published layouts, one file each, and how a folder is recognised as one of them.

Each reader's docstring names the published description and the real file names, and says where a part of it could not
be verified. A reader maps a root and a category to :class:`adkit.data.samples.CategorySamples`.
"""
