"""Upload a View of three points, change it, read it back."""

import sys

from asyncclient.lfview import Session  # was: from lfview.client import Session
from asyncclient.lfview import files, manifests, spatial  # was: from lfview.resources import files, manifests, spatial

session = Session(sys.argv[1])

vertices = files.Array([[0.0, 0, 0], [1, 1, 1], [2, 0, 1]])
points = spatial.ElementPointSet(vertices=vertices, defaults={"color": {"value": "red"}})
view = manifests.View(name="Drill holes", elements=[points])
url = session.upload(view, verbose=False)

points.name = "Collars"
session.upload(view, verbose=False)

same = session.download(url)
print(same.name, [element.name for element in same.elements], len(same.elements[0].vertices.array))
