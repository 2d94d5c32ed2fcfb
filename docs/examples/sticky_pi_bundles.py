"""Put a bundle of a model on a server, and fetch it into a folder."""

import os
import sys

# --8<-- [start:import]
from asyncclient.sticky_pi import RemoteClient  # was: from sticky_pi_api.client import RemoteClient

# --8<-- [end:import]

cache_folder, host = sys.argv[1:]
user, password = os.environ["STICKY_PI_USERNAME"], os.environ["STICKY_PI_PASSWORD"]

# --8<-- [start:remote]
client = RemoteClient(cache_folder, host, user, password)
# --8<-- [end:remote]

# --8<-- [start:bundles]
client.put_ml_bundle_dir("insect-net", "insect-net")
client.get_ml_bundle_dir("insect-net", "fetched/insect-net", "model")
# --8<-- [end:bundles]
