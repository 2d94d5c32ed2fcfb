"""Run an analytic on a video: upload, job, wait, download."""

import sys

from asyncclient.voxel51 import API, JobRequest

api = API()  # the active token, or VOXEL51_API_PRIVATE_KEY

analytic = "voxel51/vehicle-sense"
doc = api.get_analytic_doc(api.get_analytic_id(analytic))

data = api.upload_data(sys.argv[1])
print("uploaded", data["name"])

request = JobRequest(analytic)
request.set_input("video", data_id=data["id"])
request.set_parameter("fps", 5)
request.check(doc)  # misspelt names are found here, not in a job that failed

job = api.upload_job_request(request, "my first job", auto_start=True)
api.wait_until_job_completes(job["id"], sleep_time=0.1)
print("wrote", api.download_job_output(job["id"], sys.argv[2]))
