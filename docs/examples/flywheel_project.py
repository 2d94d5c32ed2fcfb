"""Make a project tree, fill it, find it again."""

import sys

from asyncclient import flywheel  # was: import flywheel

fw = flywheel.Client(sys.argv[1])

group_id = fw.add_group(flywheel.GroupInput(id="lab", label="The lab"))
project = fw.get_group(group_id).add_project(label="Study")
session = project.add_subject(code="s-01", label="s-01").add_session(label="visit 1")
acquisition = session.add_acquisition(label="T1w")
acquisition.upload_file(sys.argv[2])
acquisition.add_note("looks fine")

for found in fw.projects.iter_find("label=Study"):
    print(found.id, found.label)

acquisition = acquisition.reload()
for file in acquisition.files:
    file.update_info({"checked": True})
    file.download(sys.argv[3])
    print(file.name, file.size)
